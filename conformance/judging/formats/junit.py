"""The report as JUnit XML: a test case for each rule.

A rule that failed and counts is a failure, a warning is in ``system-out``; an open rule is skipped with its reason, or
an error where it keeps the outcome from being *passed*.  A run that ended early has a test case of its own.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.formats import text
from conformance.judging.formats.failures import (
    Failure,
    actual,
    closing,
    failures,
    headline,
    outcome_line,
    status,
    subject_name,
)

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.report import Tally
    from conformance.judging.summary import RunReport

__all__ = ["render"]

#: How many characters of a value are quoted.
_LONGEST = 2_000


def render(run_report: RunReport) -> str:
    """One ``testsuites`` document, a suite for each party that rules apply to; without times."""
    root = ET.Element("testsuites", name=subject_name(run_report))
    found: dict[str, Failure] = {}
    for failure in failures(run_report):
        for rule in (failure.rule, *failure.also):
            if rule.id not in found or rule is failure.rule:
                found[rule.id] = failure
    for party in sorted({rule.applies_to for rule in run_report.rules}, reverse=True):
        rules = [rule for rule in run_report.rules if rule.applies_to == party]
        suite = ET.SubElement(root, "testsuite", name=f"{run_report.tool['name']}.{party}")
        _properties(suite, run_report)
        for rule in rules:
            _case(suite, run_report, rule, found.get(rule.id))
        if run_report.outcome != "passed" and not any(run_report.is_fatal(rule) for rule in run_report.rules):
            case = ET.SubElement(suite, "testcase", classname=f"{party}.run", name="the-run-is-conclusive")
            ET.SubElement(case, "error", type=run_report.outcome, message=outcome_line(run_report))
        output = ET.SubElement(suite, "system-out")
        output.text = "\n".join([*headline(run_report), closing(run_report), outcome_line(run_report), ""])
        _count(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode") + "\n"


def _properties(suite: ET.Element, run_report: RunReport) -> None:
    properties = ET.SubElement(suite, "properties")
    values = {
        "subject": subject_name(run_report),
        "contract": f"{run_report.contract['version']} {run_report.contract['sha256']}",
        "outcome": run_report.outcome,
        "fully_covered": str(run_report.fully_covered).lower(),
    }
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=visible(value))


def _count(suite: ET.Element) -> None:
    counted = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error"}
    for name, path in {**counted, "skipped": "testcase/skipped"}.items():
        suite.set(name, str(len(suite.findall(path))))


def _case(suite: ET.Element, run_report: RunReport, rule: Rule, failure: Failure | None) -> None:
    tally = run_report.report.tally(rule.id)
    test = ET.SubElement(suite, "testcase", classname=f"{rule.applies_to}.{rule.level}", name=rule.id)
    match status(run_report, rule):
        case "failed":
            message = actual(rule, tally.violations[0]) if tally.violations else visible(rule.title)
            if failure is not None and failure.rule.id == rule.id:
                message = failure.headline
            element = ET.SubElement(test, "failure", type=rule.level, message=message)
            element.text = "\n".join(["", *_details(rule, tally, failure), ""])
        case "known":
            ET.SubElement(test, "skipped", message="known failure: the baseline has its reason")
        case "warning":
            output = ET.SubElement(test, "system-out")
            output.text = "\n".join([f"warning: {rule.level}", *_details(rule, tally, failure), ""])
        case ("inconclusive" | "untested") as outcome:
            message = visible(f"{outcome}: {run_report.reason(rule)}")
            if run_report.is_fatal(rule):
                ET.SubElement(test, "error", type=outcome, message=message)
            else:
                ET.SubElement(test, "skipped", message=message)


def _details(rule: Rule, tally: Tally, failure: Failure | None) -> Iterator[str]:
    """The failure as in the text report; of a rule that fails for another rule's reason, its own values."""
    yield f"rule: {visible(rule.title)} ({rule.level}, {', '.join(rule.clauses)})"
    own = failure is not None and failure.rule.id == rule.id
    if failure is not None and not own:
        yield f"for the same reason as {failure.rule.id}: {failure.headline}"
    for violation in () if own else tally.violations[:1]:
        if violation.expected not in ("", rule.title):
            yield f"expected: {visible(violation.expected)[:_LONGEST]}"
        yield f"got: {visible(violation.actual or violation.message)[:_LONGEST]}"
    if failure is not None and own:
        yield from text.note(failure)
        if failure.script is not None:
            yield visible(failure.script.whole.rstrip("\n"), lines=True)
