"""Objects of a list whose members come again: members of the same text are read once, and are one object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from msgspec import Struct

from conformance.http.json_text import parsed

__all__ = ["SharedMembers"]

#: Characters of a member that is remembered.
_SMALL = 2**16
_SPACE = re.compile(r"[ \t\r\n]*")
#: Stands for a member in what is left of an object.
_MARK = 7_046_029_254_386_353
_WRITTEN = str(_MARK)

_remembered = lru_cache(maxsize=256)(parsed)


class _Member(Struct):
    """A member by its name, and the text before and behind its value, from the value before to the one after.

    `text` and `value` are what was read last: it is told at once whether the same comes again.
    """

    name: str
    before: str
    behind: str
    text: str = ""
    value: Any = None

    def read(self, text: str, start: int) -> int:
        """Read the value that starts there; where it ends, or -1 where that cannot be told.

        Raises ValueError for what is no JSON.
        """
        end = start + len(self.text)
        if self.text and text.startswith(self.text, start) and text.startswith(self.behind, end):
            return end
        end = text.find(self.behind, start)
        if end >= 0:
            written = text[start:end]
            self.value = (_remembered if len(written) <= _SMALL else parsed)(written)
            self.text = written
        return end


class SharedMembers:
    """Reads the text of one object after another; their `members` are one object where their text is the same.

    How the first one is written tells where the members of others begin and end.  Whether that is so, their parts tell:
    text of which each part is JSON, with a number in place of the parts, is read as a whole object otherwise.
    """

    def __init__(self, *members: str) -> None:
        self._names = members
        self._members: tuple[_Member, ...] | None = None

    def __call__(self, text: str) -> Any:
        """The object; it raises what `json.loads` raises."""
        if self._members is None:
            self._members = _layout(text, self._names)
        if len(self._members) == len(self._names):
            try:
                found = self._read(text, self._members)
            except (ValueError, RecursionError):
                found = None
            if found is not None:
                return found
        return parsed(text)

    def _read(self, text: str, members: tuple[_Member, ...]) -> dict[str, Any] | None:
        """The object, read in parts; None where it is written otherwise.  Raises ValueError for what is no JSON."""
        at, rest = 0, []
        for member in members:
            size = len(member.before)
            start = text.find(member.before, max(at - size, 0)) + size
            end = member.read(text, start) if start >= size else -1
            if end < 0:
                return None
            rest.append(text[at:start])
            at = end
        rest.append(text[at:])
        found = parsed(_WRITTEN.join(rest))
        if not isinstance(found, dict):
            return None
        for member in members:
            if found.get(member.name) != _MARK:
                return None
            found[member.name] = member.value
        return found


def _layout(text: str, names: tuple[str, ...]) -> tuple[_Member, ...]:
    """How the members with these names are written in an object, if all are there, and in this order."""
    try:
        values = [*_values(text)]
    except (ValueError, IndexError, RecursionError):
        return ()
    ends = [0, *(end for _, _, end in values)]
    starts = [*(start for _, start, _ in values[1:]), len(text)]
    found = [
        _Member(name, text[before:start], text[end:following])
        for (name, start, end), before, following in zip(values, ends, starts, strict=False)
        if name in names
    ]
    return tuple(found) if tuple(member.name for member in found) == names else ()


def _values(text: str) -> Iterator[tuple[str, int, int]]:
    """The keys of an object, each with where its value begins and ends.  Raises ValueError and IndexError."""
    decode = json.JSONDecoder().raw_decode
    at = _behind_space(text, 1)
    while text[at] != "}":
        key, at = decode(text, at)
        start = _behind_space(text, _behind_space(text, at) + 1)
        _, at = decode(text, start)
        yield key, start, at
        at = _behind_space(text, at)
        if text[at] == ",":
            at = _behind_space(text, at + 1)


def _behind_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()
