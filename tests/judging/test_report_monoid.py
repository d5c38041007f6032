from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_samples import Rule, Violation, verdict

from conformance.judging.report import KEPT, Report, Tally, Unjudged
from conformance.judging.verdict import Verdict

#: A machine with other work to do makes reports slowly.
patiently = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)

NAMES = ("a", "b", "c")
RULES = tuple(Rule(name) for name in NAMES)


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    rule = draw(st.sampled_from(NAMES))
    outcome = draw(st.sampled_from(("passed", "failed", "failed", "inconclusive")))
    if outcome == "failed":
        cause = draw(st.sampled_from("uvwxyz"))
        return verdict(rule, outcome, violation=Violation(str(draw(st.integers(0, 99))), cause=cause))
    if outcome == "inconclusive":
        return verdict(rule, outcome, reason=draw(st.sampled_from(("superseded", "timed-out", "unknown"))))
    return verdict(rule, outcome, cases=tuple(draw(st.lists(st.sampled_from(("google", "pending")), unique=True))))


lists = st.lists(verdicts(), max_size=60)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    report = Report.empty(RULES).with_judgements([(draw(lists), 1)]).with_exchanges(draw(st.integers(0, 5)))
    for label in draw(st.lists(st.sampled_from("#12345678"), max_size=8)):
        report = report.with_unjudged(Unjudged(label, "KeyError"))
    return report


@patiently
@given(reports(), reports(), reports())
def test_addition_of_reports_is_associative(left: Report, middle: Report, right: Report) -> None:
    assert (left + middle) + right == left + (middle + right)


@patiently
@given(reports())
def test_the_empty_report_is_the_identity_of_addition(report: Report) -> None:
    assert Report.empty(RULES) + report == report == report + Report.empty(RULES)


@settings(max_examples=300)
@given(lists, st.integers(0, 60))
def test_parts_that_are_judged_apart_add_up_to_the_whole(everything: list[Verdict], cut: int) -> None:
    whole = Report.empty(RULES).with_judgements([(everything, 1)])
    parts = Report.empty(RULES).with_judgements([(everything[:cut], 1)]) + Report.empty(RULES).with_judgements(
        [(everything[cut:], 1)]
    )
    assert parts == whole


@given(st.lists(lists.map(tuple), max_size=8), st.lists(st.integers(0, 7), max_size=30))
def test_repeated_judgements_count_each_time(judgements: list[tuple[Verdict, ...]], order: list[int]) -> None:
    settled = [tuple(one for one in judgement if one.outcome != "failed") for judgement in judgements]
    coming = [settled[place] for place in order if place < len(settled)]
    flat = [verdict for judgement in coming for verdict in judgement]
    times = {place: order.count(place) for place in order if place < len(settled)}
    counted = [(settled[place], count) for place, count in times.items()]
    assert Report.empty(RULES).with_judgements(counted) == Report.empty(RULES).with_judgements([(flat, 1)])


@given(lists)
def test_counts_say_how_many_verdicts_there_were(everything: list[Verdict]) -> None:
    report = Report.empty(RULES).with_judgements([(everything, 1)])
    assert sum(t.passed + t.failed + t.inconclusive for t in report.tallies.values()) == len(everything)
    assert all(sum(t.reasons.values()) == t.inconclusive for t in report.tallies.values())


def test_a_report_is_not_changed_by_what_is_made_of_it() -> None:
    report = Report.empty(RULES)
    more = report.with_judgements([([verdict("a", "passed", cases=("google",))], 1)]).with_exchanges(3)
    assert (report, more) == (Report.empty(RULES), Report({**report.tallies, "a": Tally(1, cases={"google": 1})}, 3))
    with pytest.raises(TypeError):
        more.tallies["a"] = Tally()  # type: ignore[index]


def test_each_cause_is_reported_before_a_second_violation_of_one_cause() -> None:
    many = [verdict("a", "failed", violation=Violation(str(number), cause="frequent")) for number in range(200)]
    rare = verdict("a", "failed", violation=Violation("rare", cause="rare"))
    tally = Report.empty(RULES).with_judgements([([*many, rare], 1)]).tally("a")
    assert tally.failed == 201
    assert [violation.message for violation in tally.violations] == [*map(str, range(KEPT - 1)), "rare"]


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((), ("untested", None)),
        ((("passed", None),), ("passed", None)),
        ((("inconclusive", "superseded"),), ("inconclusive", "superseded")),
        ((("inconclusive", "superseded"), ("passed", None)), ("passed", None)),
        ((("inconclusive", "timed-out"), ("passed", None)), ("inconclusive", "timed-out")),
        (
            (("inconclusive", "superseded"), ("inconclusive", "superseded"), ("inconclusive", "unknown")),
            ("inconclusive", "superseded"),
        ),
        (
            (("inconclusive", "superseded"), ("inconclusive", "superseded"), ("inconclusive", "timed-out")),
            ("inconclusive", "timed-out"),
        ),
        ((("failed", None), ("passed", None), ("inconclusive", "timed-out")), ("failed", None)),
    ],
)
def test_verdicts_of_a_rule_are_aggregated_as_the_aggregation_law_says(
    outcomes: tuple[tuple[str, str | None], ...], expected: tuple[str, str | None]
) -> None:
    verdicts = [verdict("a", outcome, reason, violation=Violation("x")) for outcome, reason in outcomes]
    tally = Report.empty(RULES).with_judgements([(verdicts, 1)]).tally("a")
    assert (tally.outcome, tally.reason) == expected


def test_a_failure_without_a_violation_counts_too() -> None:
    tally = Report.empty(RULES).with_judgements([([verdict("a", "failed")], 1)]).tally("a")
    assert (tally.failed, tally.violations, tally.outcome) == (1, (), "failed")
