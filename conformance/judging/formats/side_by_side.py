"""A comparison as text, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.http.display import visible
from conformance.judging.comparison import Cell, Comparison, RuleRow, document
from conformance.judging.formats.markdown import escaped
from conformance.judging.partings import Parting, Partings

__all__ = ["as_json", "closing", "markdown", "parting_title", "same_values", "text"]

#: How many partings are told; the JSON has all.
_TOLD = 20


def as_json(comparison: Comparison) -> str:
    """The document of ``schemas/comparison.json``, indented, in ASCII."""
    return json.dumps(document(comparison), indent=2) + "\n"


def text(comparison: Comparison) -> str:
    """What differs, then what some alone decided, then where scenarios part, for a terminal."""
    return "\n".join([*_lines(comparison, visible, heading=lambda title: title, item="  ")]) + "\n"


def markdown(comparison: Comparison) -> str:
    """The same for a pull request, with a table of the rules that differ."""
    return "\n".join([*_lines(comparison, escaped, heading=lambda title: f"## {title}", item="- ")]) + "\n"


def closing(comparison: Comparison) -> str:
    """How many rules are alike, differ, or were decided by some alone, and how many scenarios part."""
    count = {relation: len(comparison.having(relation)) for relation in ("alike", "differs", "open", "undecided")}
    parts = [f"Rules: {count['differs']} different", f"{count['alike']} alike"]
    if count["open"]:
        parts.append(f"{count['open']} decided by some alone")
    if count["undecided"]:
        parts.append(f"{count['undecided']} decided by none")
    sentences = [f"{', '.join(parts)}."]
    return " ".join([*sentences, *map(_counted, comparison.partings)])


def _counted(partings: Partings) -> str:
    both = " and ".join(partings.labels)
    if not partings.compared:
        return f"No scenario was sent to both {both}: run both with one seed, and on calendars of the same kinds."
    return f"{partings.parted} of {partings.compared} scenarios that both were sent part between {both}."


def _lines(
    comparison: Comparison, safe: Callable[[str], str], *, heading: Callable[[str], str], item: str
) -> Iterator[str]:
    labels = [column.label for column in comparison.columns]
    for column in comparison.columns:
        yield f"{item}{safe(column.label)}  {safe(column.about)}"
    differing = comparison.having("differs")
    if differing:
        yield ""
        yield heading("Rules that differ")
    for row in differing:
        yield ""
        yield safe(_title_of(row))
        yield from (
            f"{item}{safe(label)}: {safe(words)}"
            for label, cell in zip(labels, row.cells, strict=True)
            for words in _cell_words(cell)
        )
    some = comparison.having("open")
    if some:
        yield ""
        yield heading("Rules that some alone decided")
        yield ""
        for row in some:
            said = ", ".join(f"{label} {cell.outcome}" for label, cell in zip(labels, row.cells, strict=True))
            yield f"{item}{safe(f'{row.id}: {said}')}"
    for partings in comparison.partings:
        if partings.found:
            yield ""
            yield heading(f"Where {safe(' and '.join(partings.labels))} part")
            yield from _partings(partings, safe, item)
    yield ""
    yield safe(closing(comparison))


def _title_of(row: RuleRow) -> str:
    """A rule by its id, level and clauses, with what holds where it is kept."""
    return f"{row.id} ({row.level}, {', '.join(row.clauses)}): {row.title}"


def _cell_words(cell: Cell) -> tuple[str, ...]:
    """What a report says of a rule: its outcome, or a sentence for each cause of its failure."""
    if not cell.causes:
        return (cell.outcome,)
    return tuple(f"{cell.outcome}: {sentence} [{cause}]" for cause, sentence in cell.causes.items())


def _partings(partings: Partings, safe: Callable[[str], str], item: str) -> Iterator[str]:
    for number, parting in enumerate(partings.found[:_TOLD]):
        yield ""
        if number < 2:
            yield safe(("The first exchange:", "Other differences:")[number])
            yield ""
        yield safe(parting_title(parting))
        yield from (f"{item}{safe(line)}" for line in _sides(partings.labels, parting))
    if len(partings.found) > _TOLD:
        yield ""
        yield safe(f"And {len(partings.found) - _TOLD} more differences; a JSON report has all.")


def parting_title(parting: Parting) -> str:
    """What both servers were sent where they part, and in how many scenarios they do."""
    count = parting.scenarios
    times = "" if count == 1 else f" (and so in {count - 1} more {'scenario' if count == 2 else 'scenarios'})"
    return f"Scenario {parting.scenario}, write {parting.step}{times}: {parting.sent}"


def _sides(labels: tuple[str, str], parting: Parting) -> Iterator[str]:
    for label, side in zip(labels, parting.sides, strict=True):
        values = same_values(side.values)
        shown = "" if side.shown is None else f", and reads {json.dumps(side.shown, ensure_ascii=False)}"
        yield f"{label} {side.label} → {side.status or 'no answer'}: {values}{shown}"


def same_values(values: Mapping[str, Any]) -> str:
    """The values by which two servers differ, on a line."""
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
    )
