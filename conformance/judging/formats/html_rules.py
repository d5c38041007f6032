"""The rules in the HTML report: a table of their outcomes, and an explanation of each to which everything links."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from conformance.contract import examples
from conformance.contract.prose import part_in_words
from conformance.contract.rules import load_clauses
from conformance.contract.selection import clauses_page
from conformance.judging.formats.failures import status
from conformance.judging.formats.html_failure import link, text_of

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport

__all__ = ["explanations", "table"]

_COUNTS = ("passed", "failed", "inconclusive")
_PARTS = {"if": "It applies if", "then": "Then this holds", "x-conclusive-when": "A pass is conclusive if"}


def table(run_report: RunReport) -> Iterator[str]:
    """A row for each rule, those that passed last."""
    numbers = "".join(f'<th class="number" scope="col">{name}</th>' for name in _COUNTS)
    words = "".join(f'<th scope="col">{name}</th>' for name in ("outcome", "rule", "applies to", "level", "clauses"))
    yield '<div class="table" tabindex="0" role="region" aria-label="Outcome of each rule"><table>'
    yield f'<thead><tr>{words}{numbers}<th scope="col">reason</th></tr></thead>'
    yield "<tbody>"
    yield from (_row(run_report, rule) for rule in run_report.rules)
    yield "</tbody></table></div>"


def _row(run_report: RunReport, rule: Rule) -> str:
    tally = run_report.report.tally(rule.id)
    outcome = status(run_report, rule)
    cells = [
        f'<td class="{outcome}">{outcome}</td>',
        f'<td class="id">{link(rule)}</td>',
        *(f"<td>{text_of(value)}</td>" for value in (rule.applies_to, rule.level, ", ".join(rule.clauses))),
        *(f'<td class="number">{count}</td>' for count in (tally.passed, tally.failed, tally.inconclusive)),
        f"<td>{text_of(run_report.reason(rule) or '')}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def explanations(rules: Iterable[Rule], failures: Mapping[str, Sequence[int]] = MappingProxyType({})) -> Iterator[str]:
    """When each rule applies, what must hold, its clauses, and an example that keeps it and one that breaks it.

    `failures` are the numbers of the failures that name a rule, by its id: each leads back to them.
    """
    for rule in rules:
        yield f'<details id="rule-{text_of(rule.id)}"><summary>{text_of(rule.id)}: {text_of(rule.title)}</summary>'
        yield "<dl>"
        for part, heading in _PARTS.items():
            if part in rule.schema:
                lines = "\n".join(part_in_words(rule, part)) or "always"
                yield f'<dt>{heading}</dt><dd><pre tabindex="0">{text_of_lines(lines)}</pre></dd>'
        for name in rule.clauses:
            yield f"<dt>Clause {text_of(name)}</dt><dd>{_clause(name)}</dd>"
        for expect, heading in (("passed", "Kept"), ("failed", "Broken")):
            example = examples.first(rule.id, expect)
            if example is not None:
                facts = f'<pre tabindex="0">{text_of_lines(_facts(example.facts))}</pre>'
                yield f"<dt>{heading}</dt><dd>{text_of(example.title)}{facts}</dd>"
        back = ", ".join(f'<a href="#failure-{number}">failure {number}</a>' for number in failures.get(rule.id, ()))
        yield f"<dt>Back to</dt><dd>{back}</dd></dl></details>" if back else "</dl></details>"


def text_of_lines(text: str) -> str:
    """Text of several lines as HTML."""
    return "\n".join(map(text_of, text.split("\n")))


def _facts(facts: dict[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=1)


def _clause(name: str) -> str:
    clause = load_clauses().get(name)
    if clause is None:
        return ""
    address = clause.get("source", clauses_page())
    return f'{text_of(clause["about"])} (<a href="{text_of(address)}">{text_of(clause["section"])}</a>)'
