"""The stage: what the gateway answers by a script, out of the reference server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from conformance.clients.cases.case_steps import event
from conformance.clients.cases.driver_call import ABSENT, CannedResponse, Case, ReadOverride, StubBehavior
from conformance.clients.driver.driver_session import ACCOUNT, fixture
from conformance.clients.gateway.stub import SETTLE, StubServer
from conformance.clock import VirtualClock
from conformance.http.exchange import Request
from conformance.http.server.http_server import Reply
from conformance.reference import reference_app

HERE = fixture()
ORIGIN = "https://api-sg.cronofy.com"
CONFERENCE = {"join_url": "https://example.com/J", "provider_name": "holo"}


def with_stub(use: Callable[[StubServer, Callable[..., Awaitable[Reply]]], Awaitable[Any]], *names: str) -> Any:
    async def run() -> Any:
        clock = VirtualClock()
        app = reference_app(clock=clock, settle=SETTLE)
        stub = StubServer(app, clock, app.tokens[ACCOUNT])

        async def ask(method: str, target: str, body: Any = None, token: str = app.tokens[ACCOUNT]) -> Reply:
            headers = (("Authorization", f"Bearer {token}"), ("Content-Type", "application/json"))
            url = target if target.startswith("http") else ORIGIN + target
            return await stub.answer(Request(method, url, headers, b"" if body is None else json.dumps(body).encode()))

        seeds = tuple((HERE.calendar_id, event(HERE, name)) for name in names)
        await stub.seed(Case("seeds", (), seeds))
        try:
            return await use(stub, ask)
        finally:
            await stub.close()

    return asyncio.run(run())


READ = "/v1/events?tzid=Etc%2FUTC&only_managed=true"
WRITE = f"/v1/calendars/{HERE.calendar_id}/events"


def said(reply: Reply) -> Any:
    assert isinstance(reply.body, bytes)
    return json.loads(reply.body)


def test_conferencing_is_pending_until_a_script_lets_time_pass() -> None:
    async def use(stub: StubServer, ask: Any) -> None:
        assert (await ask("POST", WRITE, event(HERE, "a", {"profile_id": "default"}))).status == 202
        assert said(await ask("GET", READ))["events"][0]["conferencing"] == {"pending": True}
        await stub.begin(StubBehavior(settle=True))
        assert said(await ask("GET", READ))["events"][0]["conferencing"]["provider_name"] == "zoom"

    with_stub(use)


def test_pages_are_cut_anew_and_linked_at_the_origin_that_was_asked() -> None:
    async def use(stub: StubServer, ask: Any) -> None:
        await stub.begin(StubBehavior(page_size=2, last=("a",)))
        first = said(await ask("GET", READ))
        assert [one["event_id"] for one in first["events"]] == ["b", "c"]
        link = first["pages"].pop("next_page")
        assert first["pages"] == {"current": 1, "total": 2}
        assert link.startswith(f"{ORIGIN}/v1/events/pages/pg_")
        pages = [{"fetched": True, "event_ids": ["b", "c"]}, {"fetched": False, "event_ids": ["a"]}]
        assert stub.readings() == [{"pages": pages, "excluded": []}]
        assert (await ask("GET", link, token="another")).status == 401
        assert (await ask("GET", link + "x")).status == 404
        last = said(await ask("GET", f"{link}?tzid=Etc%2FUTC"))
        assert last["pages"] == {"current": 2, "total": 2}
        assert [one["event_id"] for one in last["events"]] == ["a"]
        assert [page["fetched"] for page in stub.readings()[0]["pages"]] == [True, True]
        await stub.begin(StubBehavior())
        assert stub.readings() == []

    with_stub(use, "a", "b", "c")


def test_overlays_show_what_the_script_has_and_nothing_else() -> None:
    async def use(stub: StubServer, ask: Any) -> None:
        overrides = (ReadOverride("a", CONFERENCE), ReadOverride("b", None), ReadOverride("c", ABSENT))
        await stub.begin(StubBehavior(overrides=overrides))
        shown = {one["event_id"]: one.get("conferencing", ABSENT) for one in said(await ask("GET", READ))["events"]}
        assert shown == {"a": CONFERENCE, "b": None, "c": ABSENT}
        await stub.begin(StubBehavior(overrides=overrides, extra=True))
        page = said(await ask("GET", READ))
        assert {"x_future"} < set(page) & set(page["pages"]) & set(page["events"][0]) | {"pages"}
        assert page["events"][0]["conferencing"].keys() == {*CONFERENCE, "x_future"}

    with_stub(use, "a", "b", "c")


def test_prepared_answers_come_first_or_instead_and_nothing_is_written() -> None:
    async def use(stub: StubServer, ask: Any) -> None:
        body = event(HERE, "a")
        await stub.begin(StubBehavior(first=(CannedResponse(429),)))
        assert [(await ask("POST", WRITE, body)).status for _ in range(2)] == [429, 202]
        await stub.begin(StubBehavior(write_response=CannedResponse(422, {"errors": {"summary": []}})))
        refused = await ask("POST", WRITE, event(HERE, "b"))
        assert (refused.status, said(refused)) == (422, {"errors": {"summary": []}})
        await stub.begin(StubBehavior(accepted={"sub": "acc_1"}))
        accepted = await ask("DELETE", WRITE, {"event_id": "x"})
        assert (accepted.status, said(accepted)) == (202, {"sub": "acc_1"})
        await stub.begin(StubBehavior(page_size=1, first_page=(CannedResponse(429),)))
        link = said(await ask("GET", READ))["pages"].get("next_page")
        assert link is None  # only one event was written

    with_stub(use)


def test_a_further_page_may_be_busy_first() -> None:
    async def use(stub: StubServer, ask: Any) -> None:
        await stub.begin(StubBehavior(page_size=1, first_page=(CannedResponse(429),)))
        link = said(await ask("GET", READ))["pages"]["next_page"]
        assert [(await ask("GET", link)).status for _ in range(2)] == [429, 200]

    with_stub(use, "a", "b")


def test_what_is_refused_is_refused_as_the_server_does() -> None:
    async def use(stub: StubServer, ask: Any) -> None:
        await stub.begin(StubBehavior(overrides=(ReadOverride("a", CONFERENCE),)))
        assert (await ask("GET", READ, token="another")).status == 401
        assert (await ask("POST", "/v1/calendars/none/events", event(HERE, "a"))).status == 404
        integrated = event(HERE, "a", {"profile_id": "integrated"})
        assert (await ask("POST", f"/v1/calendars/{HERE.without_id}/events", integrated)).status == 422
        assert (await ask("GET", "/v1/nothing")).status == 404

    with_stub(use)


def test_a_page_may_be_empty_and_a_refusal_may_be_for_people() -> None:
    async def use(stub: StubServer, ask: Any) -> None:
        await stub.begin(StubBehavior(page_size=1, empty_page=True))
        first = said(await ask("GET", READ))
        second = said(await ask("GET", first["pages"]["next_page"]))
        assert (second["events"], second["pages"]["current"], second["pages"]["total"]) == ([], 2, 3)
        assert len(said(await ask("GET", second["pages"]["next_page"]))["events"]) == 1
        await stub.begin(StubBehavior(pages_key=False))
        assert set(said(await ask("GET", READ))) == {"events"}
        await stub.begin(StubBehavior(list_response=CannedResponse(502, b"<p>Busy</p>")))
        busy = await ask("GET", "/v1/calendars")
        assert (busy.status, busy.body, dict(busy.headers)["Content-Type"]) == (
            502,
            b"<p>Busy</p>",
            "text/html; charset=utf-8",
        )

    with_stub(use, "a", "b")


def test_what_the_limits_of_a_reading_exclude_is_known() -> None:
    async def use(stub: StubServer, ask: Any) -> None:
        await stub.begin(StubBehavior())
        assert said(await ask("GET", f"{READ}&from={HERE.year}-12-01"))["events"] == []
        await ask("GET", f"{READ}&from={HERE.year}-01-01")
        assert [reading["excluded"] for reading in stub.readings()] == [["a", "b"], []]

    with_stub(use, "a", "b")
