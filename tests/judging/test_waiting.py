"""Conferencing that stays pending: a report says how much of it, since when, and what it leaves open."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs
from report_samples import READ, WRITE, Rule, Violation, failed, inconclusive, passed, run_report

from conformance.contract.rules import case_words
from conformance.contract.selection import select_rules
from conformance.facts import Evidence, Facts
from conformance.judging.exercised import ExerciseLog
from conformance.judging.formats import html, markdown, text
from conformance.judging.formats.gaps import coverage_gaps
from conformance.judging.report import Report
from conformance.judging.verdict import Verdict

RULE = Rule("explicit-is-kept")


def written(event: str, requested: str, after: dict[str, object], until: float = 61.0) -> Facts:
    """The closed facts of a write, read from the first second on until `until`."""
    shown = {"state": "pending", "conferencing": {"pending": True}}
    evidence = (Evidence("#1", WRITE, 202, at=1000.0), Evidence("#2", READ, 200, shown, 1001.0, until=1000.0 + until))
    document = {"about": "write", "account": "a", "event_id": event, "requested": requested, "after": after}
    return Facts("write", ("write", event), document, evidence, closed=True)


def logged(*facts: Facts) -> ExerciseLog:
    log = ExerciseLog()
    for one in facts:
        log.note(one, ())
    return log


PENDING = {"timed_out": True}
STUCK = (written("e1", "default", PENDING), written("e2", "profile", PENDING, until=75.0))
CAME = written("e3", "default", {"stable": {"state": "assigned"}})
KEPT = written("e5", "default", {"stable": {"state": "assigned", "join_url_as_before": True}})
OTHER = written("e4", "explicit", {"stable": {"state": "assigned"}})


def test_what_stayed_pending_is_counted_beside_what_came_of_the_same_requests() -> None:
    assert logged(*STUCK, OTHER, KEPT).taken.waiting.sentence() == (
        "No requested conference came: 2 of 2 writes (default 1, a conferencing profile 1) still show "
        '{"pending": true} after 61 s'
    )
    some = logged(STUCK[0], CAME).taken + logged(STUCK[0]).taken
    assert some.waiting.sentence() == (
        'Some requested conferences did not come: 2 of 3 writes (default 2) still show {"pending": true} after 61 s'
    )


def test_the_first_of_those_that_stayed_pending_is_shown_however_its_run_was_divided() -> None:
    def placed(facts: Facts, place: float) -> Facts:
        return structs.replace(facts, place=(place,))

    later, sooner = (
        Report(exercised=logged(placed(one, place)).taken) for one, place in zip(STUCK, (2.0, 1.0), strict=True)
    )
    divided, another = Report.together([later, sooner]), Report(exercised=logged(written("e6", "none", PENDING)).taken)
    for report, event in ((divided, "e2"), (divided + another, "e2"), (another + divided, "e6")):
        example = report.exercised.waiting.example
        assert example is not None
        assert example.event == event


def test_a_report_says_what_stayed_pending_only_where_that_leaves_a_rule_open() -> None:
    def told(verdict: Verdict) -> list[str]:
        report = run_report((verdict,), (RULE,))
        report = replace(report, report=report.report.with_exercised(logged(*STUCK).taken))
        return [text.render(report), html.render(report), markdown.render(report)]

    for one in told(inconclusive(RULE.id, "timed-out")):
        assert "1 rule cannot be decided" in one
        assert "Undecided: conferencing stayed pending" in one
        assert all(part in one for part in ("e1", "the event shows pending", "still at 61"))
    assert not any("stayed pending" in one for one in told(passed(RULE.id)))


def test_gaps_that_follow_from_a_failure_are_one_line_and_classes_are_told_in_words() -> None:
    rules = (RULE, Rule("b", cases=("before-generated",)), Rule("c"), Rule("d"), Rule("e"))
    violation = Violation("It is odd", "/x", "e1", (), "one")
    verdicts = (failed(RULE.id, violation), passed("b"), inconclusive("d", "unknown"))
    lines = {folded: coverage_gaps(run_report(verdicts, rules), folded=folded) for folded in (True, False)}
    unsaid = ("d", "the responses do not say enough")
    assert lines[True] == (
        ("3 rules", "not checked, or not in every case, most likely because of failure 1"), unsaid,
    )  # fmt: skip
    assert sorted({*lines[False]} - {unsaid}, reverse=True) == [
        ("b", "no pass covers an event that already had a generated conference"),
        ("2 rules", "nothing in the traffic meets the condition"),
    ]  # fmt: skip
    green = run_report((passed(RULE.id), passed("b")), rules[:3])
    assert coverage_gaps(green, folded=True) == coverage_gaps(green)


def test_every_coverage_class_has_words() -> None:
    classes = {case for rule in select_rules(()) for case in rule.cases}
    assert [case for case in classes if case_words(case) == case] == []
