from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from msgspec import structs

import conformance
from conformance import (
    Account,
    Calendar,
    Exchange,
    Inventory,
    Request,
    Response,
    RunContext,
    Scenario,
    Settings,
    judge,
    observe,
    write_requests,
)
from conformance.strategies import scenarios

PLACE = Calendar("cal_1", "google", integrated=True)
INVENTORY = Inventory((Account("default", (PLACE,), (PLACE,), profiles=()),))


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys; import conformance; print([name for name in sys.modules if name.startswith('conformance.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_name_is_there_and_listed() -> None:
    assert [name for name in conformance.__all__ if not hasattr(conformance, name)] == []
    assert set(conformance.__all__) <= set(dir(conformance))


def test_another_name_is_refused_as_any_module_refuses_it() -> None:
    with pytest.raises(AttributeError, match="module 'conformance' has no attribute 'nonsense'"):
        conformance.nonsense  # noqa: B018 - that it raises is what is tested


def test_exchanges_are_observed_and_judged() -> None:
    event = {"event_id": "1", "summary": "s", "start": "2031-05-05T10:00:00Z", "end": "2031-05-05T11:00:00Z"}
    sent = json.dumps({**event, "conferencing": {"profile_id": "explicit", "provider_description": "Rooms"}})
    post = Exchange(
        Request(
            "POST",
            "https://api.cronofy.com/v1/calendars/cal_1/events",
            (("Authorization", "Bearer <default>"), ("Content-Type", "application/json; charset=utf-8")),
            sent.encode(),
        ),
        Response(202),
        label="a write without a join URL",
        sent_at=0.0,
        answered_at=0.1,
        headers_complete=True,
    )
    sent_with_url = structs.replace(
        post,
        request=structs.replace(
            post.request, body=sent.replace("Rooms", 'Rooms", "join_url": "https://a.example/1').encode()
        ),
    )

    def failed(exchange: Exchange) -> set[str]:
        verdicts = [verdict for facts in observe([exchange], Settings()) for verdict in judge(facts)]
        return {verdict.rule for verdict in verdicts if verdict.outcome == "failed"}

    assert failed(sent_with_url) == set()
    assert failed(post) != set()


@given(scenario=scenarios(INVENTORY))
def test_generated_scenarios_can_be_written(scenario: Scenario) -> None:
    requests = write_requests(scenario, RunContext("abcdefgh", 0.0, INVENTORY))
    assert [write.step for write in requests] == list(scenario.steps)
    assert {write.method for write in requests} <= {"POST", "DELETE"}
