"""The smallest case of each defect, and that one defect is one cause and two defects are two."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import Phase, given, settings

sys.path.insert(0, str(Path(__file__).parent / "broken"))

from broken_drivers import BROKEN
from matrix import InProcess

from conformance.clients.cases.case_steps import delete, event, read, write
from conformance.clients.cases.case_values import optional_fields, refusals
from conformance.clients.cases.driver_call import CannedResponse, Case, ReadOverride, StubBehavior
from conformance.clients.cases.generated_cases import generated_cases
from conformance.clients.cases.standard_cases import standard_cases
from conformance.clients.cases.standard_values import REFUSALS
from conformance.clients.certificate import CertifyOptions
from conformance.clients.certify import CertificationRun, drive, play
from conformance.clients.driver.adapters.driver_httpx import HttpxAdapter
from conformance.clients.driver.driver_session import CurrentStub, DriverSession, fixture, gateway_with, session
from conformance.clients.driver.protocol import DriverError
from conformance.clients.smallest import SmallestCases
from conformance.clients.transcript import CallJudge, JudgedCall
from conformance.contract.rules import load

HERE = fixture()
EXPLICIT = {"profile_id": "explicit", "provider_description": "Room", "join_url": "https://conf.example/A?b=1"}


def certified(driver: HttpxAdapter, examples: int, *names: str) -> dict[str, tuple[JudgedCall, ...]]:
    """The smallest calls of each cause that generated cases show of a client; by all rules, or by those of `names`."""
    rules = [rule for rule in load() if not names or rule.id in names]

    async def work(at_gateway: DriverSession) -> dict[str, tuple[JudgedCall, ...]]:
        run = CertificationRun(CallJudge(rules))
        search = SmallestCases(at_gateway, rules, HERE, 0)
        first = await play(at_gateway, generated_cases(HERE, examples, 0), run, search.knows)
        return await search.of(first)

    return asyncio.run(_at_a_gateway(driver, work))


async def _at_a_gateway(driver: HttpxAdapter, work: Any) -> Any:
    current = CurrentStub()
    async with gateway_with(current) as gateway:
        try:
            return await work(await session(InProcess(driver), gateway, current))
        finally:
            driver.client.close()


def causes_of(driver: HttpxAdapter, *names: str, also: tuple[Case, ...] = ()) -> set[str]:
    """The causes that some standard cases, and others, show of a client."""
    by_name = {case.name: case for case in standard_cases(HERE)}

    async def work(at_gateway: DriverSession) -> set[str]:
        run = CertificationRun(CallJudge(load()))
        return set(await play(at_gateway, (*(by_name[name] for name in names), *also), run))

    return set(asyncio.run(_at_a_gateway(driver, work)))


class DropsTwoFields(HttpxAdapter):
    """A client that loses the colour and the description."""

    def upsert_event(self, params: Mapping[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in params["event"].items() if name not in ("color", "description")}
        return super().upsert_event({**params, "event": kept})


def test_hypothesis_shrinks_each_of_two_defects_to_the_field_that_shows_it() -> None:
    name = "event-fields-are-sent-as-requested"
    found = certified(DropsTwoFields(), 40, name)
    smallest = {cause: calls[-1].record.call.params["event"] for cause, calls in found.items()}
    assert {cause: sorted(set(body) - {"event_id", "summary", "start", "end"}) for cause, body in smallest.items()} == {
        f"{name} request_missing /color": ["color"],
        f"{name} request_missing /description": ["description"],
    }
    assert all(len(calls) == 1 for calls in found.values())


def test_a_search_ends_after_so_many_tries_for_all_causes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.clients.smallest._TRIES_IN_ALL", 12)
    names: set[str] = set()

    class Notes(DropsTwoFields):
        def upsert_event(self, params: Mapping[str, Any]) -> dict[str, Any]:
            names.add(params["event"]["event_id"].rpartition("-")[2])
            return super().upsert_event(params)

    assert len(certified(Notes(), 40)) >= 2
    assert {"1", "13"} & names == {"1"}


def test_two_fields_that_one_call_loses_are_two_causes_whatever_else_was_asked() -> None:
    names = (
        "omitted with all fields",
        "explicit with all fields",
        "explicit with a description",
        "omitted with a colour",
    )
    assert causes_of(DropsTwoFields(), *names) == {
        "event-fields-are-sent-as-requested request_missing /color",
        "event-fields-are-sent-as-requested request_missing /description",
    }


@pytest.mark.parametrize(
    ("client", "cases_of_it", "causes"),
    [
        (
            "a-refusal-is-reported",
            ("a write that is answered 403", "a write that is answered 503"),
            {"a-refusal-is-reported upsert_event 4xx"},
        ),
        (
            "an-unknown-provider-name-is-returned",
            (
                "a conference by 'whereby', unknown to clients is read",
                "a conference by 'zoom_v2', unknown to clients is read",
            ),
            {"an-unknown-provider-name-is-returned altered /events/*/conferencing/provider_name"},
        ),
        (
            "wants-conferencing",
            ("no conferencing is read", "null as conferencing is read"),
            {
                "valid-answers-raise-no-error read_events 2xx KeyError",
                "valid-answers-raise-no-error read_events 2xx TypeError",
            },
        ),
        (
            "availability-is-returned",
            ("calendars", "calendars, with unknown keys"),
            {"availability-is-returned result_changed /calendars/*/calendar_integrated_conferencing_available"},
        ),
    ],
)
def test_one_defect_is_one_cause(client: str, cases_of_it: tuple[str, ...], causes: set[str]) -> None:
    found = causes_of(BROKEN[client].driver(), *cases_of_it)
    assert found <= causes
    assert found


def test_a_client_that_fails_in_the_middle_of_the_search_ends_it() -> None:
    class Fails(DropsTwoFields):
        def upsert_event(self, params: Mapping[str, Any]) -> dict[str, Any]:
            if params["event"]["event_id"].endswith("-3"):
                raise DriverError("gone")
            return super().upsert_event(params)

        def answer(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
            answer = super().answer(method, params)
            if "gone" in str(answer.get("error")):
                raise DriverError("gone")
            return answer

    with pytest.raises(DriverError, match="gone"):
        certified(Fails(), 30)


def test_a_cancelled_search_leaves_the_failures_that_were_found() -> None:
    async def work(at_gateway: DriverSession) -> tuple[int, int]:
        run = CertificationRun(CallJudge(load()), progress=said.append)
        driving = asyncio.create_task(drive(at_gateway, CertifyOptions(max_examples=20), run))
        while "looking for the smallest case of each failure" not in said and not driving.done():
            await asyncio.sleep(0.01)
        driving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driving
        return run.calls, len(run.counterexamples)

    said: list[str] = []
    calls, found = asyncio.run(_at_a_gateway(DropsTwoFields(), work))
    assert (calls > 0, found > 0) == (True, True)


class ByEventId(HttpxAdapter):
    """A client that gives events back by their id alone."""

    def read_events(self, params: Mapping[str, Any]) -> dict[str, Any]:
        events = super().read_events(params)["events"]
        by_id = {
            one["event_id"]: {"event_id": one["event_id"], "conferencing": one.get("conferencing")} for one in events
        }
        return {"events": list(by_id.values())}


def test_the_same_id_on_two_calendars_is_not_demanded_twice() -> None:
    both = Case(
        "both",
        (
            write(HERE.calendar_id, event(HERE, "same", EXPLICIT)),
            write(HERE.other_id, event(HERE, "same", {**EXPLICIT, "join_url": "https://conf.example/other"})),
            read([HERE.calendar_id, HERE.other_id], ["same"], StubBehavior(settle=True)),
        ),
    )
    assert causes_of(ByEventId(), "one event id on two calendars", also=(both,)) == set()


class ReadsAPeriod(HttpxAdapter):
    """A client that always reads a period."""

    period: Mapping[str, str] = {}

    def read_events(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return super().read_events({**params, "params": {**self.period, **params["params"]}})


@pytest.mark.parametrize(
    ("period", "causes"),
    [
        ({"from": f"{HERE.year}-01-01", "to": f"{HERE.year + 1}-01-01"}, set()),
        ({"from": f"{HERE.year}-12-01"}, {"a-reading-covers-what-was-requested read_events 2xx"}),
    ],
)
def test_a_period_in_which_everything_lies_is_no_finding(period: dict[str, str], causes: set[str]) -> None:
    driver = ReadsAPeriod()
    driver.period = period
    assert causes_of(driver, "pending is read on the third page") == causes


class LooksAtTheAccount(HttpxAdapter):
    """A client that lists the calendars, and then looks at an account that it may not see."""

    def list_calendars(self, params: Mapping[str, Any]) -> dict[str, Any]:
        listed = super().list_calendars(params)
        with contextlib.suppress(httpx.HTTPStatusError):
            self.client.request("GET", "/v1/userinfo", headers={"Authorization": "Basic none"})
        return listed


def test_another_look_that_was_refused_is_no_refusal_of_what_was_called_for() -> None:
    assert "a-refusal-is-reported list_calendars 4xx" not in causes_of(LooksAtTheAccount(), "calendars")


class TellsInWords(HttpxAdapter):
    """A client whose errors have a text, with all that the server said in it, and a status."""

    def answer(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        answer = super().answer(method, params)
        errors = answer.get("error", {}).get("data", {}).pop("errors", None)
        if errors is not None:
            answer["error"]["message"] += f": {errors}"
        return answer


def test_what_a_422_says_may_be_told_in_words() -> None:
    assert causes_of(TellsInWords(), "a 422 with several fields") == set()


def test_an_answer_that_is_not_documented_may_be_choked_on_but_not_misread() -> None:
    behavior = StubBehavior(pages_key=False, overrides=(ReadOverride("odd", {"pending": True}),))
    odd = Case("odd", (read([HERE.calendar_id], ["odd"], behavior),), seeds=((HERE.calendar_id, event(HERE, "odd")),))
    assert causes_of(HttpxAdapter(), also=(odd,)) == set()
    assert [behavior.documented for behavior in (behavior, StubBehavior(overrides=(ReadOverride("a", {}),)))] == [
        False
    ] * 2


@pytest.mark.parametrize("examples", [5, 100])
def test_every_run_has_each_kind_of_call_in_the_same_share(examples: int) -> None:
    made = generated_cases(HERE, examples, 7)
    last = Counter("pages" if case.seeds else case.steps[-1].call.method for case in made)
    of_twenty = {"upsert_event": 9, "pages": 6, "read_events": 2, "delete_event": 2, "list_calendars": 1}
    assert last == {kind: 1 if examples == 5 else 5 * share for kind, share in of_twenty.items()}


def test_a_case_about_events_of_other_names_is_the_same_in_all_else() -> None:
    behavior = StubBehavior(first=(CannedResponse(429),), overrides=(ReadOverride("a", None),), last=("a",))
    steps = (write("c", event(HERE, "a")), read(["c"], ["a", "b"], behavior), delete("c", "a"))
    case = Case("c", steps, (("c", event(HERE, "a")),)).renamed("-1")
    written, reading, deleted = case.steps
    assert written.call.params["event"]["event_id"] == deleted.call.params["event_id"] == "a-1"
    assert reading.call.params["event_ids"] == ["a-1", "b-1"]
    assert (reading.behavior.overrides, reading.behavior.last) == ((ReadOverride("a-1", None),), ("a-1",))
    assert reading.behavior.first == behavior.first
    assert case.seeds[0][1]["event_id"] == "a-1"


def test_the_fields_that_are_asked_reach_their_limits() -> None:
    made: list[dict[str, Any]] = []

    @given(optional_fields())
    @settings(max_examples=400, database=None, derandomize=True, phases=(Phase.generate,))
    def collect(fields: dict[str, Any]) -> None:
        made.append(fields)

    collect()
    assert max(len(fields.get("description", "")) for fields in made) == 4096
    assert any("\n" in fields.get("description", "") for fields in made)
    assert max(len(fields.get("attendees", {}).get("invite", ())) for fields in made) >= 3
    assert max(len(fields.get("subscriptions", ())) for fields in made) >= 3


def test_every_status_is_answered() -> None:
    statuses = {401, 402, 403, 404, 423, 429, 499, 500, 502, 503, 504}
    assert {answer.status for _, answer in REFUSALS} == statuses
    made: set[tuple[int, bool]] = set()

    @given(refusals())
    @settings(max_examples=300, database=None, derandomize=True, phases=(Phase.generate,))
    def collect(answer: CannedResponse) -> None:
        made.add((answer.status, isinstance(answer.body, bytes)))

    collect()
    assert {status for status, _ in made} >= statuses
    assert {is_html for _, is_html in made} == {True, False}
