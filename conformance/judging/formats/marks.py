"""Two texts side by side: which of their characters differ."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import NamedTuple

__all__ = ["Part", "carets", "differences"]

#: How many characters of a text are compared, how many are left before the first that differs, and how many of a
#: longer one are shown.
_LONGEST, _BEFORE, _EXCERPT = 320, 40, 160


class Part(NamedTuple):
    """A part of a text, and whether the other text has something else there."""

    text: str
    differs: bool


def differences(expected: str, actual: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The parts of two texts; of long ones what is around the first difference, with where that is, and how long
    they are.

    Texts that have little in common are not marked: every character would be.

    >>> differences("https://a/Room", "https://a/room")[1]
    (Part(text='https://a/', differs=False), Part(text='r', differs=True), Part(text='oom', differs=False))
    """
    texts = expected, actual
    expected, actual, tails = _cut(expected, actual)
    matcher = SequenceMatcher(None, expected, actual, autojunk=False)
    if texts[0] == texts[1] or matcher.ratio() < 0.75:
        left, right = [Part(expected, differs=False)], [Part(actual, differs=False)]
    else:
        left, right = _marked(expected, actual, matcher)
    for parts, tail in zip((left, right), tails, strict=True):
        _add(parts, tail, differs=False)
    return tuple(left), tuple(right)


def _marked(expected: str, actual: str, matcher: SequenceMatcher[str]) -> tuple[list[Part], list[Part]]:
    left: list[Part] = []
    right: list[Part] = []
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        # One character that happens to be the same within what differs would only scatter the marks.
        differs = kind != "equal" or (end - start == 1 and start > 0 and end < len(expected))
        _add(left, expected[start:end], differs=differs)
        _add(right, actual[other_start:other_end], differs=differs)
    return left, right


def _add(parts: list[Part], text: str, *, differs: bool) -> None:
    if parts and parts[-1].differs == differs:
        text = parts.pop().text + text
    if text:
        parts.append(Part(text, differs))


def carets(parts: tuple[Part, ...]) -> str:
    """A line that marks what differs in the line above it; empty where nothing is marked."""
    return "".join(("^" if part.differs else " ") * len(part.text) for part in parts).rstrip()


def _cut(one: str, other: str) -> tuple[str, str, tuple[str, str]]:
    """Both texts, or of long ones the excerpts that differ first, and what is to be said of their lengths."""
    if max(len(one), len(other)) <= _LONGEST:
        return one, other, ("", "")
    least = min(len(one), len(other))
    same = next((place for place in range(least) if one[place] != other[place]), least)
    start = max(0, same - _BEFORE)
    where = f": different from character {same + 1:,} on"
    if same == least:
        where = "" if one == other else ": the beginning of it" if same == len(other) else ": more than that"
    return (
        _window(one, start),
        _window(other, start),
        (f" ({len(one):,} characters)", f" ({len(other):,} characters{where})"),
    )


def _window(text: str, start: int) -> str:
    end = start + _EXCERPT
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
