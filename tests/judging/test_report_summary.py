from __future__ import annotations

import dataclasses

import jsonschema
import pytest
from report_samples import (
    BROKEN,
    RULES,
    Rule,
    failed,
    hostile,
    inconclusive,
    passed,
    run_report,
)

from conformance.contract import schemas
from conformance.contract.digest import contract_of
from conformance.judging.summary import Policy, document
from conformance.judging.verdict import Verdict

MUST = Rule("m")
SHOULD = Rule("s", level="should")
INFERRED = Rule("i", level="inferred")
THREE = (MUST, SHOULD, INFERRED)
ALL_PASSED = (passed("m"), passed("s"), passed("i"))


def _breaking(*names: str) -> tuple[Verdict, ...]:
    return (*ALL_PASSED, *(failed(name, BROKEN) for name in names))


@pytest.mark.parametrize(
    ("verdicts", "policy", "expected"),
    [
        (ALL_PASSED, Policy(), ("passed", 0)),
        (ALL_PASSED, Policy(require_coverage=True), ("passed", 0)),
        (_breaking("m"), Policy(), ("failed", 1)),
        (_breaking("s"), Policy(), ("passed", 0)),
        (_breaking("s"), Policy(fail_on="should"), ("failed", 1)),
        (_breaking("m"), Policy(fail_on="should"), ("failed", 1)),
        (_breaking("i"), Policy(fail_on="should"), ("passed", 0)),
        (_breaking("i"), Policy(fail_on="inferred"), ("failed", 1)),
        ((inconclusive("m", "superseded"),), Policy(), ("inconclusive", 3)),
        ((inconclusive("s", "timed-out"), passed("m"), passed("i")), Policy(), ("passed", 0)),
        ((failed("s", BROKEN), inconclusive("m", "timed-out")), Policy(), ("inconclusive", 3)),
        ((failed("m", BROKEN), inconclusive("m", "timed-out")), Policy(), ("failed", 1)),
        ((passed("s"), passed("i")), Policy(), ("passed", 0)),
        ((passed("s"), passed("i")), Policy(require_coverage=True), ("inconclusive", 3)),
        ((passed("m"),), Policy(require_coverage=True), ("passed", 0)),
        (ALL_PASSED, Policy(cut_short="the limit of 30 requests was reached"), ("inconclusive", 3)),
        (_breaking("m"), Policy(cut_short="the limit of 30 requests was reached"), ("failed", 1)),
        (ALL_PASSED, Policy(interrupted=True), ("inconclusive", 130)),
        (_breaking("m"), Policy(interrupted=True), ("failed", 130)),
        ((), Policy(), ("inconclusive", 3)),
        ((), Policy(is_run=False), ("inconclusive", 3)),
        ((failed("s", BROKEN),), Policy(), ("inconclusive", 3)),
        ((passed("s"), inconclusive("m", "recording-ended")), Policy(is_run=False), ("passed", 0)),
        ((inconclusive("m", "recording-ended"),), Policy(is_run=False), ("inconclusive", 3)),
        (
            (passed("s"), inconclusive("m", "recording-ended")),
            Policy(is_run=False, require_coverage=True),
            ("inconclusive", 3),
        ),
        (ALL_PASSED, Policy(unjudged="every write was refused with 403"), ("inconclusive", 2)),
        (_breaking("m"), Policy(unjudged="every write was refused with 403"), ("failed", 2)),
    ],
)
def test_outcome_and_exit_code(verdicts: tuple[Verdict, ...], policy: Policy, expected: tuple[str, int]) -> None:
    report = run_report(verdicts, THREE, policy)
    assert (report.outcome, report.exit_code) == expected


def test_coverage_gaps_are_listed_for_each_rule_and_class() -> None:
    report = run_report(policy=Policy(untested_reasons={"bearer-is-sent": "the subject is a server"}))
    assert report.coverage_gaps == (
        ("none-removes", "no pass covers microsoft"),
        ("profile-resolves", "conferencing was still pending at the settle time-out"),
        ("bearer-is-sent", "the subject is a server"),
    )
    assert not report.fully_covered


def test_a_coverage_class_that_the_subject_does_not_offer_is_no_gap() -> None:
    rules = RULES[:2]
    verdicts = (passed("explicit-is-kept", "google"), passed("none-removes", "google"))
    assert not run_report(verdicts, rules).fully_covered
    assert run_report(verdicts, rules, Policy(reachable_coverage=frozenset({"google"}))).fully_covered


def test_failures_that_are_too_weak_to_count_are_warnings() -> None:
    weak = run_report(_breaking("s", "i"), THREE, Policy(fail_on="should"))
    assert ([rule.id for rule in weak.failures], [rule.id for rule in weak.warnings]) == (["s"], ["i"])


def test_a_run_that_exercised_half_of_what_must_hold_at_most_says_so() -> None:
    rules = (MUST, Rule("n"), Rule("o"), SHOULD)
    assert run_report((passed("m"),), rules).is_mostly_untested
    assert not run_report((passed("m"), passed("n")), rules).is_mostly_untested


def test_a_run_that_was_cut_short_is_not_fully_covered() -> None:
    assert not run_report(ALL_PASSED, THREE, Policy(cut_short="the limit of 30 requests was reached")).fully_covered


def test_the_document_is_the_one_that_the_design_describes() -> None:
    parts = document(run_report(evidence={"sha256": "cd" * 32, "lines": ["ef" * 32]}))
    assert list(parts) == [
        "version", "tool", "subject", "run", "outcome", "fully_covered", "contract", "evidence", "rules",
        "coverage_gaps", "warnings",
    ]  # fmt: skip
    assert parts["rules"][0] == {
        "id": "explicit-is-kept",
        "title": "Explicit conferencing reads back with the join URL that was sent",
        "applies_to": "server",
        "level": "must",
        "clauses": ["B8"],
        "outcome": "failed",
        "counts": {"passed": 1, "failed": 1, "inconclusive": 0},
        "violations": [
            {
                "message": "An event reads back with another join URL than the one that was sent",
                "cause": "one",
                "expected": "https://sent.example.com",
                "actual": "https://other.example.com",
                "path": "/after/final",
                "event": "cal_1/evt_1",
                "timeline": [
                    {
                        "exchange": "#9",
                        "seconds": 0.0,
                        "action": "write",
                        "summary": "writes the event in an undocumented way",
                        "status": 202,
                        "earlier": True,
                        "broken": False,
                    },
                    {
                        "exchange": "#12",
                        "seconds": 60.0,
                        "action": "write",
                        "summary": "writes the event in an undocumented way",
                        "status": 202,
                        "earlier": False,
                        "broken": False,
                    },
                    {
                        "exchange": "#15",
                        "seconds": 72.5,
                        "action": "read",
                        "summary": "the event reads back with a conference, in a reading with calendar_ids[]",
                        "status": 200,
                        "conferencing": {"join_url": "https://other.example.com"},
                        "state": "assigned",
                        "earlier": False,
                        "broken": True,
                    },
                ],
                "exchanges": ["#12", "#15"],
                "curl": [
                    'curl -sS -i -g -X POST -H "Authorization: Bearer $CRONOFY_ACCESS_TOKEN" '
                    "-H 'Content-Type: application/json' "
                    "--url https://api.example.com/v1/calendars/cal_1/events "
                    "--data-raw '{\"summary\":\"It'\\''s été\"}'",
                    'curl -sS -i -g -H "Authorization: Bearer $CRONOFY_ACCESS_TOKEN_SECOND_ACCOUNT" '
                    "--url 'https://api.example.com/v1/events?tzid=Etc/UTC&calendar_ids[]=cal_1'",
                ],
            }
        ],
    }
    assert parts["rules"][3]["reason"] == "timed-out"
    assert parts["coverage_gaps"][-1] == {
        "rule": "bearer-is-sent",
        "reason": "nothing in the traffic meets the condition",
    }


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schemas.read("report"))


@pytest.mark.parametrize(
    "report", [run_report(), run_report(()), run_report(over=()), hostile()], ids=["all", "none", "empty", "hostile"]
)
def test_every_reportis_valid(report, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(document(report))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda parts: parts.update(outcome="undecided"),
        lambda parts: parts.update(extra=1),
        lambda parts: parts["contract"].update(sha256="AB"),
        lambda parts: parts["run"].pop("seed"),
        lambda parts: parts["run"].update(started_at="yesterday"),
        lambda parts: parts["rules"][0]["counts"].update(failed=0),
        lambda parts: parts["rules"][1]["counts"].update(failed=1),
        lambda parts: parts["rules"][3].pop("reason"),
        lambda parts: parts["rules"][0]["violations"][0].pop("curl"),
        lambda parts: parts["coverage_gaps"].append({"rule": "x"}),
    ],
)
def test_the_schema_refuses_a_reportthat_contradicts_itself(spoil, validator: jsonschema.Draft202012Validator) -> None:
    parts = document(run_report())
    spoil(parts)
    assert not validator.is_valid(parts)


def test_the_digest_of_the_contract_covers_rules_shared_schemas_and_clauses() -> None:
    clauses = {"B8": {"about": "explicit"}}
    shared = {"facts/write": {"$defs": {}}}
    contract = contract_of(RULES, clauses, shared, "2026-04-28")
    assert contract_of(tuple(reversed(RULES)), clauses, shared, "2026-04-28") == contract
    changed = (dataclasses.replace(RULES[0], schema={"then": False}), *RULES[1:])
    others = {
        contract_of(changed, clauses, shared, "2026-04-28")["sha256"],
        contract_of(RULES[1:], clauses, shared, "2026-04-28")["sha256"],
        contract_of(RULES, {"B8": {"about": "other"}}, shared, "2026-04-28")["sha256"],
        contract_of(RULES, clauses, {"facts/write": {}}, "2026-04-28")["sha256"],
    }
    assert len(others | {contract["sha256"]}) == 5
