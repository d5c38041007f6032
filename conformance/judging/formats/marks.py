"""Two texts side by side: which of their characters differ."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import NamedTuple

__all__ = ["Part", "carets", "differences"]

#: How many characters of a text are compared, and how many are left before the first that differs.
_LONGEST, _BEFORE = 600, 60


class Part(NamedTuple):
    """A part of a text, and whether the other text has something else there."""

    text: str
    differs: bool


def differences(expected: str, actual: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The parts of two texts; long texts begin shortly before the first difference.

    Texts that have little in common are not marked: every character would be.

    >>> differences("https://a/Room", "https://a/room")[1]
    (Part(text='https://a/', differs=False), Part(text='r', differs=True), Part(text='oom', differs=False))
    """
    expected, actual = _cut(expected, actual)
    matcher = SequenceMatcher(None, expected, actual, autojunk=False)
    if expected == actual or matcher.ratio() < 0.6:
        return (Part(expected, differs=False),), (Part(actual, differs=False),)
    left: list[Part] = []
    right: list[Part] = []
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        # One character that happens to be the same within what differs would only scatter the marks.
        differs = kind != "equal" or (end - start == 1 and start > 0 and end < len(expected))
        _add(left, expected[start:end], differs=differs)
        _add(right, actual[other_start:other_end], differs=differs)
    return tuple(left), tuple(right)


def _add(parts: list[Part], text: str, *, differs: bool) -> None:
    if parts and parts[-1].differs == differs:
        text = parts.pop().text + text
    if text:
        parts.append(Part(text, differs))


def carets(parts: tuple[Part, ...]) -> str:
    """A line that marks what differs in the line above it; empty where nothing is marked."""
    return "".join(("^" if part.differs else " ") * len(part.text) for part in parts).rstrip()


def _cut(one: str, other: str) -> tuple[str, str]:
    if max(len(one), len(other)) <= _LONGEST:
        return one, other
    same = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    start = max(0, same - _BEFORE)
    return _window(one, start), _window(other, start)


def _window(text: str, start: int) -> str:
    end = start + _LONGEST
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
