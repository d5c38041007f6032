"""YAML streamed one value at a time: safe, with libyaml where it is installed, and with limits on aliases."""

from __future__ import annotations

import binascii
import io
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import IO, Any, Protocol

import yaml
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from conformance.recordings.yaml_blocks import LIST_START, TOP_LEVEL_LIST, ShortenedList, UnfitError

__all__ = ["entries"]

#: Nodes of one value with its aliases followed: far above any recording, far below a bomb.
_MOST_NODES = 1_000_000

#: Levels of nesting: far above any recording, and within Python's stack.  libyaml may refuse deeper values first.
_DEEPEST = 200

if yaml.__with_libyaml__:
    from yaml.cyaml import CParser as _Events  # type: ignore[attr-defined]
else:  # pragma: no cover - tested in a process of its own

    class _Events(Reader, Scanner, Parser):  # type: ignore[no-redef]
        """The events of a YAML stream, in pure Python."""

        def __init__(self, stream: IO[str]) -> None:
            Reader.__init__(self, stream)
            Scanner.__init__(self)
            Parser.__init__(self)


#: Plain scalars are read as in JSON: 12:30:45, 1_000 and 2026-01-01 are text.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?\Z")
_WORDS = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    word: value for value in (True, False) for word in (str(value).lower(), str(value), str(value).upper())
}
#: The key that merges other mappings into its own.
_MERGE = object()


@lru_cache(maxsize=4096)
def _plain(text: str) -> Any:
    """The value of a plain scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return _MERGE if text == "<<" else text


def _binary(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError(f"no base64: {error}") from None


def _in_file(state: Any) -> Any:
    """A request body that was an open file: its content is the first item of the pickled state."""
    held = state.get("state") if isinstance(state, dict) else None
    return held[0] if held else b""


def _in_chunks(state: Any) -> Any:
    """A request body that was an iterator: its chunks are the first argument."""
    held = state.get("args") if isinstance(state, dict) else None
    return held[0] if held else []


def _same(value: Any) -> Any:
    return value


_YAML = "tag:yaml.org,2002:"
_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "!": _same,
    f"{_YAML}str": _same,
    f"{_YAML}python/str": _same,
    f"{_YAML}python/unicode": _same,
    f"{_YAML}timestamp": _same,
    f"{_YAML}null": lambda _: None,
    **dict.fromkeys((f"{_YAML}{kind}" for kind in ("bool", "int", "float")), _plain),
    **dict.fromkeys((f"{_YAML}binary", "!binary"), _binary),
}
_SEQUENCES: Mapping[str, Callable[[list[Any]], Any]] = {f"{_YAML}seq": _same, f"{_YAML}python/tuple": tuple}
_MAPPINGS: Mapping[str, Callable[[dict[Any, Any]], Any]] = {
    f"{_YAML}map": _same,
    f"{_YAML}python/object/new:_io.BytesIO": _in_file,
    f"{_YAML}python/object/apply:builtins.iter": _in_chunks,
}


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> str: ...


class _Loader(_Events):
    """Values straight from events, one item at a time: a long list is never in memory."""

    def __init__(self, stream: _Readable) -> None:
        super().__init__(stream)
        self._nodes = self._depth = 0
        self.anchors: dict[str, Any] = {}
        self._weights: dict[str, int] = {}

    def value(self) -> Any:
        """The value of the next node."""
        self._nodes = self._depth = 0
        found = self._value(self.get_event())
        return "<<" if found is _MERGE else found

    def _value(self, event: Any) -> Any:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise _refused(f"more than {_MOST_NODES} values in one", event)
        kind = type(event)
        if kind is AliasEvent:
            return self._aliased(event)
        before = self._nodes - 1
        if kind is ScalarEvent:
            tag, text = event.tag, event.value
            if tag is None or (tag == "!" and event.implicit[1]):
                value = _plain(text) if event.implicit[0] else text
            else:
                value = self._tagged(event, _SCALARS, text)
        else:
            if self._depth >= _DEEPEST:
                raise _refused(f"nested deeper than {_DEEPEST} levels", event)
            self._depth += 1
            if event.anchor is not None:
                self.anchors[event.anchor] = _UNFINISHED
            value = self._mapping(event) if kind is MappingStartEvent else self._sequence(event)
            self._depth -= 1
        if event.anchor is not None:
            self.anchors[event.anchor] = value
            self._weights[event.anchor] = self._nodes - before
        return value

    def _aliased(self, event: Any) -> Any:
        value = self.anchors.get(event.anchor, _UNKNOWN)
        if value is _UNKNOWN:
            raise _refused(f"an alias of {event.anchor!r}, which stands nowhere before it", event)
        if value is _UNFINISHED:
            raise _refused("an alias inside of its own value", event)
        self._nodes += self._weights[event.anchor]
        if self._nodes > _MOST_NODES:
            raise _refused(f"more than {_MOST_NODES} values in one", event)
        return value

    def _sequence(self, start: Any) -> Any:
        items = []
        get = self.get_event
        while type(event := get()) is not SequenceEndEvent:
            value = self._value(event)
            items.append("<<" if value is _MERGE else value)
        return items if start.tag is None else self._tagged(start, _SEQUENCES, items)

    def _mapping(self, start: Any) -> Any:
        held: dict[Any, Any] = {}
        merged: list[Any] = []
        get = self.get_event
        while type(event := get()) is not MappingEndEvent:
            key = self._value(event)
            value = self._value(get())
            if value is _MERGE:
                value = "<<"
            if key is _MERGE:
                merged += value if isinstance(value, list) else [value]
                continue
            try:
                held[key] = value
            except TypeError:
                raise _refused("a key that is no text", event) from None
        if merged:
            if not all(isinstance(mapping, dict) for mapping in merged):
                raise _refused("a merge of what is no mapping", start)
            held = {key: value for mapping in reversed(merged) for key, value in mapping.items()} | held
        return held if start.tag is None else self._tagged(start, _MAPPINGS, held)

    def _tagged(self, event: Any, known: Mapping[str, Callable[[Any], Any]], value: Any) -> Any:
        if event.tag not in known:
            raise _refused(f"a value of the type {event.tag}", event)
        try:
            return known[event.tag](value)
        except ValueError as error:
            raise _refused(str(error), event) from None


_UNKNOWN, _UNFINISHED = object(), object()


def _refused(problem: str, event: Any) -> MarkedYAMLError:
    return MarkedYAMLError(None, None, problem, event.start_mark)


def entries(stream: IO[str], lists: frozenset[str]) -> Iterator[tuple[object, Any]]:
    """The keys and values of a YAML mapping, in order; of a key in `lists`, LIST_START and each item as it is read.

    Of a list, TOP_LEVEL_LIST and each item.  Raises yaml.YAMLError, and ValueError where the document is neither.
    """
    shortened = ShortenedList(stream, lists, _plain, _is_whole, _alone)
    return _entries(_Loader(shortened), lists, shortened.value)


def _entries(
    loader: _Loader, lists: frozenset[str], item_of: Callable[[Any], Any] = _same
) -> Iterator[tuple[object, Any]]:
    try:
        loader.get_event()  # the stream starts
        if loader.check_event(StreamEndEvent):
            raise ValueError("it holds no YAML document")
        loader.get_event()  # the document starts
        if loader.check_event(SequenceStartEvent):
            yield from ((TOP_LEVEL_LIST, item) for item in _items(loader))
        elif loader.check_event(MappingStartEvent):
            loader.get_event()
            while not loader.check_event(MappingEndEvent):
                yield from _entry(loader, lists, item_of)
            loader.get_event()
        else:
            raise ValueError("expected a YAML mapping or list")
        loader.get_event()  # the document ends
        if not loader.check_event(StreamEndEvent):
            raise ValueError("expected one YAML document, found another behind it")
    finally:
        loader.dispose()


def _entry(loader: _Loader, lists: frozenset[str], item_of: Callable[[Any], Any]) -> Iterator[tuple[str, Any]]:
    key = str(loader.value())
    if key not in lists or not loader.check_event(SequenceStartEvent):
        value = loader.value()
        yield key, LIST_START if value is None and key in lists else value
        return
    yield key, LIST_START
    yield from ((key, item_of(item)) for item in _items(loader))


def _items(loader: _Loader) -> Iterator[Any]:
    loader.get_event()
    while not loader.check_event(SequenceEndEvent):
        yield loader.value()
    loader.get_event()


def _is_whole(text: str) -> bool:
    """Whether a text is a YAML document."""
    try:
        deque(_entries(_Loader(io.StringIO(text)), frozenset()), maxlen=0)
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    return True


def _alone(text: str) -> Any:
    """The one item of a list that depends on nothing before it.  Raises UnfitError."""
    loader = _Loader(io.StringIO(text))
    try:
        loader.get_event()
        loader.get_event()
        (item,) = _items(loader)
        loader.get_event()
        if loader.anchors or not loader.check_event(StreamEndEvent):
            raise UnfitError
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UnfitError from None
    finally:
        loader.dispose()
    return item
