"""Items of a long YAML list in the style that recorders write, read without a parser's events.

An event is an object of Python, and a cassette has fifty an exchange.  What is written in block style, without
comments, tags and anchors, needs none of them, and parts that come again are read once; anything else is left to
the parser, so that there is one meaning of YAML.
"""

from __future__ import annotations

import json
import re
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import IO, Any

__all__ = ["LIST_START", "TOP_LEVEL_LIST", "ShortenedList", "UnfitError", "read_item"]

#: The key of the items of a top-level list.
TOP_LEVEL_LIST = object()
#: Precedes the items of a list, which may be empty.
LIST_START = object()

#: Characters that are read at once, and of the text before the list at most.
_PIECE, _LARGEST_HEAD = 2**17, 2**16
#: Characters of a part that is remembered for long, and of one, such as a body, that is for a while.
_SMALL, _MEDIUM = 1_024, 2**16
#: Characters of an item.
_LARGEST = 2**24
#: Lines of an item, and columns before one: far above any recording, and below the limits of the parser.
_MOST_LINES, _DEEPEST = 100_000, 60
#: The next line that is not indented, blank or a comment: another item, or what follows the list.
_OTHER_BREAK = re.compile("[\r\x85\u2028\u2029]")
_OUTER_LINE = re.compile(r"\n(?=[^ \t\r\n#])")
_ENTRY = re.compile(r" *([A-Za-z_][A-Za-z0-9_-]{0,99}):(?: ([^ \n][^\n]*))?(?:\n|\Z)")
_PLAIN_START = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/(._+$")
_ASCII = bytes([10, *range(32, 127)])
_JOINED, _JOINED_TO_NOTHING = re.compile(r"\\\n +"), re.compile(r"\\\n *(?:\n|\Z)")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class UnfitError(Exception):
    """A text is for the parser."""


def read_item(text: str, plain: Callable[[str], Any]) -> Any:
    """The mapping in an item of a list that is not indented; `plain` gives the value of a plain scalar.

    What comes again is shared.  Raises UnfitError for all that is not written plainly.
    """
    if not _is_plain_text(text) or text.count("\n") > _MOST_LINES:
        raise UnfitError
    return _mapping(f"  {text[2:].rstrip()}", 2, plain)


def _mapping(text: str, indent: int, plain: Callable[[str], Any]) -> dict[Any, Any]:
    parts = _starts(indent, "[^ -]").split(text)
    return dict([_reader(len(part))(part, indent, plain) for part in parts])


def _reader(size: int) -> Callable[[str, int, Callable[[str], Any]], tuple[Any, Any]]:
    """What reads an entry of so many characters."""
    return _remembered if size <= _SMALL else _held if size <= _MEDIUM else _entry


@lru_cache(maxsize=_DEEPEST * 2)
def _starts(indent: int, first: str) -> re.Pattern[str]:
    """Where a line with this indent begins with what `first` matches."""
    return re.compile(rf"\n(?= {{{indent}}}{first})")


def _entry(text: str, indent: int, plain: Callable[[str], Any]) -> tuple[Any, Any]:
    """The key and the value of an entry of a mapping; what belongs to no entry is part of that before it."""
    match = _ENTRY.match(text)
    if match is None or match.start(1) != indent:
        raise UnfitError
    key, written, rest = plain(match[1]), match[2], text[match.end() :]
    if written is not None:
        return key, _scalar(text[match.start(2) :], plain)
    return key, _nested(rest, indent, plain) if rest else None


_remembered = lru_cache(maxsize=512)(_entry)
_held = lru_cache(maxsize=64)(_entry)


def _nested(text: str, outer: int, plain: Callable[[str], Any]) -> Any:
    """The mapping or the list under a key that has `outer` columns before it."""
    bare = text.lstrip(" ")
    indent = len(text) - len(bare)
    if indent > _DEEPEST:
        raise UnfitError
    if not bare.startswith("- "):
        if indent <= outer:
            raise UnfitError
        return _mapping(text, indent, plain)
    if indent < outer:
        raise UnfitError
    return [_scalar(item[indent + 2 :], plain) for item in _starts(indent, "- ").split(text)]


def _scalar(text: str, plain: Callable[[str], Any]) -> Any:
    first, last = text[:1], text[-1:]
    if first == "'" == last and len(text) > 1:
        return _single_quoted(text[1:-1])
    if first == '"' == last and len(text) > 1:
        return _double_quoted(text[1:-1])
    if first in _PLAIN_START and last not in (":", " ") and not ("\n" in text or ": " in text or " #" in text):
        return plain(text)
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    raise UnfitError


def _single_quoted(text: str) -> str:
    if "'" in text:
        if "'" in text.replace("''", ""):
            raise UnfitError
        text = text.replace("''", "'")
    return _folded(text) if "\n" in text else text


def _double_quoted(text: str) -> str:
    if "\n" in text:
        if "\\\\\n" in text or "\\ \n" in text or _JOINED_TO_NOTHING.search(text):
            raise UnfitError
        text = _JOINED.sub("", text)
        text = _folded(text) if "\n" in text else text
    if "\\" not in text:
        if '"' in text:
            raise UnfitError
        return text
    if "\\ " in text:
        if "\\\\ " in text:
            raise UnfitError
        text = text.replace("\\ ", " ")
    if "\\/" in text or _SURROGATE.search(text):
        raise UnfitError
    try:  # the escapes of JSON are those that recorders write
        value: str = json.loads(f'"{text}"')
    except ValueError:
        raise UnfitError from None
    return value


def _folded(text: str) -> str:
    """Lines as one: a break is a space, and more of them are one less."""
    first, *between, last = text.split("\n")
    lines = [first.rstrip(" "), *[line.strip(" ") for line in between], last.lstrip(" ")]
    if all(lines[1:-1]):
        return " ".join(lines)
    folded, breaks = lines[0], 0
    for line in lines[1:-1]:
        if line:
            folded += ("\n" * breaks or " ") + line
        breaks = 0 if line else breaks + 1
    return folded + ("\n" * breaks or " ") + lines[-1]


def _is_plain_text(text: str) -> bool:
    """Whether a text has no characters that YAML refuses, or takes for the end of a line."""
    if text.isascii():
        return not text.encode().translate(None, _ASCII)
    return text.replace("\n", "").isprintable()


class ShortenedList:
    """A stream of YAML in which the items of the first of some lists are marks, if they can be read without it.

    A mark has as many lines as its item, so that places in errors are right.  `read` gives the text for the parser;
    `value` the item for a mark.  `is_whole` tells of a text whether it is a document by itself, and `alone` reads
    an item by itself where `read_item` cannot, with UnfitError where it depends on what is before it.
    """

    def __init__(
        self,
        stream: IO[str],
        keys: frozenset[str],
        plain: Callable[[str], Any],
        is_whole: Callable[[str], bool],
        alone: Callable[[str], Any],
    ) -> None:
        self._stream, self._plain, self._is_whole, self._alone = stream, plain, is_whole, alone
        self._list = re.compile(rf"^(?:{'|'.join(sorted(keys))}):\n(?=- )", re.MULTILINE)
        self._mark = f"item-{secrets.token_hex(16)}"
        self._values: deque[Any] = deque()
        self._pieces = self._shortened()

    def read(self, _: int = 0, /) -> str:
        """The next piece of the text."""
        return next(filter(None, self._pieces), "")

    def value(self, value: Any) -> Any:
        """The item for which a value of the parser stands: itself, or that for a mark."""
        return self._values.popleft() if value == self._mark else value

    def _shortened(self) -> Iterator[str]:
        text = self._stream.read(_LARGEST_HEAD)
        start = self._list.search(text)
        head = text[: start.end()] if start else ""
        # A directive may change what is written in items; a text in quotes may look like the start of a list.
        if head and "%" not in head and self._is_whole(head):
            yield head
            text = text[len(head) :]
            marks: str | None = ""
            while marks is not None:
                yield marks
                marks, text = self._marks(text)
        while text:
            yield text
            text = self._stream.read(_PIECE)

    def _marks(self, text: str) -> tuple[str | None, str]:
        """Marks for the items at the start of a text, and what is left of it; None if it is for the parser."""
        marks, at = [], 0
        for line in _OUTER_LINE.finditer(text):
            item = text[at : line.end()]
            if not item.startswith("- "):
                break
            try:
                self._values.append(self._value(item))
            except UnfitError:
                break
            marks.append(f'- "{self._mark}"' + "\n" * item.count("\n"))
            at = line.end()
        else:
            more = self._stream.read(max(_PIECE, len(text) - at))
            goes_on = bool(more) and len(text) - at <= _LARGEST
            return "".join(marks) if goes_on or marks else None, text[at:] + more
        return "".join(marks) or None, text[at:]

    def _value(self, item: str) -> Any:
        try:
            return read_item(item, self._plain)
        except UnfitError:
            if _OTHER_BREAK.search(item):  # its lines are counted otherwise
                raise
            return self._alone(item)
