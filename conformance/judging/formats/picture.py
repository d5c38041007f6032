"""A time line as a picture: inline SVG whose places are percentages, so that its text keeps its size at any width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import moment
from conformance.judging.timeline import TimelineEntry

if TYPE_CHECKING:
    from conformance.facts import Evidence
    from conformance.judging.verdict import Violation

__all__ = ["picture", "rows"]

#: The height of a row in the picture of a run, how many characters of an event's id stand in it, and of a summary.
_ROW, _NAME, _SUMMARY = 30, 60, 160

#: Percent of the width that two marks are apart at least, those left free on both sides, and those for what the last
#: reading showed: more where later readings still showed it, without regard to how long.
_GAP, _MARGIN, _LAST, _STILL = 7.0, 3.0, 12.0, 30.0

_STATES = {"missing", "none", "pending", "assigned", "malformed"}


def picture(entries: Sequence[TimelineEntry]) -> str:
    """Writes as lines, readings as dots, and what was shown between them as bands; numbered like the entries."""
    if not any(entry.look in _STATES or entry.action in ("write", "delete") for entry in entries):
        return ""
    last = entries[-1]
    free = 0.0 if last.look not in _STATES else _STILL if last.until is not None else _LAST
    places = _places([entry.seconds for entry in entries], 100.0 - 2 * _MARGIN - free)
    parts = [*_bands(entries, places), *_marks(entries, places)]
    label = escape(visible("; ".join(_words(number, entry) for number, entry in enumerate(entries, 1))), quote=True)
    return (
        f'<svg class="line" role="img" width="100%" height="64" aria-label="Time line: {label}">{"".join(parts)}</svg>'
    )


def _places(seconds: Sequence[float | None], width: float) -> list[float]:
    """Where each entry is, in percent, over so much of the width: by time, but no two on one another; one after the
    other without times."""
    known = [moment for moment in seconds if moment is not None]
    span = max(known) - min(known) if len(known) == len(seconds) else 0.0
    raw = [
        100.0 * (moment - min(known)) / span
        if span and moment is not None
        else 100.0 * number / max(1, len(seconds) - 1)
        for number, moment in enumerate(seconds)
    ]
    gap = 100.0 * min(_GAP / width, 1.0 / max(1, len(raw)))
    placed: list[float] = []
    for place in raw:
        placed.append(max(place, placed[-1] + gap) if placed else place)
    scale = width / max(100.0, placed[-1])
    return [_MARGIN + place * scale for place in placed]


def _bands(entries: Sequence[TimelineEntry], places: Sequence[float]) -> Iterator[str]:
    """From each reading to the next entry, what the event showed; of the last one, with when it still did."""
    ends = [*places[1:], 100.0 - _MARGIN]
    old: set[str] = set()
    new: set[str] = set()
    for entry, start, end in zip(entries, places, ends, strict=True):
        if entry.action in ("write", "delete"):
            old, new = old | new, set()
        value = entry.conferencing.get("join_url") if isinstance(entry.conferencing, dict) else None
        is_old = entry.look == "assigned" and value in old and value not in new
        if isinstance(value, str) and not is_old:
            new.add(value)
        if entry.action == "read" and entry.look in _STATES:
            kind = "old" if is_old else entry.look
            wrong = " wrong" if entry.is_broken else ""
            width = max(0.5, end - start)
            yield f'<rect class="{kind}{wrong}" x="{start:.2f}%" y="24" width="{width:.2f}%" height="14"/>'
    if entries[-1].until is not None:
        yield f'<text x="{ends[-1]:.2f}%" y="60" text-anchor="end">still at {entries[-1].until:,.1f} s</text>'


def _marks(entries: Sequence[TimelineEntry], places: Sequence[float]) -> Iterator[str]:
    """A number at each mark, but where that of what is wrong, or the one before, is too near."""
    yield '<line class="axis" x1="0" x2="100%" y1="38" y2="38"/>'
    sides: dict[bool, list[float]] = {True: [], False: []}
    for entry, place in zip(entries, places, strict=True):
        sides[entry.action in ("write", "delete")] += [place] * entry.is_broken
    for number, (entry, place) in enumerate(zip(entries, places, strict=True), 1):
        above = entry.action in ("write", "delete")
        kind = "broken" if entry.is_broken else entry.action
        if above:
            yield f'<line class="{kind}" x1="{place:.2f}%" x2="{place:.2f}%" y1="18" y2="46"/>'
        yield f'<circle class="{kind}" cx="{place:.2f}%" cy="38" r="{6 if entry.is_broken else 4}"/>'
        if entry.is_broken or all(abs(place - other) >= _GAP - 0.5 for other in sides[above]):
            sides[above].append(place)
            text = f"{number} ✗" if entry.is_broken else f"{number}"
            yield f'<text class="{kind}" x="{place:.2f}%" y="{13 if above else 60}" text-anchor="middle">{text}</text>'


def _words(number: int, entry: TimelineEntry) -> str:
    when = "" if entry.seconds is None else f" after {entry.seconds:,.1f} s"
    wrong = ", which is wrong" if entry.is_broken else ""
    return f"{number}{when}: {entry.summary[:_SUMMARY]}{wrong}"


def rows(violations: Sequence[Violation]) -> str:
    """The events of violations, one in a row, over the time from the first exchange to the last, and what they showed.

    Empty where no times are known, or where there are fewer than two events: each has a picture of its own.
    """
    lines: dict[str, list[tuple[int, Violation]]] = {}
    for number, violation in enumerate(violations, 1):
        if violation.event is not None and _timed([violation]):
            lines.setdefault(violation.event, []).append((number, violation))
    drawn = {event: _timed([violation for _, violation in found]) for event, found in lines.items()}
    moments = [one.at or 0.0 for exchanges in drawn.values() for one in exchanges]
    if len(lines) < 2 or max(moments) == min(moments):
        return ""
    start, span = min(moments), max(moments) - min(moments)
    bottom = 34 + len(lines) * _ROW
    parts = [f'<text x="2%" y="12">0 s</text><text x="98%" y="12" text-anchor="end">{moment(span)}</text>']
    for row, (event, found) in enumerate(lines.items()):
        top, exchanges = 34 + row * _ROW, drawn[event]
        wrong = {violation.shown_by for _, violation in found}
        places = [2 + 96 * ((one.at or start) - start) / span for one in exchanges]
        parts.append(f'<line class="axis" x1="{places[0]:.2f}%" x2="{places[-1]:.2f}%" y1="{top + 8}" y2="{top + 8}"/>')
        for one, place, end in zip(exchanges, places, [*places[1:], places[-1] + 1], strict=True):
            state = one.shown.get("state") if isinstance(one.shown, dict) else None
            if state in _STATES:
                parts.append(
                    f'<rect class="{state}" x="{place:.2f}%" y="{top + 5}" width="{end - place:.2f}%" height="6"/>'
                )
        for one, place in sorted(zip(exchanges, places, strict=True), key=lambda mark: mark[0].label in wrong):
            kind = "broken" if one.label in wrong else "read" if one.request.method == "GET" else "write"
            size = {"broken": 5, "read": 2, "write": 4}[kind]
            parts.append(f'<circle class="{kind}" cx="{place:.2f}%" cy="{top + 8}" r="{size}"/>')
        numbers = ", ".join(str(number) for number, _ in found)
        parts.append(f'<text x="0" y="{top}">{numbers}. {escape(visible(event)[:_NAME])}</text>')
    label = f"{len(lines)} events over {span:,.0f} s; where each went wrong is described above"
    return f'<svg class="rows" role="img" width="100%" height="{bottom}" aria-label="{label}">{"".join(parts)}</svg>'


def _timed(violations: Iterable[Violation]) -> list[Evidence]:
    found = (one for violation in violations for one in (*violation.earlier, *violation.evidence))
    exchanges = {one.label: one for one in found if one.at is not None}
    return sorted(exchanges.values(), key=lambda one: one.at or 0.0)
