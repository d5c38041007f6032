"""The rules for people: a line for each, and one explained with its clauses and examples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from conformance.cli.output import echo
from conformance.contract import examples, schemas
from conformance.contract.format import formatted
from conformance.contract.prose import part_in_words
from conformance.contract.rules import Rule, load, load_clauses, load_shared
from conformance.contract.selection import contract
from conformance.http.display import visible

__all__ = ["contract_document", "explanation", "faults_of", "listing", "print_table"]

_CONCLUDES = "x-conclusive-when"
_PARTS = {"if": "It applies if", "then": "Then this holds", _CONCLUDES: "A pass is conclusive if"}
_EXPECTED = {"passed": "Passed", "failed": "Failed"}


def listing(rules: Iterable[Rule]) -> str:
    """A line for each rule: id, level, whom it applies to, clauses and title."""
    rows = [*map(_row, rules)]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    lines = [
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def print_table(rules: Iterable[Rule]) -> None:
    """Print the same on a terminal, each title below its id and wrapped to the width."""
    from rich.console import Console  # takes as long to import as the command line: only terminals pay for it
    from rich.table import Column, Table
    from rich.text import Text

    table = Table.grid(Column(), Column(), Column(), Column(max_width=12), padding=(0, 2))
    for rule in rules:
        id_, level, applies_to, clauses, title = _row(rule)
        table.add_row(Text.assemble((id_, "bold"), f"\n{title}"), level, applies_to, Text(clauses, "dim"))
    console = Console(highlight=False)
    with console.capture() as printed:
        console.print(table)
    echo(printed.get())


def _row(rule: Rule) -> tuple[str, ...]:
    return rule.id, rule.level, rule.applies_to, ", ".join(rule.clauses), rule.title


def _summary(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": rule.title,
        "applies_to": rule.applies_to,
        "level": rule.level,
        "about": rule.about,
        "clauses": list(rule.clauses),
        "cases": list(rule.cases),
        "since": rule.since,
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


def contract_document(rules: Sequence[Rule]) -> dict[str, Any]:
    """The contract as far as `rules` go: its version and digest, clauses, rules with examples, and shared schemas.

    All that a program needs to judge facts by the rules: their references resolve within ``schemas``.
    """
    clauses = load_clauses()
    carried = {name for rule in rules for name in rule.clauses}
    return {
        "contract": contract(),
        "clauses": {name: clause for name, clause in clauses.items() if name in carried or rules == load()},
        "rules": [{**_summary(rule), **_details(rule)} for rule in rules],
        "schemas": {shared["$id"]: shared for shared in load_shared().values()},
    }


def _details(rule: Rule) -> dict[str, Any]:
    return {
        "schema": rule.schema,
        "examples": [
            {"title": example.title, "expect": example.expect, "facts": example.facts}
            for example in examples.load(rule.id)
        ],
        "faults": faults_of(rule),
    }


def _explanation(rule: Rule, clauses: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield rule.title
    yield f"{rule.id}: applies to the {rule.applies_to}, level {rule.level}"
    facts = schemas.read(f"facts/{rule.about}")["title"].replace("Facts", "facts", 1)
    yield f"reads {facts} (schemas/facts/{rule.about}.json)"
    for part, heading in _PARTS.items():
        if part in rule.schema:
            yield ""
            yield f"{heading}:"
            yield from (f"  {line}" for line in part_in_words(rule, part))
    if _CONCLUDES not in rule.schema:
        yield ""
        yield "A pass is conclusive at once."
    yield ""
    yield "Clauses:"
    for name in rule.clauses:
        clause = clauses.get(name, {})
        yield f"  {name} ({clause.get('section', 'not listed')}): {clause.get('about', 'no such clause')}"
        if "uncarried" in clause:
            yield f"    no rule carries: {clause['uncarried']}"
    if rule.cases:
        yield ""
        yield f"Covered if it passes in each of these classes: {', '.join(rule.cases)}"
    yield from _detected_faults(rule)
    yield from _examples(rule)


def _detected_faults(rule: Rule) -> Iterator[str]:
    faults = faults_of(rule)
    for kind, heading in (("alone", "Caught by this rule alone"), ("among", "Caught by this rule among others")):
        if faults[kind]:
            yield ""
            yield f"{heading}, with run --fault: {', '.join(faults[kind])}"


def _examples(rule: Rule) -> Iterator[str]:
    loaded = examples.load(rule.id)
    for expected, heading in _EXPECTED.items():
        example = next((example for example in loaded if example.expect == expected), None)
        if example is not None:
            yield ""
            yield f"{heading}, for example: {visible(example.title)}"

            facts = formatted(json.dumps(example.facts, ensure_ascii=False))
            yield from (f"  {visible(line)}" for line in facts.splitlines())
