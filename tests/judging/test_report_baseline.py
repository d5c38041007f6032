"""When an entry of a baseline is stale: only if all in which its failure was seen was exercised again, and passed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from report_samples import Rule, Violation, run_report

from conformance.judging.baseline import Baseline, KnownFailure
from conformance.judging.report import KEPT_CAUSES, Report
from conformance.judging.summary import Policy
from conformance.judging.verdict import Verdict

RULE = Rule("kept", cases=("created", "updated"))
TODAY = date(2026, 5, 1)


def passing(*cases: str, requested: str = "explicit") -> Verdict:
    return Verdict("kept", "passed", None, cases, None, requested)


def failing(cause: str, *cases: str, requested: str = "explicit") -> Verdict:
    return Verdict("kept", "failed", None, cases, Violation("wrong", cause=cause), requested)


def stale(entry: KnownFailure, *verdicts: Verdict, **run: Any) -> bool:
    report = Report.empty((RULE,)).with_judgements([(verdicts, 1)])
    return Baseline("b", TODAY, (entry,)).stale(report, (RULE,), run) == (entry,)


SEEN = KnownFailure("kept", "one", cases=("updated",), requested=("explicit",))


@pytest.mark.parametrize(
    ("verdicts", "gone"),
    [
        ([passing("updated")], True),
        ([passing("updated"), failing("another", "created")], True),
        ([passing("created")], False),
        ([passing("updated", requested="default")], False),
        ([passing("updated"), failing("one", "updated")], False),
        ([failing("another", "updated")], False),
        ([], False),
    ],
)
def test_an_entry_is_stale_only_where_its_class_and_its_request_passed(verdicts: list[Verdict], gone: bool) -> None:
    assert stale(SEEN, *verdicts) is gone


@pytest.mark.parametrize(
    ("run", "gone"),
    [
        ({"max_examples": 50, "seed": 7}, True),
        ({"max_examples": 80, "seed": 7}, True),
        ({"max_examples": 50, "seed": 8}, False),
        ({"max_examples": 0, "seed": 7}, False),
        ({}, False),
    ],
)
def test_what_generated_scenarios_showed_is_stale_only_after_the_same_scenarios(
    run: dict[str, Any], gone: bool
) -> None:
    assert stale(KnownFailure("kept", "one", examples=50, seed=7), passing(), **run) is gone


def test_every_cause_is_known_beyond_the_violations_that_are_kept() -> None:
    verdicts = tuple(failing(f"cause-{number:02}", "created") for number in range(30))
    report = Report.empty((RULE,)).with_judgements([(verdicts, 1)])
    written = Baseline("b", TODAY).rewritten(report, (RULE,), {})
    assert len(written.entries) == 30
    known = run_report(verdicts, (RULE,), Policy(baseline=written))
    assert (known.outcome, known.known, known.failures) == ("passed", (RULE,), ())
    less = Baseline("b", TODAY, written.entries[:-1])
    assert run_report(verdicts, (RULE,), Policy(baseline=less)).failures == (RULE,)


def test_a_rule_with_too_many_causes_is_never_known_as_a_whole() -> None:
    verdicts = tuple(failing(f"word-{number}", "created") for number in range(3 * KEPT_CAUSES))
    report = Report.empty((RULE,)).with_judgements([(verdicts, 1)])
    assert len(report.tally("kept").causes) == KEPT_CAUSES
    parts = [Report.empty((RULE,)).with_judgements([(verdicts[part::3], 1)]) for part in range(3)]
    assert parts[2] + parts[0] + parts[1] == parts[2] + (parts[0] + parts[1])
    assert (parts[0] + parts[1] + parts[2]).tally("kept").causes == report.tally("kept").causes
    written = Baseline("b", TODAY).rewritten(report, (RULE,), {})
    assert run_report(verdicts, (RULE,), Policy(baseline=written)).failures == (RULE,)


def test_a_baseline_is_the_same_from_its_document() -> None:
    entry = KnownFailure("kept", "one", "why", TODAY, ("updated",), ("explicit",), 3, 0)
    baseline = Baseline("b", TODAY, (entry, SEEN))
    assert Baseline.from_document(baseline.document()) == baseline


def test_an_entry_counts_until_its_last_day_is_over() -> None:
    entry = KnownFailure("kept", "one", until=TODAY)
    assert Baseline("b", TODAY, (entry,)).knows("kept", "one")
    assert not Baseline("b", date(2026, 5, 2), (entry,)).knows("kept", "one")
