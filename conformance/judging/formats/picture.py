"""A time line as a picture: inline SVG whose places are percentages, so that its text keeps its size at any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.timeline import TimelineEntry

if TYPE_CHECKING:
    from conformance.facts import Evidence
    from conformance.judging.verdict import Violation

__all__ = ["picture", "rows"]

#: The height of a row in the picture of a run, how many characters of an event's id stand in it, and of a summary.
_ROW, _NAME, _SUMMARY = 30, 60, 160

#: Percent of the width that two marks are apart at least, and those left free on both sides.
_GAP, _MARGIN = 4.0, 3.0

_STATES = {"missing", "none", "pending", "assigned", "malformed"}


def picture(entries: Sequence[TimelineEntry]) -> str:
    """Writes as lines, readings as dots, and what was shown between them as bands; numbered like the entries."""
    if not entries:
        return ""
    places = _places([entry.seconds for entry in entries])
    parts = [*_bands(entries, places), *_marks(entries, places)]
    label = escape(visible("; ".join(_words(number, entry) for number, entry in enumerate(entries, 1))), quote=True)
    return (
        f'<svg class="line" role="img" width="100%" height="64" aria-label="Time line: {label}">{"".join(parts)}</svg>'
    )


def _places(seconds: Sequence[float | None]) -> list[float]:
    """Where each entry is, in percent: by time, but no two on one another; one after the other without times."""
    known = [moment for moment in seconds if moment is not None]
    span = max(known) - min(known) if len(known) == len(seconds) else 0.0
    raw = [
        100.0 * (moment - min(known)) / span
        if span and moment is not None
        else 100.0 * number / max(1, len(seconds) - 1)
        for number, moment in enumerate(seconds)
    ]
    gap = min(_GAP, 100.0 / max(1, len(raw)))
    placed: list[float] = []
    for place in raw:
        placed.append(max(place, placed[-1] + gap) if placed else place)
    scale = (100.0 - 2 * _MARGIN) / max(100.0, placed[-1])
    return [_MARGIN + place * scale for place in placed]


def _bands(entries: Sequence[TimelineEntry], places: Sequence[float]) -> Iterator[str]:
    """From each reading to the next entry, what the event showed."""
    ends = [*places[1:], 100.0 - _MARGIN / 2]
    for entry, start, end in zip(entries, places, ends, strict=True):
        if entry.action == "read" and entry.state in _STATES:
            width = max(0.5, end - start)
            yield f'<rect class="{entry.state}" x="{start:.2f}%" y="26" width="{width:.2f}%" height="12"/>'


def _marks(entries: Sequence[TimelineEntry], places: Sequence[float]) -> Iterator[str]:
    yield '<line class="axis" x1="0" x2="100%" y1="38" y2="38"/>'
    for number, (entry, place) in enumerate(zip(entries, places, strict=True), 1):
        if entry.action in ("write", "delete"):
            yield f'<line class="write" x1="{place:.2f}%" x2="{place:.2f}%" y1="18" y2="46"/>'
        kind = "broken" if entry.is_broken else entry.action
        yield f'<circle class="{kind}" cx="{place:.2f}%" cy="38" r="{6 if entry.is_broken else 4}"/>'
        above = entry.action in ("write", "delete")
        text = f"{number} ✗" if entry.is_broken else f"{number}"
        yield f'<text class="{kind}" x="{place:.2f}%" y="{13 if above else 60}" text-anchor="middle">{text}</text>'


def _words(number: int, entry: TimelineEntry) -> str:
    when = "" if entry.seconds is None else f" after {entry.seconds:,.1f} s"
    wrong = ", which is wrong" if entry.is_broken else ""
    return f"{number}{when}: {entry.summary[:_SUMMARY]}{wrong}"


def rows(violations: Sequence[Violation]) -> str:
    """The events of violations, one in a row, over the time from the first exchange to the last, and what they showed.

    Empty where no times are known.
    """
    lines = [(violation, exchanges) for violation in violations if (exchanges := _timed(violation))]
    moments = [one.at for _, exchanges in lines for one in exchanges if one.at is not None]
    if not moments or max(moments) == min(moments):
        return ""
    start, span = min(moments), max(moments) - min(moments)
    bottom = 34 + len(lines) * _ROW
    parts = [f'<text x="2%" y="12">0 s</text><text x="98%" y="12" text-anchor="end">{span:,.1f} s</text>']
    for number, (violation, exchanges) in enumerate(lines):
        top = 34 + number * _ROW
        places = [2 + 96 * ((one.at or start) - start) / span for one in exchanges]
        parts.append(f'<line class="axis" x1="{places[0]:.2f}%" x2="{places[-1]:.2f}%" y1="{top + 8}" y2="{top + 8}"/>')
        for one, place, end in zip(exchanges, places, [*places[1:], places[-1] + 1], strict=True):
            state = one.shown.get("state") if isinstance(one.shown, dict) else None
            if state in _STATES:
                parts.append(
                    f'<rect class="{state}" x="{place:.2f}%" y="{top + 5}" width="{end - place:.2f}%" height="6"/>'
                )
        marked = sorted(zip(exchanges, places, strict=True), key=lambda mark: mark[0].label == violation.shown_by)
        for one, place in marked:  # what is wrong is on top
            kind = "broken" if one.label == violation.shown_by else "read" if one.request.method == "GET" else "write"
            size = {"broken": 5, "read": 2, "write": 4}[kind]
            parts.append(f'<circle class="{kind}" cx="{place:.2f}%" cy="{top + 8}" r="{size}"/>')
        name = escape(visible(violation.event or violation.cause.partition(" ")[0])[:_NAME])
        parts.append(f'<text x="0" y="{top}">{number + 1}. {name}</text>')
    label = f"{len(lines)} events over {span:,.0f} s; where each went wrong is described above"
    return f'<svg class="rows" role="img" width="100%" height="{bottom}" aria-label="{label}">{"".join(parts)}</svg>'


def _timed(violation: Violation) -> list[Evidence]:
    exchanges = {one.label: one for one in (*violation.earlier, *violation.evidence) if one.at is not None}
    return sorted(exchanges.values(), key=lambda one: one.at or 0.0)
