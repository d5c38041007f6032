"""Rules that fail for one reason are one group; distinct defects are several."""

from __future__ import annotations

from report_samples import READ, WRITE, Rule, failed, passed, run_report

from conformance.facts import Evidence
from conformance.http.exchange import Request
from conformance.judging.groups import failure_groups
from conformance.judging.summary import RunReport
from conformance.judging.verdict import Violation

A, B, C = Rule("a"), Rule("b"), Rule("c")


def violation(cause: str, symptom: str = "") -> Violation:
    return Violation(f"message of {cause}", "/x", "e", (), cause, symptom=symptom)


def grouped(report: RunReport) -> list[list[str]]:
    return [sorted({rule.id for rule, _ in group.members}) for group in failure_groups(report)]


def test_rules_that_fail_over_the_same_wrong_value_are_one_group() -> None:
    verdicts = (failed("a", violation("a one", "s")), failed("b", violation("b one", "s")))
    assert grouped(run_report(verdicts, (A, B))) == [["a", "b"]]


def test_what_one_cause_shows_elsewhere_belongs_to_the_same_group() -> None:
    verdicts = (
        failed("a", violation("a one", "s")),
        failed("b", violation("b one", "s")),
        failed("b", violation("b one", "elsewhere")),
        failed("c", violation("c one", "elsewhere")),
    )
    assert grouped(run_report(verdicts, (A, B, C))) == [["a", "b", "c"]]


def test_distinct_defects_of_one_rule_are_several_groups() -> None:
    verdicts = (failed("a", violation("a one", "s")), failed("a", violation("a two", "t")))
    assert grouped(run_report(verdicts, (A,))) == [["a"], ["a"]]


def test_what_counts_comes_before_what_is_a_warning_and_the_page_before_its_neighbours() -> None:
    rules = (Rule("weak", level="should"), Rule("near", clauses=("2.2.a",)), Rule("page"))
    verdicts = tuple(failed(rule.id, violation(rule.id)) for rule in rules)
    assert grouped(run_report(verdicts, rules)) == [["page"], ["near"], ["weak"]]


def shown(cause: str, kind: str, value: object) -> Violation:
    """A violation by a reading that shows `value` after a write that asked for `kind`."""
    body = f'{{"event_id":"{cause}","summary":"s","start":"2026-05-01","end":"2026-05-02","conferencing":{kind}}}'
    write = Request("POST", WRITE.url, WRITE.headers, body.encode())
    observation = {"state": "none"} if value is None else {"state": "malformed", "conferencing": value}
    evidence = (Evidence("#1", write, 202, at=1.0), Evidence("#2", READ, 200, observation, 2.0))
    return Violation(f"message of {cause}", "/after/settled/state", cause, evidence, cause, shown_by="#2")


def test_an_emulator_that_echoes_its_requests_has_one_defect() -> None:
    verdicts = (
        failed("a", shown("a default", '{"profile_id":"default"}', {"profile_id": "default"})),
        failed("b", shown("b integrated", '{"profile_id":"integrated"}', {"profile_id": "integrated"})),
        passed("b"),
        failed("c", shown("c none", '{"profile_id":"none"}', {"odd": True})),
    )
    report = run_report(verdicts, (A, B, C))
    assert grouped(report) == [["a", "b"], ["c"]]
    assert failure_groups(report)[0].headline == (
        "Readings give back conferencing exactly as it was sent, and never what comes of it"
    )


def test_what_never_works_is_one_defect_and_what_works_at_times_is_several() -> None:
    verdicts = (
        failed("a", shown("a default", '{"profile_id":"default"}', None)),
        failed("b", shown("b explicit", '{"profile_id":"explicit"}', None)),
    )
    assert grouped(run_report(verdicts, (A, B))) == [["a", "b"]]
    assert grouped(run_report((*verdicts, passed("b")), (A, B))) == [["a"], ["b"]]


def test_what_is_never_refused_is_one_defect_of_its_rule() -> None:
    def answered(cause: str, status: str) -> Violation:
        return Violation(f"message of {cause}", "/response/status", None, (), cause, actual=status)

    verdicts = (
        failed("a", answered("a read 200", "200")),
        failed("a", answered("a write 202", "202")),
        failed("b", answered("b write 202", "202")),
    )
    assert grouped(run_report(verdicts, (A, B))) == [["a"], ["b"]]
    assert grouped(run_report((*verdicts, passed("a")), (A, B))) == [["a"], ["a"], ["b"]]
