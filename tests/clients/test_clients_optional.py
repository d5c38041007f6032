"""What a client need not have means for: batches, and the check of a notification's signature."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.clients.cases.driver_call import Case, DriverCall
from conformance.clients.cases.optional_cases import optional_cases
from conformance.clients.counterexample import CallCounterexample
from conformance.clients.driver.driver_session import fixture
from conformance.clients.facts.call import CallRecord, call_facts
from conformance.clients.transcript import CallJudge, as_exchanges, call_records
from conformance.contract.rules import load
from conformance.contract.schemas import registry, uri
from conformance.http.exchange import Exchange, Request, Response
from conformance.http.redaction import scrub

ENTRY = {"method": "POST", "relative_url": "/v1/calendars/cal_1/events", "data": {"event_id": "e"}}
BATCH = DriverCall("batch", {"entries": [ENTRY]})
ANSWERED = {"batch": [{"status": 202}]}


def facts(call: DriverCall, answer: dict[str, Any], *exchanges: Exchange) -> dict[str, Any]:
    document = call_facts(CallRecord("c", call, answer, exchanges)).document
    return {name: value for name, value in document.items() if isinstance(value, bool) and name != "valid"}


def sent(entries: Any, answer: Any = ANSWERED, status: int = 207) -> Exchange:
    body = json.dumps({"batch": entries}).encode()
    answered = json.dumps(answer).encode() if answer is not None else b"<html>"
    return Exchange(Request("POST", "http://127.0.0.1/v1/batch", (), body), Response(status, (), answered), "#1")


@pytest.mark.parametrize(
    ("entries", "as_requested"),
    [([ENTRY], True), ([{**ENTRY, "data": {"event_id": "x"}}], False), ([], False), (None, False), ([7], False)],
)
def test_entries_are_compared_with_what_was_requested(entries: Any, as_requested: bool) -> None:
    found = facts(BATCH, {"result": {"responses": [{"status": 202}]}}, sent(entries))
    assert found == {"entries_as_requested": as_requested, "entries_as_answered": True}


def test_members_that_are_null_make_no_difference() -> None:
    call = DriverCall("batch", {"entries": [{**ENTRY}]})
    assert facts(call, {"error": {"code": 1, "message": "x"}}, sent([{**ENTRY, "headers": None}])) == {
        "entries_as_requested": True
    }


@pytest.mark.parametrize(
    ("responses", "answered", "same"),
    [
        ([{"status": 202}], ANSWERED, True),
        ([{"status": 200}], ANSWERED, False),
        ([], ANSWERED, False),
        ("done", ANSWERED, False),
        ([{"status": 202}], None, False),
        ([7], ANSWERED, False),
    ],
)
def test_statuses_are_compared_with_what_was_answered(responses: Any, answered: Any, same: bool) -> None:
    found = facts(BATCH, {"result": {"responses": responses}}, sent([ENTRY], answered))
    assert found["entries_as_answered"] is same


def test_a_client_without_means_is_told_of_nothing() -> None:
    unsupported = {"error": {"code": -32601, "message": "none"}}
    verify = DriverCall("verify_notification", {"body_base64": "", "header": "", "client_secret": "s"})
    assert (facts(BATCH, unsupported), facts(verify, unsupported)) == ({}, {})


def test_of_a_batch_of_which_nothing_was_sent_nothing_is_told() -> None:
    assert facts(BATCH, {"result": {"responses": []}}) == {}


def test_each_signature_is_verified_by_itself() -> None:
    [signatures] = [case for case in optional_cases(fixture()) if case.name == "signatures of notifications"]
    rightly = [
        [facts(step.call, {"result": {"valid": answer}})["verified_rightly"] for answer in (True, False)]
        for step in signatures.steps
    ]
    assert rightly == [[True, False], [False, True], [True, False], [False, True], [False, True]]


@pytest.mark.parametrize(
    ("call", "answer", "rule"),
    [
        (BATCH, {"result": {"responses": []}}, "the-answers-of-a-batch-are-returned"),
        (
            DriverCall("verify_notification", {"body_base64": "", "header": "", "client_secret": "s"}),
            {"result": {"valid": True}},
            "a-signature-is-verified",
        ),
    ],
)
def test_a_counterexample_says_which_rule_was_broken(call: DriverCall, answer: dict[str, Any], rule: str) -> None:
    judged = CallJudge(load()).judge(CallRecord("c", call, answer, (sent([ENTRY]),) if call is BATCH else ()))
    assert rule in judged.causes.values()
    (broken,) = [one for one in load() if one.id == rule]
    assert CallCounterexample(broken, (judged,)).text().splitlines()[-1] == f"  expected  {broken.title}"


def test_the_evidence_of_a_signature_is_judged_as_the_call_was() -> None:
    """The client secret stands where credentials stand, so that the evidence has none."""
    [signatures] = [case for case in optional_cases(fixture()) if case.name == "signatures of notifications"]
    for step in signatures.steps:
        record = CallRecord("c", step.call, {"result": {"valid": True}}, ())
        [kept] = call_records([scrub(exchange) for exchange in as_exchanges(record)])
        assert "client-secret" not in str(kept.call.params)
        assert call_facts(kept).document["verified_rightly"] == call_facts(record).document["verified_rightly"]


@pytest.mark.parametrize("case", optional_cases(fixture()), ids=lambda case: case.name)
def test_requests_are_as_the_protocol_describes_them(case: Case) -> None:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator({"$ref": f"{uri('driver')}#/$defs/request"}, registry=registry())
    for number, step in enumerate(case.steps, 1):
        request = {"jsonrpc": "2.0", "id": number, "method": step.call.method, "params": step.call.params}
        assert validator.is_valid(request)
