"""The rules for people: a line for each, and one explained with its clauses and examples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from conformance.contract import examples, schemas
from conformance.contract.format import formatted
from conformance.contract.prose import in_words
from conformance.contract.rules import Rule
from conformance.http.display import visible

__all__ = ["as_json", "explanation", "faults_of", "listing", "print_table", "summaries"]

_APPLIES, _CONCLUDES = "if", "x-conclusive-when"
_PARTS = {_APPLIES: "It applies if", "then": "Then this holds", _CONCLUDES: "A pass is conclusive if"}
_EXPECTED = {"passed": "Passed", "failed": "Failed"}
_SUBJECTS = {
    "account": "all episodes of one account",
    "call": "one call of a client: its arguments, the requests it sent and the result it returned",
    "conferencing": "one value of an event's conferencing, as it was read",
    "directory": "the calendar list or the userinfo of an account",
    "exchange": "one request and its response",
    "reading": "one read of events with all its pages",
    "write": "one episode: a write of an event, and what was observed of it until the next write",
}
#: How the columns of `print_table` look.
_COLUMNS: tuple[dict[str, Any], ...] = (
    {"style": "bold", "no_wrap": True},
    {},
    {},
    {"style": "dim", "max_width": 12},
    {},
)


def listing(rules: Iterable[Rule]) -> str:
    """A line for each rule: id, level, whom it applies to, clauses and title."""
    rows = [*map(_row, rules)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    lines = [
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def print_table(rules: Iterable[Rule]) -> None:
    """Print the same on a terminal, with long titles wrapped within their column."""
    from rich.console import Console  # takes as long to import as the command line: only terminals pay for it
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for column in _COLUMNS:
        table.add_column(**column)
    for rule in rules:
        table.add_row(*_row(rule))
    Console(highlight=False).print(table)


def _row(rule: Rule) -> tuple[str, ...]:
    return rule.id, rule.level, rule.applies_to, ", ".join(rule.clauses), rule.title


def summaries(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """The same as JSON: an object for each rule."""
    return [*map(_summary, rules)]


def _summary(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "applies_to": rule.applies_to,
        "level": rule.level,
        "about": rule.about,
        "clauses": list(rule.clauses),
        "cases": list(rule.cases),
    }


def faults_of(rule: Rule) -> dict[str, list[str]]:
    """Faults of the reference server that fail the rule: ``alone``, or ``among`` other rules."""
    found: dict[str, list[str]] = {"alone": [], "among": []}
    for fault, failed in _detection_matrix().items():
        if rule.id in failed:
            found["alone" if len(failed) == 1 else "among"].append(fault)
    return found


@cache
def _detection_matrix() -> Mapping[str, list[str]]:
    """The rules that each fault fails, as computed by whole runs."""
    text = files("conformance.reference").joinpath("detection_matrix.json").read_text(encoding="utf-8")
    matrix: dict[str, list[str]] = json.loads(text)
    return matrix


def explanation(rule: Rule, clauses: Mapping[str, Mapping[str, Any]]) -> str:
    """When a rule applies, what must hold, when a pass is conclusive, its clauses, a passed and a failed example."""
    return "".join(f"{line}\n" for line in _explanation(rule, clauses))


def as_json(rule: Rule, clauses: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All that `explanation` is made of."""
    return {
        **_summary(rule),
        "schema": rule.schema,
        "clauses": [{"id": name, **clauses.get(name, {})} for name in rule.clauses],
        "examples": [
            {"title": example.title, "expect": example.expect, "facts": example.facts}
            for example in examples.load(rule.id)
        ],
        "faults": faults_of(rule),
    }


def _explanation(rule: Rule, clauses: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield rule.title
    yield f"{rule.id}: applies to the {rule.applies_to}, level {rule.level}"
    yield f"reads the facts of {_SUBJECTS.get(rule.about, rule.about)} (schemas/facts/{rule.about}.json)"
    for part, heading in _PARTS.items():
        if part in rule.schema:
            yield ""
            yield f"{heading}:"
            yield from (f"  {line}" for line in _part_in_words(rule, part))
    if _CONCLUDES not in rule.schema:
        yield ""
        yield "A pass is conclusive at once."
    yield ""
    yield "Clauses:"
    for name in rule.clauses:
        clause = clauses.get(name, {})
        yield f"  {name} ({clause.get('section', 'not listed')}): {clause.get('about', 'no such clause')}"
    if rule.cases:
        yield ""
        yield f"Covered if it passes in each of these classes: {', '.join(rule.cases)}"
    yield from _detected_faults(rule)
    yield from _examples(rule)


def _part_in_words(rule: Rule, part: str) -> tuple[str, ...]:
    """What a part of a rule says of facts in their documented shape; ``if`` is given for the other parts."""
    shape = {"$ref": schemas.uri(f"facts/{rule.about}")}
    given = (shape,) if part == _APPLIES else (shape, rule.schema[_APPLIES])
    return in_words(rule.schema[part], rule.schema["$id"], given)


def _detected_faults(rule: Rule) -> Iterator[str]:
    faults = faults_of(rule)
    for kind, heading in (("alone", "Faults that fail only this rule"), ("among", "Faults that fail it and others")):
        if faults[kind]:
            yield ""
            yield f"{heading}, for `run --fault`: {', '.join(faults[kind])}"


def _examples(rule: Rule) -> Iterator[str]:
    loaded = examples.load(rule.id)
    for expected, heading in _EXPECTED.items():
        example = next((example for example in loaded if example.expect == expected), None)
        if example is not None:
            yield ""
            yield f"{heading}, for example: {visible(example.title)}"

            facts = formatted(json.dumps(example.facts, ensure_ascii=False))
            yield from (f"  {visible(line)}" for line in facts.splitlines())
