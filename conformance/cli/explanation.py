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

__all__ = ["as_json", "explanation", "faults_of", "listing", "summaries"]

_APPLIES, _CONCLUDES = "if", "x-conclusive-when"
_PARTS = {_APPLIES: "It applies where", "then": "Then this holds", _CONCLUDES: "It is conclusive once"}
_EXPECTED = {"passed": "Passed", "failed": "Failed"}
_SUBJECTS = {
    "account": "the writes of one account, taken together",
    "call": "what a client was asked to do, what it sent for it and what it told",
    "conferencing": "one value of an event's conferencing, as it was read",
    "directory": "the calendar list and the userinfo of an account",
    "exchange": "one request and its response",
    "reading": "one read of events with all its pages",
    "write": "one write of an event and all that was seen of it until the next",
}


def listing(rules: Iterable[Rule]) -> str:
    """A table of rules: id, level, whom it binds, clauses and title."""
    rows = [(rule.id, rule.level, rule.applies_to, ", ".join(rule.clauses), rule.title) for rule in rules]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    lines = [
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def summaries(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """The same as JSON: an object for each rule."""
    return [_summary(rule) for rule in rules]


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
    """Faults of the reference server that break the rule: ``alone``, or ``among`` other rules."""
    found: dict[str, list[str]] = {"alone": [], "among": []}
    for fault, broken in _kills().items():
        if rule.id in broken:
            found["alone" if len(broken) == 1 else "among"].append(fault)
    return found


@cache
def _kills() -> Mapping[str, list[str]]:
    """The rules that each fault breaks, as computed by whole runs."""
    text = files("conformance.reference").joinpath("detection_matrix.json").read_text(encoding="utf-8")
    kills: dict[str, list[str]] = json.loads(text)
    return kills


def explanation(rule: Rule, clauses: Mapping[str, Mapping[str, Any]]) -> str:
    """When a rule applies, what must hold, what decides it; its clauses in our words; an example kept, one broken."""
    return "".join(f"{line}\n" for line in _explained(rule, clauses))


def as_json(rule: Rule, clauses: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All that `explanation` draws from."""
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


def _explained(rule: Rule, clauses: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield rule.title
    yield f"{rule.id}: for the {rule.applies_to}, level {rule.level}"
    yield f"judged over {_SUBJECTS.get(rule.about, rule.about)} (schemas/facts/{rule.about}.json)"
    for part, heading in _PARTS.items():
        if part in rule.schema:
            yield ""
            yield f"{heading}:"
            yield from (f"  {line}" for line in _part_in_words(rule, part))
    if _CONCLUDES not in rule.schema:
        yield ""
        yield "It is conclusive at once."
    yield ""
    yield "Clauses:"
    for name in rule.clauses:
        clause = clauses.get(name, {})
        yield f"  {name} ({clause.get('section', 'not listed')}): {clause.get('about', 'no such clause')}"
        if "uncarried" in clause:
            yield f"    no rule carries: {clause['uncarried']}"
    if rule.cases:
        yield ""
        yield f"Complete when it passed in each of these cases: {', '.join(rule.cases)}"
    yield from _caught(rule)
    yield from _exemplified(rule)


def _part_in_words(rule: Rule, part: str) -> tuple[str, ...]:
    """What a part of a rule says of facts in their documented shape; what another part than ``if`` says supposes it."""
    shape = {"$ref": schemas.uri(f"facts/{rule.about}")}
    given = (shape,) if part == _APPLIES else (shape, rule.schema[_APPLIES])
    return in_words(rule.schema[part], rule.schema["$id"], given)


def _caught(rule: Rule) -> Iterator[str]:
    faults = faults_of(rule)
    for kind, heading in (("alone", "Caught by this rule alone"), ("among", "Caught by this rule among others")):
        if faults[kind]:
            yield ""
            yield f"{heading}, with run --fault: {', '.join(faults[kind])}"


def _exemplified(rule: Rule) -> Iterator[str]:
    loaded = examples.load(rule.id)
    for expected, heading in _EXPECTED.items():
        example = next((example for example in loaded if example.expect == expected), None)
        if example is not None:
            yield ""
            yield f"{heading}, for example: {visible(example.title)}"
            facts = formatted(json.dumps(example.facts, ensure_ascii=False))
            yield from (f"  {visible(line)}" for line in facts.splitlines())
