"""Reports side by side: where they decide a rule differently, or break it for other causes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from conformance.judging.partings import Partings

__all__ = ["Cell", "Comparison", "Relation", "RuleRow", "SubjectColumn", "comparison_of", "document"]

#: ``alike``: decided by all that judged it, the same way. ``differs``: not so. ``open``: some decided it and some did
#: not. ``undecided``: nobody did.
Relation = Literal["alike", "differs", "open", "undecided"]

_DECIDED = ("passed", "failed")


@dataclass(frozen=True, slots=True)
class SubjectColumn:
    """One report: a short name, and what it is about."""

    label: str
    kind: str
    name: str
    outcome: str
    contract: str
    seed: int | None

    @property
    def about(self) -> str:
        """The subject, its outcome, and what decided it, in a few words."""
        subject = self.name if self.name.partition(":")[0] == self.kind else f"{self.kind} {self.name}"
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{subject}: {self.outcome}, contract {self.contract}{seed}"


@dataclass(frozen=True, slots=True)
class Cell:
    """What one report says of one rule: ``absent`` where it was not judged by; `causes` with a sentence for each."""

    outcome: str
    causes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule, and what each report says of it."""

    id: str
    title: str
    level: str
    clauses: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def relation(self) -> Relation:
        """How the reports that judged by the rule are to each other."""
        decided = [cell for cell in self.cells if cell.outcome in _DECIDED]
        if not decided:
            return "undecided"
        if len({(cell.outcome, frozenset(cell.causes)) for cell in decided}) > 1:
            return "differs"
        return "alike" if len(decided) == len(self.cells) else "open"


@dataclass(frozen=True)
class Comparison:
    """Reports side by side.  `partings` are where the second and later ones part from the first, given evidence."""

    columns: tuple[SubjectColumn, ...]
    rows: tuple[RuleRow, ...]
    partings: tuple[Partings, ...] = ()

    def having(self, relation: Relation) -> tuple[RuleRow, ...]:
        """The rows of which the reports are so to each other."""
        return tuple(row for row in self.rows if row.relation == relation)

    @property
    def differs(self) -> bool:
        """Whether any rule is decided differently, or any scenario goes another way."""
        return bool(self.having("differs")) or any(parting.found for parting in self.partings)


def comparison_of(
    reports: Sequence[Mapping[str, Any]], labels: Iterable[str], partings: tuple[Partings, ...] = ()
) -> Comparison:
    """The comparison of documents of the form of ``schemas/report.json``, in their order."""
    columns = tuple(
        SubjectColumn(
            label,
            report["subject"]["kind"],
            report["subject"]["name"],
            report["outcome"],
            report["contract"]["version"],
            report["run"]["seed"],
        )
        for label, report in zip(labels, reports, strict=True)
    )
    by_id = [{rule["id"]: rule for rule in report["rules"]} for report in reports]
    described = {name: rule for rules in reversed(by_id) for name, rule in rules.items()}
    rows = tuple(
        RuleRow(
            name,
            described[name]["title"],
            described[name]["level"],
            tuple(described[name]["clauses"]),
            tuple(_cell(rules.get(name)) for rules in by_id),
        )
        for name in sorted(described)
    )
    return Comparison(columns, rows, partings)


def _cell(rule: Mapping[str, Any] | None) -> Cell:
    if rule is None:
        return Cell("absent", {})
    causes: dict[str, str] = {}
    for violation in rule["violations"]:
        causes.setdefault(violation["cause"], violation["message"])
    return Cell(rule["outcome"], causes)


def document(comparison: Comparison) -> dict[str, Any]:
    """The comparison as ``schemas/comparison.json`` describes it."""
    return {
        "version": 1,
        "differs": comparison.differs,
        "subjects": [
            {
                "label": column.label,
                "kind": column.kind,
                "name": column.name,
                "outcome": column.outcome,
                "contract": column.contract,
                "seed": column.seed,
            }
            for column in comparison.columns
        ],
        "rules": [
            {
                "id": row.id,
                "title": row.title,
                "level": row.level,
                "clauses": list(row.clauses),
                "relation": row.relation,
                "cells": [{"outcome": cell.outcome, "causes": dict(cell.causes)} for cell in row.cells],
            }
            for row in comparison.rows
        ],
        "partings": [parting.document() for parting in comparison.partings],
    }
