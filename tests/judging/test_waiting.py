"""Conferencing that stays pending: a report says how much of it, since when, and what it leaves open."""

from __future__ import annotations

from dataclasses import replace

from report_samples import READ, WRITE, Rule, inconclusive, passed, run_report

from conformance.facts import Evidence, Facts
from conformance.judging.exercised import ExerciseLog
from conformance.judging.formats import html, markdown, text
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
OTHER = written("e4", "explicit", {"stable": {"state": "assigned"}})


def test_what_stayed_pending_is_counted_beside_what_came_of_the_same_requests() -> None:
    assert logged(*STUCK, OTHER).taken.waiting.sentence() == (
        "No requested conference came: 2 of 2 writes (default 1, a conferencing profile 1) still show "
        '{"pending": true} after 61 s'
    )
    some = logged(STUCK[0], CAME).taken + logged(STUCK[0]).taken
    assert some.waiting.sentence() == (
        'Some requested conferences did not come: 2 of 3 writes (default 2) still show {"pending": true} after 61 s'
    )


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
