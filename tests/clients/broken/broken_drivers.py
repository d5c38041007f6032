"""Clients that are broken on purpose, each in one way: small changes to the httpx example.

``python broken_drivers.py NAME`` speaks the driver protocol as that client.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from conformance.clients.driver.adapters.driver_httpx import Client
from conformance.clients.driver.adapters.driver_httpx import HttpxAdapter as Driver

JSON = dict[str, Any]


@dataclass(frozen=True)
class Broken:
    """A broken client: the rules that catch it, most often one alone, and its driver."""

    rules: frozenset[str]
    title: str
    driver: type[Driver]


BROKEN: dict[str, Broken] = {}


def _driver(client: type[Client]) -> type[Driver]:
    return type(client.__name__, (Driver,), {"client_class": client})


def breaks(rule: str, title: str, name: str | None = None, *others: str) -> Callable[[Any], Any]:
    """Enters a class, a client's or a driver's, in the table of broken ones, under its rule's name or another."""

    def enter(made: Any) -> Any:
        driver = made if issubclass(made, Driver) else _driver(made)
        assert (name or rule) not in BROKEN
        BROKEN[name or rule] = Broken(frozenset({rule, *others}), title, driver)
        return made

    return enter


def sends(rule: str, title: str, name: str | None = None) -> Callable[[Callable[[JSON], JSON]], None]:
    """Enters a client that sends another body than the one it was asked to."""

    def enter(change: Callable[[JSON], JSON]) -> None:
        class Changed(Client):
            def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
                super().upsert_event(calendar_id, change(json.loads(json.dumps(event))))

        breaks(rule, title, name)(Changed)

    return enter


def gives(rule: str, title: str, name: str | None = None) -> Callable[[Callable[[JSON], JSON]], None]:
    """Enters a client that gives back another event than the one that it read."""

    def enter(change: Callable[[JSON], JSON]) -> None:
        class Changed(Client):
            def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
                return [change(event) for event in super().read_events(params, calendar_ids)]

        breaks(rule, title, name)(Changed)

    return enter


# what is asked and what is sent


def _asks(event: JSON, kind: str) -> bool:
    return (event.get("conferencing") or {}).get("profile_id") == kind


@sends("conferencing-is-sent-when-requested", "takes none for nothing")
def _(event: JSON) -> JSON:
    if _asks(event, "none"):
        del event["conferencing"]
    return event


@sends("profile-id-is-sent-as-requested", "sends default for integrated")
def _(event: JSON) -> JSON:
    if _asks(event, "integrated"):
        event["conferencing"]["profile_id"] = "default"
    return event


@sends("join-url-is-sent-as-requested", "lower-cases the join URL")
def _(event: JSON) -> JSON:
    if _asks(event, "explicit"):
        event["conferencing"]["join_url"] = event["conferencing"]["join_url"].lower()
    return event


@sends("join-url-is-sent-as-requested", "cuts the join URL at 255 characters", "cuts-the-join-url")
def _(event: JSON) -> JSON:
    if _asks(event, "explicit"):
        event["conferencing"]["join_url"] = event["conferencing"]["join_url"][:255]
    return event


@sends("join-url-is-sent-as-requested", "escapes the join URL's escapes", "escapes-escapes")
def _(event: JSON) -> JSON:
    if _asks(event, "explicit"):
        event["conferencing"]["join_url"] = event["conferencing"]["join_url"].replace("%", "%25")
    return event


@sends("provider-description-is-sent-as-requested", "escapes unicode twice")
def _(event: JSON) -> JSON:
    if _asks(event, "explicit"):
        text = event["conferencing"]["provider_description"]
        event["conferencing"]["provider_description"] = json.dumps(text)[1:-1]
    return event


@sends("no-conferencing-field-is-invented", "names a provider for whatever is asked")
def _(event: JSON) -> JSON:
    if _asks(event, "default"):
        event["conferencing"]["provider_description"] = "Our conferencing"
    return event


@sends("event-times-are-sent-as-requested", "drops the time zone of a time")
def _(event: JSON) -> JSON:
    for name in ("start", "end"):
        if isinstance(event[name], dict):
            event[name] = event[name]["time"]
    return event


@sends("event-fields-are-sent-as-requested", "drops the description")
def _(event: JSON) -> JSON:
    return {name: value for name, value in event.items() if name != "description" or not value}


@sends("event-fields-are-sent-as-requested", "sends what is false as absent", "drops-false")
def _(event: JSON) -> JSON:
    return {name: value for name, value in event.items() if value is not False}


@sends("no-event-field-is-invented", "gives every event a colour")
def _(event: JSON) -> JSON:
    return {"color": "#000000", **event}


@sends("subscriptions-are-sent-as-requested", "drops the subscriptions")
def _(event: JSON) -> JSON:
    event.pop("subscriptions", None)
    return event


@sends("ids-are-sent-as-requested", "lower-cases event ids")
def _(event: JSON) -> JSON:
    return {**event, "event_id": event["event_id"].lower()}


class _Remembering(Client):
    def __init__(self, base_url: str, access_token: str) -> None:
        super().__init__(base_url, access_token)
        self.known: dict[tuple[str, str], JSON] = {}

    def remember(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        before = self.known.get((calendar_id, event["event_id"]), {})
        self.known[calendar_id, event["event_id"]] = {**before, **event}


@breaks(
    "omitted-sends-no-conferencing",
    "sends null when no conferencing was asked for a new event",
    "sends-null",
    "conferencing-is-not-null",
)
class _SendsNull(_Remembering):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        new = (calendar_id, event["event_id"]) not in self.known and "location" not in event
        self.remember(calendar_id, event)
        super().upsert_event(calendar_id, {"conferencing": None, **event} if new else event)


@breaks("unrequested-conferencing-is-not-repeated-on-update", "sends the old conferencing again with an update")
class _SendsAgain(_Remembering):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        old = self.known.get((calendar_id, event["event_id"]), {})
        again = {"conferencing": old["conferencing"]} if _asks(old, "explicit") else {}
        self.remember(calendar_id, event)
        super().upsert_event(calendar_id, {**again, **event})


@breaks("a-write-is-sent", "does not send none")
class _SkipsNone(Client):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        if not _asks(dict(event), "none"):
            super().upsert_event(calendar_id, event)


@breaks("a-delete-is-sent", "does not send deletions")
class _SkipsDeletions(Client):
    def delete_event(self, calendar_id: str, event_id: str) -> None:
        pass


@breaks("a-read-is-sent", "lists the calendars once and for all")
class _Caches(Client):
    calendars: list[JSON] | None = None

    def list_calendars(self) -> list[JSON]:
        if self.calendars is None:
            self.calendars = super().list_calendars()
        return self.calendars


@breaks("nothing-unrequested-is-written", "deletes an event before it writes it")
class _Replaces(Client):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        with contextlib.suppress(httpx.HTTPStatusError):
            self.delete_event(calendar_id, event["event_id"])
        super().upsert_event(calendar_id, event)


@breaks("a-refused-write-is-not-repeated", "tries a 422 again")
class _TriesAgain(Client):
    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        try:
            return super().request(method, url, **options)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 422:
                raise
            return super().request(method, url, **options)


@breaks("an-accepted-write-is-not-repeated", "sends every deletion twice")
class _DeletesTwice(Client):
    def delete_event(self, calendar_id: str, event_id: str) -> None:
        super().delete_event(calendar_id, event_id)
        super().delete_event(calendar_id, event_id)


@breaks("an-accepted-write-is-not-repeated", "writes everything twice", "writes-twice")
class _WritesTwice(Client):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        super().upsert_event(calendar_id, event)
        super().upsert_event(calendar_id, event)


@breaks("a-reading-covers-what-was-requested", "reads the calendars that it was first told")
class _ReadsTheFirst(Client):
    first: Sequence[str] | None = None

    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        self.first = self.first or calendar_ids
        return super().read_events(params, self.first)


@breaks("a-reading-covers-what-was-requested", "reads from a day to a day", "reads-from-a-day-to-a-day")
class _ReadsADay(Client):
    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        return super().read_events({"from": "2026-11-01", "to": "2026-11-02", **params}, calendar_ids)


# what is said and what is told


class _Swallowing(Client):
    statuses: tuple[int, ...] = ()
    methods: tuple[str, ...] = ("POST",)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        try:
            return super().request(method, url, **options)
        except httpx.HTTPStatusError as error:
            if error.response.status_code in self.statuses and method in self.methods:
                return error.response
            raise


@breaks("a-422-is-reported", "takes a 422 for done")
class _Swallows422(_Swallowing):
    statuses = (422,)


@breaks("a-refusal-is-reported", "takes a 403 for done")
class _Swallows403(_Swallowing):
    statuses = (403,)


@breaks("a-refusal-is-reported", "takes a reading that is answered 403 for an empty one", "takes-a-refused-reading")
class _SwallowsReadings(Client):
    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        try:
            return super().read_events(params, calendar_ids)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 403:
                raise
            return []


@breaks("what-was-not-found-is-not-told-as-deleted", "takes a deletion that is answered 404 for done")
class _SwallowsNotFound(_Swallowing):
    statuses = (404,)
    methods = ("DELETE",)


@sends("null-is-not-an-empty-text", "leaves out what is empty")
def _(event: JSON) -> JSON:
    return {name: value for name, value in event.items() if value != ""}


@gives("null-is-not-an-empty-text", "gives back an empty text for null", "empty-for-null")
def _(event: JSON) -> JSON:
    nameless = "provider_name" in (event.get("conferencing") or {}) and event["conferencing"]["provider_name"] is None
    return _with(event, provider_name="") if nameless else event


@breaks("the-fields-of-a-422-are-reported", "tells the first field of a 422 only")
class _TellsOneField(Driver):
    def answer(self, method: str, params: Mapping[str, Any]) -> JSON:
        answer = super().answer(method, params)
        errors = answer.get("error", {}).get("data", {}).get("errors", {})
        for name in list(errors)[1:]:
            del errors[name]
        return answer


@breaks("a-reported-status-is-the-servers", "calls every refusal a 500")
class _TellsA500(Driver):
    def answer(self, method: str, params: Mapping[str, Any]) -> JSON:
        answer = super().answer(method, params)
        if "data" in answer.get("error", {}):
            answer["error"]["data"]["status"] = 500
        return answer


@breaks("the-status-of-a-refusal-is-reported", "tells of refusals without their status")
class _TellsNoStatus(Driver):
    def answer(self, method: str, params: Mapping[str, Any]) -> JSON:
        answer = super().answer(method, params)
        answer.get("error", {}).get("data", {}).pop("status", None)
        return answer


@breaks("valid-answers-raise-no-error", "takes a 202 for an error, and tells its status", "takes-a-202-for-an-error")
class _Wants200(Client):
    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        response = super().request(method, url, **options)
        if response.status_code != 200:
            raise httpx.HTTPStatusError("not OK", request=response.request, response=response)
        return response


@gives("valid-answers-raise-no-error", "chokes on a provider that it does not know")
def _(event: JSON) -> JSON:
    provider = (event.get("conferencing") or {}).get("provider_name")
    if provider not in (None, "8x8", "go_to", "google_meet", "ms_teams", "ms_teams_for_business", "zoom"):
        raise ValueError(f"{provider} is not a valid Provider")
    return event


@breaks("valid-answers-raise-no-error", "wants JSON in the answer to a write", "wants-json")
class _WantsJson(Client):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        self.request("POST", f"/v1/calendars/{calendar_id}/events", json=event).json()


@gives("valid-answers-raise-no-error", "wants conferencing on every event", "wants-conferencing")
def _(event: JSON) -> JSON:
    event["conferencing"] = dict(event["conferencing"])
    return event


@breaks("every-page-is-read", "reads the first page only")
class _FirstPage(Client):
    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        query = {**params, "calendar_ids[]": list(calendar_ids)}
        events: list[JSON] = self.request("GET", "/v1/events", params=query).json()["events"]
        return events


@breaks("every-page-is-read", "counts pages up instead of following next_page", "counts-pages")
class _CountsPages(Client):
    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        query = {**params, "calendar_ids[]": list(calendar_ids)}
        page = self.request("GET", "/v1/events", params=query).json()
        events = list(page["events"])
        for number in range(2, page["pages"]["total"] + 1):
            events += self.request("GET", "/v1/events", params={**query, "page": number}).json()["events"]
        return events


@breaks("events-read-are-returned", "leaves out events without conferencing")
class _LeavesOut(Client):
    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        return [event for event in super().read_events(params, calendar_ids) if event.get("conferencing")]


@breaks("no-event-is-invented", "gives back events that it wrote and the server deleted")
class _MakesUp(_Remembering):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        super().upsert_event(calendar_id, event)
        self.remember(calendar_id, event)

    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        events = super().read_events(params, calendar_ids)
        known = {event.get("event_id") for event in events}
        return events + [event for (_, name), event in self.known.items() if name not in known]


def _with(event: JSON, **changes: Any) -> JSON:
    return {**event, "conferencing": {**event["conferencing"], **changes}}


@gives("pending-conferencing-is-returned", "turns pending into nothing")
def _(event: JSON) -> JSON:
    pending = (event.get("conferencing") or {}).get("pending")
    return {**event, "conferencing": None} if pending else event


@gives("assigned-conferencing-is-returned", "has another name for a provider")
def _(event: JSON) -> JSON:
    zoom = (event.get("conferencing") or {}).get("provider_name") == "zoom"
    return _with(event, provider_name="Zoom Meetings") if zoom else event


@gives("a-null-provider-name-is-returned", "names the provider that has no name")
def _(event: JSON) -> JSON:
    conferencing = event.get("conferencing") or {}
    nameless = "join_url" in conferencing and conferencing.get("provider_name") is None
    return _with(event, provider_name="None") if nameless else event


@gives("an-unknown-provider-name-is-returned", "calls a provider that it does not know other")
def _(event: JSON) -> JSON:
    provider = (event.get("conferencing") or {}).get("provider_name")
    known = (None, "8x8", "go_to", "google_meet", "ms_teams", "ms_teams_for_business", "zoom")
    return event if provider in known else _with(event, provider_name="other")


@gives("absent-conferencing-is-returned-as-none", "calls an event without conferencing pending")
def _(event: JSON) -> JSON:
    return {"conferencing": {"pending": True}, **event} if event.get("conferencing") is None else event


@breaks("calendars-are-returned", "leaves out calendars without integrated conferencing")
class _LeavesCalendarsOut(Client):
    def list_calendars(self) -> list[JSON]:
        return [c for c in super().list_calendars() if c["calendar_integrated_conferencing_available"]]


@breaks("availability-is-returned", "takes what is there for true")
class _TakesForTrue(Client):
    def list_calendars(self) -> list[JSON]:
        flag = "calendar_integrated_conferencing_available"
        return [{**calendar, flag: flag in calendar} for calendar in super().list_calendars()]


# the wire


@breaks("a-body-is-json-or-form-encoded", "says that its JSON is plain text")
class _PlainText(Client):
    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        if "json" in options:
            options = {"content": json.dumps(options["json"]), "headers": {"Content-Type": "text/plain"}}
        return super().request(method, url, **options)


@breaks("a-client-that-asks-for-conferencing-reads-managed-events", "reads without managed events")
class _ReadsOthers(Client):
    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        kept = {name: value for name, value in params.items() if name not in ("only_managed", "include_managed")}
        return super().read_events(kept, calendar_ids)


@breaks("a-reading-names-its-time-zone", "reads without naming a time zone")
class _ReadsAnywhere(Client):
    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        return super().read_events({name: v for name, v in params.items() if name != "tzid"}, calendar_ids)


@breaks("a-deletion-names-its-event", "names the event to delete in the query")
class _DeletesByQuery(Client):
    def delete_event(self, calendar_id: str, event_id: str) -> None:
        self.request("DELETE", f"/v1/calendars/{calendar_id}/events", params={"event_id": event_id}, json={})


@breaks("calendar-ids-are-a-list", "sends calendar_ids without brackets")
class _NoBrackets(Client):
    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[JSON]:
        return super().read_events({**params, "calendar_ids": list(calendar_ids)})


@breaks("events-are-written-with-post", "tries PUT first")
class _TriesPut(Client):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        try:
            self.request("PUT", f"/v1/calendars/{calendar_id}/events", json=event)
        except httpx.HTTPStatusError:
            super().upsert_event(calendar_id, event)


@breaks("a-batch-has-the-documented-form", "puts whole URLs into a batch")
class _WholeUrls(Client):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        url = str(self._http.base_url.join(f"/v1/calendars/{calendar_id}/events"))
        self.request(
            "POST", "/v1/batch", json={"batch": [{"method": "POST", "relative_url": url, "data": dict(event)}]}
        )


@breaks("requests-carry-a-bearer-token", "brings its token only when it is asked to")
class _TokenLater(Client):
    def list_calendars(self) -> list[JSON]:
        httpx.get(self._http.base_url.join("/v1/calendars"))
        return super().list_calendars()


@breaks("requests-carry-the-token-that-was-given", "tries an old token first")
class _OldToken(Client):
    def list_calendars(self) -> list[JSON]:
        httpx.get(self._http.base_url.join("/v1/calendars"), headers={"Authorization": "Bearer old"})
        return super().list_calendars()


class _Half(Driver):
    """An adapter that says that its client cannot do something, and sends what the client makes of it."""

    def change(self, event: JSON) -> JSON | None:
        """What the client makes of an event that it has no means for; None for what it can do."""
        raise NotImplementedError

    def answer(self, method: str, params: Mapping[str, Any]) -> JSON:
        changed = self.change(json.loads(json.dumps(params["event"]))) if method == "upsert_event" else None
        if changed is None:
            return super().answer(method, params)
        super().answer(method, {**params, "event": changed})
        return {"error": {"code": -32601, "message": "the client has no means for it"}}


def sends_anyway(rule: str, title: str, name: str | None = None) -> Callable[[Callable[[JSON], JSON | None]], None]:
    """Enters a client that cannot do what it is asked, and sends something all the same."""

    def enter(change: Callable[[JSON], JSON | None]) -> None:
        breaks(rule, title, name)(type("Changed", (_Half,), {"change": lambda _, event: change(event)}))

    return enter


@sends_anyway("explicit-has-a-join-url", "sends explicit without its join URL")
def _(event: JSON) -> JSON | None:
    if not _asks(event, "explicit"):
        return None
    del event["conferencing"]["join_url"]
    return event


@sends_anyway("explicit-names-its-provider", "sends explicit without its provider description")
def _(event: JSON) -> JSON | None:
    if not _asks(event, "explicit"):
        return None
    del event["conferencing"]["provider_description"]
    return event


@sends_anyway("an-explicit-join-url-is-http", "sends a join URL for its own application")
def _(event: JSON) -> JSON | None:
    if not _asks(event, "explicit"):
        return None
    event["conferencing"]["join_url"] = "zoommtg://zoom.us/join?confno=1"
    return event


@sends_anyway("conferencing-names-a-profile-id", "sends conferencing without a profile id")
def _(event: JSON) -> JSON | None:
    if not _asks(event, "default"):
        return None
    event["conferencing"] = {"provider": "default"}
    return event


@sends_anyway("8x8-is-not-requested", "sends 8x8 for default")
def _(event: JSON) -> JSON | None:
    if not _asks(event, "default"):
        return None
    event["conferencing"] = {"profile_id": "8x8"}
    return event


@sends_anyway("the-location-is-left-blank", "writes the join URL into the location too")
def _(event: JSON) -> JSON | None:
    if not _asks(event, "explicit"):
        return None
    event["location"] = {"description": event["conferencing"]["join_url"]}
    return event


@sends_anyway("an-event-has-its-required-fields", "sends an update without what has not changed")
def _(event: JSON) -> JSON | None:
    if event["summary"] != "Moved":
        return None
    del event["summary"]
    return event


# caught by several rules


@breaks(
    "join-url-is-sent-as-requested",
    "sends only the profile id, as a client once did",
    "drops-all-but-the-profile-id",
    "provider-description-is-sent-as-requested",
    "explicit-has-a-join-url",
    "explicit-names-its-provider",
)
class _OnlyProfileId(Client):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        if event.get("conferencing"):
            event = {**event, "conferencing": {"profile_id": event["conferencing"]["profile_id"]}}
        super().upsert_event(calendar_id, event)


# what conferencing is


@breaks("omitted-sends-no-conferencing", "asks for default conferencing when none was asked for a new event")
class _SendsDefault(_Remembering):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        new = (calendar_id, event["event_id"]) not in self.known and "location" not in event
        self.remember(calendar_id, event)
        super().upsert_event(calendar_id, {"conferencing": {"profile_id": "default"}, **event} if new else event)


@sends_anyway("conferencing-is-not-null", "sends null for default")
def _(event: JSON) -> JSON | None:
    return {**event, "conferencing": None} if _asks(event, "default") else None


@sends_anyway("conferencing-names-a-profile-id", "sends a word for default", "conferencing-is-a-word")
def _(event: JSON) -> JSON | None:
    return {**event, "conferencing": "default"} if _asks(event, "default") else None


@sends_anyway("conferencing-names-a-profile-id", "sends nothing in conferencing", "conferencing-is-empty")
def _(event: JSON) -> JSON | None:
    return {**event, "conferencing": {}} if _asks(event, "default") else None


class _LooksFirst(Client):
    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        if _asks(dict(event), "Zoom"):
            self.request("GET", "/v1/userinfo")
        super().upsert_event(calendar_id, event)


@breaks("a-profile-id-is-built-in-or-listed", "sends the name of a service for default")
class _NamesAService(_Half):
    client_class = _LooksFirst

    def change(self, event: JSON) -> JSON | None:
        return {**event, "conferencing": {"profile_id": "Zoom"}} if _asks(event, "default") else None


@sends_anyway("an-explicit-join-url-is-http", "does not escape the spaces of a join URL", "sends-spaces")
def _(event: JSON) -> JSON | None:
    if not _asks(event, "explicit"):
        return None
    event["conferencing"]["join_url"] += "?topic=Board meeting"
    return event


# the event around it


@sends_anyway("texts-have-their-documented-length", "lays descriptions out in lines of 4,097 characters")
def _(event: JSON) -> JSON | None:
    if "description" not in event:
        return None
    return {**event, "description": event["description"].ljust(4097, ".")}


@sends_anyway("times-have-a-documented-form", "writes times as its language prints them")
def _(event: JSON) -> JSON | None:
    if not _asks(event, "explicit") or not isinstance(event["start"], str):
        return None
    return {**event, **{name: event[name].replace("T", " ") for name in ("start", "end")}}


@sends_anyway("the-location-is-left-blank", "sends the place of its office as coordinates", "sends-coordinates")
def _(event: JSON) -> JSON | None:
    if not _asks(event, "default") or "location" in event:
        return None
    return {**event, "location": {"lat": "48.2", "long": "16.4"}}


@sends_anyway("subscriptions-have-the-documented-form", "subscribes to what the documentation once called success")
def _(event: JSON) -> JSON | None:
    if "subscriptions" not in event:
        return None
    return {
        **event,
        "subscriptions": [{**event["subscriptions"][0], "interactions": [{"type": "conferencing_success"}]}],
    }


@breaks("a-body-is-json-or-form-encoded", "says that its JSON is a JSON Patch", "json-patch")
class _JsonPatch(Client):
    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        if "json" in options:
            options = {
                "content": json.dumps(options["json"]),
                "headers": {"Content-Type": "application/json-patch+json"},
            }
        return super().request(method, url, **options)


# batches and notifications


@breaks("batch-entries-are-sent-as-requested", "sends the entries of a batch backwards")
class _Backwards(Client):
    def batch(self, entries: Sequence[Mapping[str, Any]]) -> list[JSON]:
        return super().batch(entries[::-1])


@breaks("the-answers-of-a-batch-are-returned", "takes each entry of a batch for done")
class _AllDone(Client):
    def batch(self, entries: Sequence[Mapping[str, Any]]) -> list[JSON]:
        return [{"status": 202} for _ in super().batch(entries)]


@breaks("a-signature-is-verified", "compares the whole header with one signature", "one-signature-alone")
class _OneSignature(Driver):
    def verify_notification(self, params: Mapping[str, Any]) -> JSON:
        return {"valid": "," not in params["header"] and super().verify_notification(params)["valid"]}


@breaks("a-signature-is-verified", "takes every signed notification for genuine")
class _EverySignature(Driver):
    def verify_notification(self, params: Mapping[str, Any]) -> JSON:
        return {"valid": bool(params["header"])}


if __name__ == "__main__":
    BROKEN[sys.argv[1]].driver().run()
