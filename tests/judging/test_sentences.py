"""What is wrong is told in the API's words, for every way in which an example breaks a rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from conformance.contract import examples, rules
from conformance.contract.schemas import read
from conformance.facts import Evidence, Facts
from conformance.http.exchange import Request
from conformance.judging.sentences import sentence
from conformance.judging.verdict import Violation
from conformance.judging.violations import explain

RULES = {rule.id: rule for rule in rules.load()}
REQUEST = Request("GET", "https://api.example.com/v1/events")


def violations(rule: str) -> list[Violation]:
    failing = [example.facts for example in examples.load(rule) if example.expect == "failed"]
    return [explain(RULES[rule], Facts(facts["about"], ("x",), facts, (), closed=True)) for facts in failing]


@pytest.mark.parametrize("rule", RULES)
def test_a_failure_is_told_without_the_names_of_facts(rule: str) -> None:
    for violation in violations(rule):
        assert "shows facts" not in violation.message
        assert "where it may not" not in violation.message
        assert violation.expected not in ("", violation.actual)
        assert violation.actual
        assert violation.cause.startswith(rule)
        assert not any(part.isdigit() for part in violation.cause.split(" ")[1].split("/"))


@pytest.mark.parametrize(
    ("count", "names"), [(1, "a"), (4, "a, b, c and d"), (5, "a, b, c and 2 others"), (9, "a, b, c and 6 others")]
)
def test_of_many_values_the_first_are_named_and_a_single_one_is_never_left_out(count: int, names: str) -> None:
    told = sentence({"about": "write"}, ["after", "settled", "mismatching_fields"], None, [*"abcdefghi"][:count])
    assert names in told


def write(**after: Any) -> Facts:
    document = {
        "about": "write", "event_id": "e", "requested": "explicit", "outcome": "accepted", "start": "future",
        "request": {"json": {"conferencing": {"profile_id": "explicit", "join_url": "https://example.com/Room"}}},
        "before": {"state": "nonexistent"}, "is_create": True, "after": after,
    }  # fmt: skip
    shown = [{"state": one["state"], "conferencing": one["conferencing"]} for one in after.get("observed", ())]
    evidence = tuple(Evidence(f"#{number}", REQUEST, 200, value) for number, value in enumerate(shown, 1))
    return Facts("write", ("e",), document, evidence, closed=True)


def assigned(url: str) -> dict[str, Any]:
    return {"state": "assigned", "conferencing": {"join_url": url}, "join_url_as_sent": "different"}


def test_what_was_sent_and_what_was_shown_are_given_beside_the_sentence() -> None:
    violation = explain(RULES["explicit-is-kept"], write(observed=[assigned("https://example.com/room")]))
    assert {"requested=explicit", "is_create=True", "reads as assigned", "no event.description"} <= violation.traits
    assert replace(violation, traits=frozenset()) == Violation(
        message="An event created with explicit conferencing "
        "reads back with another join URL than the one that was sent: only upper and lower case differ",
        path="/after/observed/0/join_url_as_sent",
        event="e",
        evidence=violation.evidence,
        cause="explicit-is-kept explicit after/join_url_as_sent letter-case",
        expected="https://example.com/Room",
        actual="https://example.com/room",
        symptom='["e", "conferencing/join_url", "https://example.com/room"]',
        shown_by="#1",
        effect="Events read back with another join URL than the one that was sent: only upper and lower case differ",
    )


def test_the_state_that_two_writes_of_an_event_end_in_is_no_symptom_of_one_defect() -> None:
    lost = {"state": "none"}
    facts = write(settled=lost, window_elapsed=True, closed_by="stable")
    symptoms = {
        explain(RULES["explicit-is-kept"], structs.replace(facts, evidence=(Evidence(label, REQUEST, 202),))).symptom
        for label in ("#1", "#2")
    }
    assert len(symptoms) == 2


@pytest.mark.parametrize(
    ("shown", "difference"),
    [
        ("https://example.com/room", "letter-case"),
        ("https://example.com/%52oom", "percent-encoding"),
        ("https://example.com/", "shortened"),
        ("https://example.com/Room?a=b", "lengthened"),
        (" https://example.com/Room", "white-space"),
        ("https://example.org/", "another"),
    ],
)
def test_a_cause_says_what_differs_and_not_when_it_was_seen(shown: str, difference: str) -> None:
    at_once = explain(RULES["explicit-is-kept"], write(observed=[assigned(shown)]))
    in_the_end = explain(RULES["explicit-is-kept"], write(settled=assigned(shown)))
    assert at_once.cause == in_the_end.cause == f"explicit-is-kept explicit after/join_url_as_sent {difference}"


def test_an_entry_of_a_batch_is_told_as_one() -> None:
    document = {"about": "batched_write", "event_id": "e", "requested": "none", "is_create": False}
    told = sentence(
        {**document, "after": {"settled": {"state": "assigned"}}}, ["after", "settled", "state"], None, "assigned"
    )
    assert told == "An event updated in a batch with the profile_id none reads back with a conference"
    assert sentence({**document, "response": {"status": 422}}, ["response", "status"], None, 422) == (
        "The update of an event in a batch with the profile_id none is answered 422"
    )


def test_one_of_a_kind_is_told_in_the_singular() -> None:
    document = {"about": "notification", "requested": "8x8", "is_create": True, "count": 1}
    [path] = [
        name
        for name, fact in read("facts/notification")["properties"].items()
        if fact.get("x-says") == "got {} notifications"
    ]
    assert sentence(document, [path], None, 1).endswith(" got 1 notification")
    assert sentence(document, [path], None, 2).endswith(" got 2 notifications")


def test_a_value_that_must_not_be_there_is_not_called_expected() -> None:
    url = "https://example.com/Room"
    kept = {"state": "assigned", "conferencing": {"join_url": url, "provider_name": None}, "join_url_as_before": True}
    facts = write(observed=[], stable=kept, settled=kept)
    before = {"state": "assigned", "requested_as": "explicit", "conferencing": {"join_url": url}}
    document = {**facts.document, "requested": "default", "before": before, "is_create": False}
    violation = explain(RULES["a-generated-conference-replaces-explicit"], structs.replace(facts, document=document))
    assert (violation.expected, violation.actual) == (RULES["a-generated-conference-replaces-explicit"].title, url)


def test_a_value_that_is_left_there_is_no_symptom_of_what_is_wrong_with_it() -> None:
    assert {violation.symptom for violation in violations("explicit-does-not-show-the-replaced-service")} == {""}


def test_a_value_that_names_the_request_or_has_no_host_is_remarked() -> None:
    def told(conferencing: dict[str, Any], rule: str, body: bytes) -> Violation:
        sent = Evidence("#0", Request("POST", "https://a.example/v1/calendars/c/events", (), body), 202)
        document = {"about": "conferencing", "event_id": "e", "conferencing": conferencing}
        shown = Evidence("#1", REQUEST, 200, {"conferencing": conferencing})
        return explain(RULES[rule], Facts("conferencing", ("e",), document, (shown,), closed=True, earlier=(sent,)))

    named = [
        told(
            {"pending": True, "provider_name": kind},
            "a-provider-name-is-what-was-resolved",
            b'{"event_id":"e","conferencing":{"profile_id":"%s"}}' % kind.encode(),
        )
        for kind in ("default", "integrated")
    ]
    assert named[0].message == (
        'While its conferencing is pending, an event reads back with conferencing whose provider_name is "default": '
        "it is the profile_id that was sent"
    )
    assert len({one.cause for one in named}) == 1


def test_what_is_expected_is_a_value_where_the_rule_demands_one() -> None:
    early = {"state": "malformed", "conferencing": {"status": "pending"}}
    late = {"state": "assigned", "conferencing": {"join_url": "https://a.example", "provider_name": "zoom"}}
    precedes = explain(RULES["only-pending-precedes-a-conference"], write(observed=[early, late]))
    assert precedes.expected == '{"pending": true}'
    assert precedes.effect == (
        'Events read back with conferencing {"status": "pending"}, of no documented form; expected {"pending": true}'
    )
    gone = explain(RULES["none-removes-conferencing"], write(settled=late))
    assert gone.message.endswith("; expected no conferencing")
