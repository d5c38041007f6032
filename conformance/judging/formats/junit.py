"""The report as JUnit XML: a test case for each rule, inconclusive and untested ones skipped with their reason."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats.failures import Failure, actual, closing, failures, outcome_line, where

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.report import Tally
    from conformance.judging.summary import RunReport

__all__ = ["render"]


def render(run_report: RunReport) -> str:
    """One ``testsuites`` document, a suite for each party that rules apply to; without times."""
    root = ET.Element("testsuites", name=visible(f"{run_report.subject['kind']} {run_report.subject['name']}"))
    found = {failure.rule.id: failure for failure in failures(run_report)}
    for party in sorted({rule.applies_to for rule in run_report.rules}, reverse=True):
        rules = [rule for rule in run_report.rules if rule.applies_to == party]
        suite = ET.SubElement(root, "testsuite", name=f"{run_report.tool['name']}.{party}")
        _properties(suite, run_report)
        for rule in rules:
            _case(suite, run_report, rule, found.get(rule.id))
        output = ET.SubElement(suite, "system-out")
        output.text = f"{closing(run_report)}\n{outcome_line(run_report)}\n"
        _count(suite, run_report, rules)
    _count(root, run_report, list(run_report.rules))
    ET.indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _properties(suite: ET.Element, run_report: RunReport) -> None:
    properties = ET.SubElement(suite, "properties")
    values = {
        "subject": f"{run_report.subject['kind']} {run_report.subject['name']}",
        "contract": f"{run_report.contract['version']} {run_report.contract['sha256']}",
        "outcome": run_report.outcome,
        "fully_covered": str(run_report.fully_covered).lower(),
    }
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=visible(value))


def _count(element: ET.Element, run_report: RunReport, rules: list[Rule]) -> None:
    outcomes = [run_report.report.tally(rule.id).outcome for rule in rules]
    element.set("tests", str(len(rules)))
    element.set("failures", str(outcomes.count("failed")))
    element.set("errors", "0")
    if element.tag == "testsuite":
        element.set("skipped", str(outcomes.count("inconclusive") + outcomes.count("untested")))


def _case(suite: ET.Element, run_report: RunReport, rule: Rule, failure: Failure | None) -> None:
    tally = run_report.report.tally(rule.id)
    case = ET.SubElement(suite, "testcase", classname=f"{rule.applies_to}.{rule.level}", name=rule.id)
    if tally.outcome == "failed":
        message = actual(rule, tally.violations[0]) if tally.violations else rule.title
        element = ET.SubElement(case, "failure", type=rule.level, message=visible(message))
        element.text = "\n".join(["", *_details(rule, tally, failure), ""])
    elif tally.outcome != "passed":
        reason = f"{tally.outcome}: {run_report.reason(rule)}"
        ET.SubElement(case, "skipped", message=visible(reason))


def _details(rule: Rule, tally: Tally, failure: Failure | None) -> Iterator[str]:
    yield f"expected: {visible(rule.title)}"
    yield f"clauses: {', '.join(rule.clauses)}"
    yield f"failed: {tally.failed}"
    for violation in tally.violations:
        yield f"actual: {actual(rule, violation)}"
        yield f"where: {where(violation)}"
    for step in () if failure is None else failure.steps:
        yield f"{step.label}  {step.line}"
        if step.shown is not None:
            yield f"response: {step.shown}"
        yield visible(step.command, lines=True)
