"""Each kind of value, of answer and of telling has a broken client that it alone catches, and a legal one beside it."""

from __future__ import annotations

import asyncio
import base64
import copy
import hmac
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent / "broken"))

from matrix import InProcess

from conformance.clients.cases.driver_call import Case
from conformance.clients.cases.optional_cases import optional_cases
from conformance.clients.cases.standard_cases import standard_cases
from conformance.clients.certify import CertificationRun, play
from conformance.clients.driver.adapters.driver_httpx import Client, HttpxAdapter
from conformance.clients.driver.driver_session import CurrentStub, fixture, gateway_with, session
from conformance.clients.transcript import CallJudge
from conformance.contract.rules import load

JSON = dict[str, Any]
Change = Callable[[JSON], Any]

RULES = load()
HERE = fixture()
CASES = {case.name: case for case in (*standard_cases(HERE), *optional_cases(HERE))}


def made(base: type[Client] = Client, **methods: Any) -> type[HttpxAdapter]:
    """The adapter of a client with these methods in place of its own."""
    client = type("Made", (base,), methods)
    return type("Adapter", (HttpxAdapter,), {"client_class": client})


def sends(change: Change) -> type[HttpxAdapter]:
    """A client that changes the event before it sends it, in place or by giving back another."""

    def upsert_event(self: Client, calendar_id: str, event: Mapping[str, Any]) -> None:
        body = copy.deepcopy(dict(event))
        Client.upsert_event(self, calendar_id, change(body) or body)

    return made(upsert_event=upsert_event)


def gives(change: Change) -> type[HttpxAdapter]:
    """A client that changes the events that it has read before it gives them back."""

    def read_events(self: Client, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        events = Client.read_events(self, params, calendar_ids)
        return [change(event) or event for event in events]

    return made(read_events=read_events)


def in_field(name: str, change: Callable[[Any], Any]) -> Change:
    """Changes one field of an event, where it has it."""
    return lambda event: event.update({name: change(event[name])}) if name in event else None


def in_times(change: Callable[[Any], Any]) -> Change:
    return lambda event: event.update({name: change(event[name]) for name in ("start", "end")})


def in_conferencing(name: str, change: Callable[[str], str]) -> Change:
    def changed(event: JSON) -> None:
        if isinstance((event.get("conferencing") or {}).get(name), str):
            event["conferencing"][name] = change(event["conferencing"][name])

    return changed


def in_no_name(change: Callable[[JSON], Any]) -> Change:
    """Changes a conference whose provider name is null."""

    def changed(event: JSON) -> None:
        conference = event.get("conferencing") or {}
        if conference.get("provider_name", "") is None:
            change(conference)

    return changed


def each(change: Callable[[Any], Any], value: Any) -> Any:
    """`value` with `change` made in every object, array and leaf of it, from within."""
    if isinstance(value, dict):
        value = {name: each(change, part) for name, part in value.items()}
    elif isinstance(value, list):
        value = [each(change, part) for part in value]
    return change(value)


def without_empty(value: Any) -> Any:
    return {name: part for name, part in value.items() if part not in ({}, [])} if isinstance(value, dict) else value


def with_offset(time: Any) -> Any:
    return {**time, "time": time["time"].replace("Z", "+00:00")} if isinstance(time, dict) else time


def to_utc(time: Any) -> Any:
    """A time with an offset as one in UTC."""
    timed = isinstance(time, str) and len(time) > 10
    return datetime.fromisoformat(time).astimezone(UTC).isoformat() if timed else time


def swallows(method: str, status: int) -> type[HttpxAdapter]:
    """A client that takes one status for a success."""

    def request(self: Client, way: str, url: str, **options: Any) -> httpx.Response:
        try:
            return Client.request(self, way, url, **options)
        except httpx.HTTPStatusError as error:
            if (way, error.response.status_code) != (method, status):
                raise
            return httpx.Response(200, json={"events": [], "pages": {}, "calendars": []})

    return made(request=request)


def retries(then: Callable[[Client, httpx.HTTPStatusError, JSON], Any]) -> type[HttpxAdapter]:
    """A client that does `then` with a write that is answered 429 or 5xx."""

    def upsert_event(self: Client, calendar_id: str, event: Mapping[str, Any]) -> None:
        try:
            Client.upsert_event(self, calendar_id, event)
        except httpx.HTTPStatusError as error:
            if error.response.status_code not in (429, 503):
                raise
            then(self, error, {"calendar_id": calendar_id, "event": dict(event)})

    return made(upsert_event=upsert_event)


def again(client: Client, _error: object, call: JSON) -> None:
    Client.upsert_event(client, **call)


def again_and_raise(client: Client, error: httpx.HTTPStatusError, call: JSON) -> None:
    Client.upsert_event(client, **call)
    raise error


class Memory(Client):
    """A client that remembers what it has written and read, by the calendar and the event."""

    def __init__(self, base_url: str, access_token: str) -> None:
        super().__init__(base_url, access_token)
        self.known: dict[tuple[str, str], JSON] = {}


def remembering(**methods: Any) -> type[HttpxAdapter]:
    return made(Memory, **methods)


def query_by_name(url: str) -> str:
    place, mark, query = url.partition("?pwd")
    return place + ("?" + urlencode(dict(parse_qsl(f"pwd{query}"))) if mark else "")


def as_json(spell: Callable[[Any], str], content_type: str = "application/json") -> type[HttpxAdapter]:
    """A client that spells JSON in its own way."""

    def request(self: Client, method: str, url: str, **options: Any) -> httpx.Response:
        if "json" in options:
            options["content"] = spell(options.pop("json")).encode()
            options["headers"] = {"Content-Type": content_type}
        return Client.request(self, method, url, **options)

    return made(request=request)


def answers(change: Callable[[str, JSON], JSON]) -> type[HttpxAdapter]:
    """An adapter whose client tells something else."""
    return type(
        "Telling",
        (HttpxAdapter,),
        {"answer": lambda self, method, params: change(method, HttpxAdapter.answer(self, method, params))},
    )


def first_field(_method: str, answer: JSON) -> JSON:
    errors = answer.get("error", {}).get("data", {}).get("errors") or {}
    for name in list(errors)[1:]:
        del errors[name]
    return answer


def errors_in_the_message(_method: str, answer: JSON) -> JSON:
    errors = answer.get("error", {}).get("data", {}).pop("errors", None)
    if errors is not None:
        answer["error"]["message"] = json.dumps(errors)
    return answer


def wants_json_in_errors(self: Client, method: str, url: str, **options: Any) -> httpx.Response:
    try:
        return Client.request(self, method, url, **options)
    except httpx.HTTPStatusError as error:
        if error.response.content and method == "GET" and error.response.status_code == 502:
            raise ValueError(error.response.json()) from None
        raise


def reading(pages: Callable[[Client, JSON], list[JSON]]) -> type[HttpxAdapter]:
    """A client with its own way through the pages, given the first one."""

    def read_events(self: Client, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        query = {**params, "calendar_ids[]": list(calendar_ids)}
        return pages(self, self.request("GET", "/v1/events", params=query).json())

    return made(read_events=read_events)


def until_an_empty_page(client: Client, page: JSON) -> list[JSON]:
    events = list(page["events"])
    while page["events"] and (url := page["pages"].get("next_page")):
        page = client.request("GET", url).json()
        events += page["events"]
    return events


def by_recursion_and_twice(client: Client, page: JSON) -> list[JSON]:
    url = page["pages"].get("next_page")
    if url is None:
        return list(page["events"])
    client.request("GET", url)
    return by_recursion_and_twice(client, client.request("GET", url).json()) + page["events"]


def without_an_overlap(client: Client, page: JSON) -> list[JSON]:
    events = list(page["events"])
    while url := page["pages"].get("next_page"):
        page = client.request("GET", url).json()
        same = bool(events and page["events"] and page["events"][0].get("start") == events[-1].get("start"))
        events += page["events"][same:]
    return events


def where_it_was(self: Memory, calendar_id: str, event: Mapping[str, Any]) -> None:
    home = self.known.setdefault(("", event["event_id"]), {"calendar": calendar_id})["calendar"]
    Client.upsert_event(self, home, event)


def still_known(self: Memory, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
    events = Client.read_events(self, params, calendar_ids)
    self.known |= {(event["calendar_id"], event["event_id"]): event for event in events if "event_id" in event}
    return [event for (calendar_id, _), event in self.known.items() if calendar_id in calendar_ids]


def deletes_and_looks(self: Memory, calendar_id: str, event_id: str) -> None:
    Client.delete_event(self, calendar_id, event_id)
    self.known.pop((calendar_id, event_id), None)
    Client.read_events(self, {"tzid": "Etc/UTC", "only_managed": True}, [calendar_id])


def masks_pending(self: Memory, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
    events = Client.read_events(self, params, calendar_ids)
    for event in events:
        key, shown = (event["calendar_id"], event.get("event_id", "")), event.get("conferencing") or {}
        if shown.get("pending") and key in self.known:
            event["conferencing"] = self.known[key]
        elif shown.get("join_url"):
            self.known[key] = shown
    return events


def adds_to(name: str, *values: str) -> type[HttpxAdapter]:
    """A client that reads with one more pair of limits."""

    def read_events(self: Client, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        return Client.read_events(self, {**params, **dict(zip(name.split(), values, strict=True))}, calendar_ids)

    return made(read_events=read_events)


@dataclass(frozen=True)
class Kind:
    """What is asked, answered or told: the cases that show it, a client that is broken by it alone, and a legal one."""

    name: str
    cases: tuple[str, ...]
    broken: type[HttpxAdapter]
    legal: type[HttpxAdapter]
    #: Kinds that the broken client shows itself in as well: they cannot be asked for without this one.
    also: frozenset[str] = field(default=frozenset())


BROKEN_JSON = in_field("x_future", lambda value: each(lambda part: int(part) if type(part) is float else part, value))
ESCAPED = as_json(lambda body: json.dumps(body, indent=3).replace("/", "\\/"), 'Application/JSON; Charset="UTF-8"')
PLAIN = as_json(lambda body: json.dumps(body, ensure_ascii=False, sort_keys=True))
MILLISECONDS = sends(in_times(lambda time: re.sub(r"(:\d\d)Z$", r"\1.000Z", time) if isinstance(time, str) else time))

KINDS = (
    Kind(
        "long texts",
        ("omitted with a summary of 1,024 characters",),
        sends(in_field("summary", lambda text: text[:1000])),
        ESCAPED,
    ),
    Kind(
        "several lines",
        ("omitted with a description",),
        sends(in_field("description", lambda text: text.replace(".\n", ". "))),
        PLAIN,
    ),
    Kind(
        "many scripts",
        ("omitted with a summary in many scripts",),
        sends(in_field("summary", lambda text: text.encode("utf-16-be").decode("utf-16-be").replace("🚀", "??"))),
        ESCAPED,
    ),
    Kind(
        "decomposed letters",
        ("the provider description 'e\u0301 is not \u00e9'",),
        sends(in_conferencing("provider_description", lambda text: unicodedata.normalize("NFC", text))),
        PLAIN,
    ),
    Kind(
        "queries of URLs",
        ("the URL 2, https://example.com/j/1?pwd=AbC%2Fd%3D%3D&x=a+b&x=2&empty=",),
        sends(in_conferencing("join_url", query_by_name)),
        sends(in_conferencing("join_url", lambda url: url.replace("https://example.com/", "HTTPS://Example.com:443/"))),
    ),
    Kind(
        "ids of digits",
        ("the event id 0012",),
        made(
            upsert_event=lambda self, calendar_id, event: Client.upsert_event(
                self, calendar_id, {**event, "event_id": re.sub(r"^0+(?=\d)", "", event["event_id"])}
            )
        ),
        made(
            delete_event=lambda self, calendar_id, event_id: self.request(
                "DELETE", f"/v1/calendars/{calendar_id.replace('_', '%5F')}/events", data={"event_id": event_id}
            )
        ),
    ),
    Kind(
        "attendees",
        ("omitted with five attendees",),
        sends(in_field("attendees", lambda value: {**value, "invite": value["invite"][:4]})),
        sends(in_field("attendees", lambda value: {**value, "remove": None})),
    ),
    Kind(
        "subscriptions",
        ("omitted with three subscriptions",),
        sends(in_field("subscriptions", lambda value: value[:2])),
        PLAIN,
    ),
    Kind(
        "interactions",
        ("omitted with subscriptions",),
        sends(
            in_field(
                "subscriptions", lambda value: [{**one, "interactions": one["interactions"][-1:]} for one in value]
            )
        ),
        ESCAPED,
    ),
    Kind(
        "numbers",
        ("omitted with an unknown field",),
        sends(BROKEN_JSON),
        sends(in_field("x_future", lambda value: each(lambda part: float(part) if type(part) is int else part, value))),
    ),
    Kind(
        "empty objects and arrays",
        ("omitted with empty objects and arrays",),
        sends(in_field("x_empty", lambda value: each(without_empty, value))),
        PLAIN,
    ),
    Kind(
        "time zones",
        ("omitted with times in Europe/London",),
        sends(in_times(lambda time: time["time"] if isinstance(time, dict) else time)),
        sends(in_times(with_offset)),
    ),
    Kind(
        "offsets",
        ("omitted with offsets",),
        sends(in_times(lambda time: re.sub(r"[+-]\d\d:\d\d$", "Z", time) if isinstance(time, str) else time)),
        sends(in_times(to_utc)),
    ),
    Kind(
        "what is asked about the answer alone",
        ("omitted with no privacy",),
        sends(lambda event: {name: value for name, value in event.items() if value is not False}),
        sends(lambda event: {**event, "include_userinfo": True}),
    ),
    Kind(
        "dates",
        ("omitted with dates",),
        sends(in_times(lambda time: f"{time}T00:00:00Z" if len(time) == 10 else time)),
        sends(lambda event: event.setdefault("tzid", "Etc/UTC") and None),
    ),
    Kind(
        "far times",
        ("omitted with a time in the far future",),
        sends(in_times(lambda time: re.sub("^21", "20", time) if isinstance(time, str) else time)),
        MILLISECONDS,
    ),
    Kind(
        "seconds",
        ("omitted with seconds",),
        sends(in_times(lambda time: re.sub(r":\d\dZ$", ":00Z", time) if isinstance(time, str) else time)),
        MILLISECONDS,
    ),
    *(
        Kind(
            f"a write that is answered {status}",
            (f"a write that is answered {status}",),
            swallows("POST", status),
            retries(again),
        )
        for status in (401, 402, 403, 404, 423, 499, 500, 503)
    ),
    *(
        Kind(
            f"a read that is answered {status}",
            (f"a read that is answered {status}",),
            swallows("GET", status),
            ESCAPED,
        )
        for status in (401, 500)
    ),
    Kind(
        "a read that is answered 429",
        ("a read that is answered 429",),
        swallows("GET", 429),
        PLAIN,
        frozenset({"the last answer after a retry"}),
    ),
    Kind("a list that is answered 503", ("a list that is answered 503",), swallows("GET", 503), PLAIN),
    *(
        Kind(
            f"a delete that is answered {status}",
            (f"a delete that is answered {status}",),
            swallows("DELETE", status),
            PLAIN,
        )
        for status in (403, 404, 504)
    ),
    Kind("a body for people", ("a read that is answered 502",), made(request=wants_json_in_errors), PLAIN),
    Kind(
        "several errors of a 422", ("a 422 with several fields",), answers(first_field), answers(errors_in_the_message)
    ),
    Kind("the last answer after a retry", ("a 429, then success",), retries(again_and_raise), retries(again)),
    Kind(
        "an empty page",
        ("the second of four pages is empty",),
        reading(until_an_empty_page),
        reading(by_recursion_and_twice),
    ),
    Kind(
        "one id on two calendars",
        ("one event id on two calendars",),
        remembering(upsert_event=where_it_was),
        gives(lambda event: {name: value for name, value in event.items() if name != "calendar_id"}),
    ),
    Kind(
        "null and an empty text",
        ("a conference without a provider name is read",),
        gives(in_no_name(lambda conference: conference.update(provider_name=""))),
        gives(in_no_name(lambda conference: conference.pop("provider_name"))),
        frozenset({"queries of URLs", "one id on two calendars", "ids of digits", "what was deleted"}),
    ),
    Kind(
        "what was deleted",
        ("the event id qTtZdczOccgaPncGJaCiLg",),
        remembering(read_events=still_known),
        remembering(delete_event=deletes_and_looks),
        frozenset({"ids of digits"}),
    ),
)


def link_alone(self: Memory, calendar_id: str, event: Mapping[str, Any]) -> None:
    old, new = self.known.get((calendar_id, event["event_id"])), event.get("conferencing") or {}
    self.known[calendar_id, event["event_id"]] = new
    both = old is not None and old.get("profile_id") == new.get("profile_id") == "explicit"
    left = {name: value for name, value in event.items() if name != "conferencing"}
    Client.upsert_event(self, calendar_id, left if both else event)


def refused_fields_stay(self: Memory, calendar_id: str, event: Mapping[str, Any]) -> None:
    rest = self.known.pop(("", ""), {})
    try:
        Client.upsert_event(self, calendar_id, {**rest, **event})
    except httpx.HTTPStatusError:
        self.known["", ""] = {name: event[name] for name in ("conferencing", "description") if name in event}
        raise


def put_off(self: Memory, calendar_id: str, event: Mapping[str, Any]) -> None:
    try:
        Client.upsert_event(self, calendar_id, event)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != 429:
            raise


def without_conferencing(client: Client, _error: object, call: JSON) -> None:
    call["event"].pop("conferencing", None)
    Client.upsert_event(client, **call)


def reads_from_memory(self: Memory, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
    key = (json.dumps(params), json.dumps(calendar_ids))
    if key not in self.known:
        self.known[key] = {"events": Client.read_events(self, params, calendar_ids)}
    return list(self.known[key]["events"])


def remembers_links(self: Memory, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
    events = Client.read_events(self, params, calendar_ids)
    self.known.update({("", event["event_id"]): event.get("conferencing") or {} for event in events})
    return events


def keeps_links(self: Memory, calendar_id: str, event: Mapping[str, Any]) -> None:
    read = self.known.get(("", event["event_id"]), {})
    kept = {"profile_id": "explicit", "provider_description": "Kept", "join_url": read.get("join_url")}
    Client.upsert_event(self, calendar_id, {"conferencing": kept, **event} if read.get("join_url") else event)


def subscribes_again(self: Memory, calendar_id: str, event: Mapping[str, Any]) -> None:
    key = (calendar_id, event["event_id"])
    body = {**self.known.get(key, {}), **event}
    self.known[key] = {name: body[name] for name in ("subscriptions",) if name in body}
    Client.upsert_event(self, calendar_id, body)


def signed(same: Callable[[str, str], bool]) -> type[HttpxAdapter]:
    def verify(self: HttpxAdapter, params: Mapping[str, Any]) -> JSON:
        body = base64.b64decode(params["body_base64"])
        right = base64.b64encode(hmac.digest(params["client_secret"].encode(), body, "sha256")).decode()
        return {"valid": any(same(part.strip(), right) for part in params["header"].split(","))}

    return type("Verifying", (HttpxAdapter,), {"verify_notification": verify})


TRIED_AGAIN = ("a 429, then success",)

#: Broken by what comes after what, with the cases that show it.
SEQUENCES: dict[str, tuple[tuple[str, ...], type[HttpxAdapter]]] = {
    "an update that changes the link alone is sent without conferencing": (
        ("explicit, then the same with another link",),
        remembering(upsert_event=link_alone),
    ),
    "the fields of a refused event are sent with the next one": (
        TRIED_AGAIN,
        remembering(upsert_event=refused_fields_stay),
    ),
    "what is pending is given the conference that was there before": (
        ("a conference that was read, then another that is pending",),
        remembering(read_events=masks_pending),
    ),
    "an event at the time of the one before it is lost between pages": (
        ("an event on each of three pages is read",),
        reading(without_an_overlap),
    ),
    "a write that is answered 429 is put off and told as done": (TRIED_AGAIN, remembering(upsert_event=put_off)),
    "a write is tried again without its conferencing": (TRIED_AGAIN, retries(without_conferencing)),
    "readings are answered from memory": (("the event id 0012",), remembering(read_events=reads_from_memory)),
    "a link that was read is sent with an update": (
        ("a conference that was read, then an update that leaves conferencing out",),
        remembering(upsert_event=keeps_links, read_events=remembers_links),
    ),
    "subscriptions are sent again with an update": (
        ("subscriptions, then an update without them",),
        remembering(upsert_event=subscribes_again),
    ),
    "the beginning of a signature is taken for all of it": (
        ("signatures of notifications",),
        signed(lambda given, right: right.startswith(given)),
    ),
    "letters are sent in their compatible forms": (
        ("the provider description '½ of Room™ … ﬁve \uff21\\xa0Ω'",),
        sends(in_conferencing("provider_description", lambda text: unicodedata.normalize("NFKC", text))),
    ),
    "a join URL is given back without its escapes": (
        ("the URL 5, https://example.com/%7Euser/%E4%BC%9A/a%2Fb",),
        gives(in_conferencing("join_url", unquote)),
    ),
}


async def _played(driver: HttpxAdapter, cases: Sequence[Case], run: CertificationRun) -> frozenset[str]:
    """The names of the cases that the client fails."""
    failing = set[str]()
    current = CurrentStub()

    def note(case: Case, found: Mapping[str, object]) -> None:
        if found:
            failing.add(case.name)

    async with gateway_with(current) as gateway:
        await play(await session(InProcess(driver), gateway, current), tuple(cases), run, note)
    driver.client.close()
    return frozenset(failing)


def failing(made: type[HttpxAdapter], names: Sequence[str]) -> frozenset[str]:
    return asyncio.run(_played(made(), [CASES[name] for name in names], CertificationRun(CallJudge(RULES))))


ALL = tuple(dict.fromkeys(name for kind in KINDS for name in kind.cases))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_alone_catches_the_client_that_it_breaks_and_accuses_no_legal_one(kind: Kind) -> None:
    others = {name for other in KINDS if other.name in kind.also for name in other.cases}
    assert failing(kind.broken, ALL) - others == set(kind.cases)
    assert failing(kind.legal, kind.cases) == frozenset()


@pytest.mark.parametrize("name", SEQUENCES)
def test_what_one_call_leaves_to_the_next_is_caught(name: str) -> None:
    cases, broken = SEQUENCES[name]
    assert failing(broken, cases) == set(cases)
    assert failing(HttpxAdapter, cases) == frozenset()


def test_two_fields_that_are_lost_are_two_defects_and_one_that_is_lost_often_is_one() -> None:
    lossy = sends(lambda event: {name: value for name, value in event.items() if name not in ("color", "reminders")})
    names = [
        f"{kind} with {what}" for what in ("a colour", "reminders", "all fields") for kind in ("omitted", "explicit")
    ]
    run = CertificationRun(CallJudge(RULES))
    asyncio.run(_played(lossy(), [CASES[name] for name in names], run))
    causes = {rule: len(tally.causes) for rule, tally in run.judge.report.tallies.items() if tally.failed}
    assert causes == {"event-fields-are-sent-as-requested": 2}


def test_a_client_may_ask_for_deleted_events_too_and_pass_over_them() -> None:
    def read_events(self: Client, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        events = Client.read_events(self, {**params, "include_deleted": True}, calendar_ids)
        return [event for event in events if not event["deleted"]]

    names = [name for name, case in CASES.items() if any(step.call.method == "delete_event" for step in case.steps)]
    assert names
    assert failing(made(read_events=read_events), names) == frozenset()
