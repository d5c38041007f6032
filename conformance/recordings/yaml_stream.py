"""YAML streamed one value at a time: safe, with libyaml where it is installed, and with limits on aliases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any

import yaml
from yaml.composer import Composer, ComposerError
from yaml.constructor import SafeConstructor
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import Resolver
from yaml.scanner import Scanner

__all__ = ["LIST_START", "TOP_LEVEL_LIST", "entries"]

#: The key of the items of a top-level list.
TOP_LEVEL_LIST = object()

#: Precedes the items of a list, which may be empty.
LIST_START = object()

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


class _Plain(Resolver):
    """Plain scalars are resolved as in JSON: 12:30:45, 1_000 and 2026-01-01 are text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way to replace the inherited ones


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    ("float", r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?", list("-+0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Plain.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), _first)


class _Loader(Composer, _Events, SafeConstructor, _Plain):
    """Composes and constructs one node at a time, so that a long list is never in memory."""

    def __init__(self, stream: IO[str]) -> None:
        _Events.__init__(self, stream)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)
        self._nodes = self._depth = 0
        self._weights: dict[str, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()
        anchor: str | None = event.anchor
        before = self._nodes
        self._nodes += 1
        if isinstance(event, AliasEvent) and anchor in self.anchors:
            if anchor not in self._weights:
                raise _refused("an alias inside of its own value", event)
            self._nodes += self._weights[anchor]
        if self._nodes > _MOST_NODES:
            raise _refused(f"more than {_MOST_NODES} values in one", event)
        if self._depth >= _DEEPEST:
            raise _refused(f"nested deeper than {_DEEPEST} levels", event)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if anchor is not None and not isinstance(event, AliasEvent):
            self._weights[anchor] = self._nodes - before
        return node

    def value(self) -> Any:
        """The value of the next node."""
        self._nodes = self._depth = 0
        return self.construct_document(self.compose_node(None, None))


def _refused(problem: str, event: Any) -> ComposerError:
    return ComposerError(None, None, problem, event.start_mark)


def _text(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


def _tuple(loader: _Loader, node: yaml.SequenceNode) -> tuple[Any, ...]:
    return tuple(loader.construct_sequence(node, deep=True))


def _file(loader: _Loader, node: yaml.MappingNode) -> Any:
    """A request body that was an open file: its content is the first item of the pickled state."""
    state = loader.construct_mapping(node, deep=True).get("state")
    return state[0] if state else b""


def _chunks(loader: _Loader, node: yaml.MappingNode) -> Any:
    """A request body that was an iterator: its chunks are the first argument."""
    arguments = loader.construct_mapping(node, deep=True).get("args")
    return arguments[0] if arguments else []


for _name, _constructor in {
    "tag:yaml.org,2002:python/str": _text,
    "tag:yaml.org,2002:python/unicode": _text,
    "tag:yaml.org,2002:python/tuple": _tuple,
    "tag:yaml.org,2002:python/object/new:_io.BytesIO": _file,
    "tag:yaml.org,2002:python/object/apply:builtins.iter": _chunks,
    "!binary": SafeConstructor.construct_yaml_binary,
}.items():
    _Loader.add_constructor(_name, _constructor)  # type: ignore[arg-type]


def entries(stream: IO[str], lists: frozenset[str]) -> Iterator[tuple[object, Any]]:
    """The keys and values of a YAML mapping, in order; of a key in `lists`, LIST_START and each item as it is read.

    Of a list, TOP_LEVEL_LIST and each item.  Raises yaml.YAMLError, and ValueError where the document is neither.
    """
    loader = _Loader(stream)
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
                yield from _entry(loader, lists)
            loader.get_event()
        else:
            raise ValueError("expected a YAML mapping or list")
        loader.get_event()  # the document ends
        if not loader.check_event(StreamEndEvent):
            raise ValueError("expected one YAML document, found another behind it")
    finally:
        loader.dispose()


def _entry(loader: _Loader, lists: frozenset[str]) -> Iterator[tuple[str, Any]]:
    key = str(loader.value())
    if key not in lists or not loader.check_event(SequenceStartEvent):
        value = loader.value()
        yield key, LIST_START if value is None and key in lists else value
        return
    yield key, LIST_START
    yield from ((key, item) for item in _items(loader))


def _items(loader: _Loader) -> Iterator[Any]:
    loader.get_event()
    while not loader.check_event(SequenceEndEvent):
        yield loader.value()
    loader.get_event()
