"""The report as JUnit XML: a test case for each rule, inconclusive and untested ones skipped with their reason."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import Failure, closing, failures, outcome_line, seen, where

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.report import Tally
    from conformance.judging.summary import RunReport

__all__ = ["render"]


def render(statement: RunReport) -> str:
    """One ``testsuites`` document, a suite for each party that the rules bind; times are not told."""
    root = ET.Element("testsuites", name=visible(f"{statement.subject['kind']} {statement.subject['name']}"))
    found = {failure.rule.id: failure for failure in failures(statement)}
    for party in sorted({rule.applies_to for rule in statement.rules}, reverse=True):
        rules = [rule for rule in statement.rules if rule.applies_to == party]
        suite = ET.SubElement(root, "testsuite", name=f"{statement.tool['name']}.{party}")
        _properties(suite, statement)
        for rule in rules:
            _case(suite, statement, rule, found.get(rule.id))
        output = ET.SubElement(suite, "system-out")
        output.text = f"{closing(statement)}\n{outcome_line(statement)}\n"
        _count(suite, statement, rules)
    _count(root, statement, list(statement.rules))
    ET.indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _properties(suite: ET.Element, statement: RunReport) -> None:
    properties = ET.SubElement(suite, "properties")
    told = {
        "subject": f"{statement.subject['kind']} {statement.subject['name']}",
        "contract": f"{statement.contract['version']} {statement.contract['sha256']}",
        "outcome": statement.outcome,
        "fully_covered": str(statement.fully_covered).lower(),
    }
    for name, value in told.items():
        ET.SubElement(properties, "property", name=name, value=visible(value))


def _count(element: ET.Element, statement: RunReport, rules: list[Rule]) -> None:
    outcomes = [statement.report.tally(rule.id).outcome for rule in rules]
    element.set("tests", str(len(rules)))
    element.set("failures", str(outcomes.count("failed")))
    element.set("errors", "0")
    if element.tag == "testsuite":
        element.set("skipped", str(outcomes.count("inconclusive") + outcomes.count("untested")))


def _case(suite: ET.Element, statement: RunReport, rule: Rule, failure: Failure | None) -> None:
    tally = statement.report.tally(rule.id)
    case = ET.SubElement(suite, "testcase", classname=f"{rule.applies_to}.{rule.level}", name=rule.id)
    if tally.outcome == "failed":
        message = seen(rule, tally.violations[0]) if tally.violations else rule.title
        element = ET.SubElement(case, "failure", type=rule.level, message=visible(message))
        element.text = "\n".join(["", *_details(rule, tally, failure), ""])
    elif tally.outcome != "passed":
        reason = f"{tally.outcome}: {statement.reason(rule)}"
        ET.SubElement(case, "skipped", message=visible(reason))


def _details(rule: Rule, tally: Tally, failure: Failure | None) -> Iterator[str]:
    yield f"expected: {visible(rule.title)}"
    yield f"clauses: {', '.join(rule.clauses)}"
    yield f"failed: {tally.failed}"
    for violation in tally.violations:
        yield f"seen: {seen(rule, violation)}"
        yield f"where: {where(violation)}"
    for step in () if failure is None else failure.steps:
        yield f"{step.label}  {step.line}"
        if step.shown is not None:
            yield f"said: {step.shown}"
        yield visible(step.command, lines=True)
