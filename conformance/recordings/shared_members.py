"""Objects of a list whose members come again: members of the same text are read once, and are one object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from conformance.http.json_text import parsed

__all__ = ["SharedMembers"]

#: Characters of a member that is remembered.
_SMALL = 2**16
_SPACE = re.compile(r"[ \t\r\n]*")
#: Stands for a member in what is left of an object.
_MARK = 7_046_029_254_386_353
_WRITTEN = str(_MARK)

_remembered = lru_cache(maxsize=256)(parsed)


class _Member(NamedTuple):
    """A member by its name, and the text before and behind its value, from the value before to the one after."""

    name: str
    before: str
    behind: str


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
        at, rest, values = 0, [], []
        for _, before, behind in members:
            start = text.find(before, max(at - len(before), 0)) + len(before)
            end = text.find(behind, start)
            if start < len(before) or end < 0:
                return None
            values.append((_remembered if end - start <= _SMALL else parsed)(text[start:end]))
            rest.append(text[at:start])
            at = end
        rest.append(text[at:])
        found = parsed(_WRITTEN.join(rest))
        if not isinstance(found, dict):
            return None
        for name, value in zip(self._names, values, strict=True):
            if found.get(name) != _MARK:
                return None
            found[name] = value
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
