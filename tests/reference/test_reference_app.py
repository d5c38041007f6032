"""The reference server as an ASGI application, and its inventory."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
from reference_probe import StandingClock, calendar_of, event

from conformance.clock import RealClock
from conformance.reference import INVENTORY, reference_app

PATH = f"/v1/calendars/{calendar_of('default', 'Work').calendar_id}/events"


def client(app: Any, base_url: str = "http://reference.test:81") -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {app.tokens['default']}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url, headers=headers)


def test_it_serves_over_asgi_and_links_to_the_origin_that_the_client_used() -> None:
    async def run() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        app = reference_app(clock=StandingClock(), page_size=1)
        async with client(app) as http:
            written = [await http.post(PATH, json=event(name)) for name in ("a", "b")]
            first = await http.get("/v1/events", params={"tzid": "Etc/UTC", "only_managed": "true"})
            second = await http.get(first.json()["pages"]["next_page"])
        return written[0], first, second

    written, first, second = asyncio.run(run())
    assert (written.status_code, written.content) == (202, b"")
    assert first.json()["pages"]["next_page"].startswith("http://reference.test:81/v1/events/pages/")
    assert [each["event_id"] for each in second.json()["events"]] == ["b"]


def test_an_answer_without_content_has_no_length() -> None:
    async def run() -> httpx.Response:
        async with client(reference_app(clock=StandingClock(), variations=("answers-204",))) as http:
            return await http.post(PATH, json=event("a"))

    answer = asyncio.run(run())
    assert (answer.status_code, dict(answer.headers)) == (204, {})


def test_the_real_clock_is_the_default() -> None:
    assert isinstance(reference_app().server.clock, RealClock)


def test_ids_with_escapes_are_decoded() -> None:
    async def run() -> int:
        app = reference_app(clock=StandingClock())
        async with client(app) as http:
            return (await http.post(PATH.replace("_", "%5F"), json=event("a"))).status_code

    assert asyncio.run(run()) == 202


def test_lifespan_is_acknowledged_and_other_scopes_refused() -> None:
    async def run(kind: str) -> list[str]:
        sent: list[str] = []
        incoming = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, Any]:
            return {"type": next(incoming)}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await reference_app(clock=StandingClock())({"type": kind}, receive, send)
        return sent

    assert asyncio.run(run("lifespan")) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(ValueError, match="scope type 'websocket' is not served"):
        asyncio.run(run("websocket"))


def test_a_body_in_parts_is_joined() -> None:
    async def parts() -> Any:
        yield b'{"event_id": "a", "summary": "s", '
        yield b'"start": "2027-07-01", "end": "2027-07-02"}'

    async def run() -> int:
        async with client(reference_app(clock=StandingClock())) as http:
            return (await http.post(PATH, content=parts())).status_code

    assert asyncio.run(run()) == 202


def test_tokens_and_chosen_defaults_are_declared() -> None:
    app = reference_app()
    assert app.tokens == {name: f"reference-{name}-token" for name in INVENTORY.by_name}
    assert app.default_profiles == {"chosen": INVENTORY.by_name["chosen"].profiles[1].profile_id}


def test_the_inventory_has_every_kind_of_calendar() -> None:
    kinds = {
        (each.provider_name, each.integrated, each.readonly, each.deleted) for each in INVENTORY.accounts[0].calendars
    }
    assert kinds == {
        ("google", "google_meet", False, False),
        ("google", None, False, False),
        ("exchange", "ms_teams_for_business", False, False),
        ("exchange", None, False, False),
        ("apple", None, False, False),
        ("google", "google_meet", True, False),
        ("google", "google_meet", False, True),
    }


def test_ids_are_unique_opaque_and_safe_in_urls() -> None:
    ids = [each.calendar_id for account in INVENTORY.accounts for each in account.calendars]
    ids += [each.profile_id for account in INVENTORY.accounts for each in account.profiles]
    ids += [each.event_uid for account in INVENTORY.accounts for each in account.external]
    assert len(set(map(str.lower, ids))) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", each) for each in ids)
    assert all(each != each.lower() for each in ids)


def test_external_events_have_no_event_id() -> None:
    async def run() -> list[dict[str, Any]]:
        async with client(reference_app(clock=StandingClock())) as http:
            answer = await http.get("/v1/events", params={"tzid": "Etc/UTC"})
        found: list[dict[str, Any]] = answer.json()["events"]
        return found

    found = asyncio.run(run())
    assert len(found) == 3
    assert all("event_id" not in each and each["event_uid"] for each in found)
