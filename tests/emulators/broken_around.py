"""Wrong ways with what surrounds conferencing: access, calendars, readings, pages, deletion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from .asgi_decisions import JSON, Calendar, Event, Write
from .asgi_decisions import Account as AsgiAccount
from .asgi_messages import Answer, Call, Refusal
from .small_asgi import Emulator
from .small_wsgi import FIELDS, Environ, Query, Reply, Server, Stop
from .variants import wrong
from .wsgi_jobs import Account, Json, Record

# access


@wrong("E2", "Any token is accepted", "should")
class AnyTokenIsAccepted(Emulator):
    def authenticate(self, call: Call) -> AsgiAccount:
        try:
            return super().authenticate(call)
        except Refusal:
            if "authorization" in call.headers:
                return self.accounts[0]
            raise


@wrong("E2", "No token is needed to delete", "should")
class DeleteNeedsNoToken(Emulator):
    def authenticate(self, call: Call) -> AsgiAccount:
        return (
            self.accounts[0]
            if call.method == "DELETE" and "authorization" not in call.headers
            else super().authenticate(call)
        )


@wrong("E2", "Pages after the first need no token", "should")
class PagesNeedNoToken(Emulator):
    def authenticate(self, call: Call) -> AsgiAccount:
        try:
            return super().authenticate(call)
        except Refusal:
            owner = self.pages.get(call.path[-1].partition("-")[0], ("",))[0] if "pages" in call.path else ""
            if owner:
                return next(account for account in self.accounts if account.name == owner)
            raise


@wrong("E2", "Without a token the account of the request before is used", "should")
class TokenIsRemembered(Server):
    def who(self, authorization: str) -> Account:
        remembered: list[str] = self.__dict__.setdefault("remembered", [""])
        account = super().who(authorization or remembered[-1])
        remembered.append(authorization or remembered[-1])
        return account


@wrong("E2", "An unknown token is answered 403", "should")
class UnknownTokenIs403(Server):
    def who(self, authorization: str) -> Account:
        try:
            return super().who(authorization)
        except Stop:
            raise Stop(403) from None


@wrong("2.1", "Events can be written to other accounts' calendars", "should")
class ForeignCalendarIsWritable(Emulator):
    def writable(self, account: AsgiAccount, calendar_id: str) -> Calendar:
        try:
            return super().writable(account, calendar_id)
        except Refusal:
            others = [one for other in self.accounts for one in other.calendars if one.calendar_id == calendar_id]
            if others and others[0] not in account.calendars:
                return others[0]
            raise


@wrong("2.1", "Read-only calendars can be written to", "should")
class ReadOnlyIsWritable(Server):
    def calendar(self, account: Account, name: str) -> dict[str, Json]:
        found = account.calendars.get(name)
        return found if found and found.get("readonly") else super().calendar(account, name)


@wrong("2.1", "Deleted calendars can be written to", "should")
class DeletedCalendarIsWritable(Emulator):
    def writable(self, account: AsgiAccount, calendar_id: str) -> Calendar:
        gone = [one for one in account.calendars if one.deleted and one.calendar_id == calendar_id]
        return gone[0] if gone else super().writable(account, calendar_id)


@wrong("2.8", "Unknown calendars are made when they are written to", "should")
class UnknownCalendarIsMade(Server):
    def calendar(self, account: Account, name: str) -> dict[str, Json]:
        if not any(name in one.calendars for one in self.accounts):
            account.calendars[name] = {"calendar_id": name, "provider_name": "google", "integrated": None}
        return super().calendar(account, name)


@wrong("2.2", "Readings show the events of all accounts", "should")
class ReadingsShowAllAccounts(Emulator):
    def belongs(self, event: Event, account: AsgiAccount) -> bool:
        return True


@wrong("2.1", "Events of one event_id are one event, whatever the calendar", "should")
class CalendarsShareEvents(Emulator):
    def key(self, account: AsgiAccount, calendar: Calendar, event_id: str) -> tuple[str, ...]:
        return (account.name, event_id)


@wrong("2.1", "Explicit conferencing shows on another account's event of the same event_id", "should")
class AccountsShareConferencing(Server):
    def conferencing(self, record: Record) -> Json:
        alike = [
            one
            for key, one in self.records.items()
            if one.get("origin") == "explicit" and "join_url" in (one["conferencing"] or {})
            if key[2] == record["event_id"] and (key == record["key"] or key[0] != record["key"][0])
        ]
        shown = super().conferencing(record)
        shared = shown and "join_url" in shown and record.get("origin") == "explicit" and alike
        return max(alike, key=lambda one: float(one["updated"]))["conferencing"] if shared else shown


# calendars and userinfo


@wrong("B12", "The calendars' flag says the opposite")
class FlagIsInverted(Server):
    def available(self, one: dict[str, Json]) -> Json:
        return not super().available(one)


@wrong("B12", "The calendars' flag is a text")
class FlagIsText(Emulator):
    def available(self, calendar: Calendar) -> JSON:
        return str(super().available(calendar)).lower()


@wrong("B12", "The calendars' flag is always true")
class FlagIsAlwaysTrue(Server):
    def available(self, one: dict[str, Json]) -> Json:
        return True


@wrong("B12", "Calendars that offer integrated conferencing say that they do not")
class FlagIsAlwaysFalse(Emulator):
    def available(self, calendar: Calendar) -> JSON:
        return False


@wrong("B12", "Userinfo and the list of calendars disagree about the flag")
class UserinfoDisagrees(Emulator):
    def userinfo(self, account: AsgiAccount) -> Answer:
        answer = super().userinfo(account)
        for profile in answer.payload["cronofy.data"]["profiles"]:
            for calendar in profile["profile_calendars"]:
                calendar["calendar_integrated_conferencing_available"] = False
        return answer


@wrong("B12", "The list of calendars has no flag")
class CalendarsHaveNoFlag(Emulator):
    def list_calendars(self, account: AsgiAccount) -> Answer:
        answer = super().list_calendars(account)
        for calendar in answer.payload["calendars"]:
            del calendar["calendar_integrated_conferencing_available"]
        return answer


@wrong("2.4", "Whether a conferencing profile is connected is a text", "should")
class ConnectedIsText(Server):
    def show_profile(self, profile: dict[str, Json]) -> dict[str, Json]:
        return {**super().show_profile(profile), "profile_connected": "yes" if profile["connected"] else "no"}


@wrong("2.4", "Conferencing profiles go by another name", "should")
class ProfilesHaveNoId(Emulator):
    def conferencing_profiles(self, account: AsgiAccount) -> list[JSON]:
        return [{"id": one.pop("profile_id"), **one} for one in super().conferencing_profiles(account)]


# location


@wrong("E7", "The location is left blank where the calendar has no conferencing fields", "inferred")
class LocationIsNeverFilled(Emulator):
    def location(self, event: Event, conferencing: JSON) -> JSON:
        return event.fields.get("location")


@wrong("E7", "The location keeps the first conference's URL", "inferred")
class LocationKeepsFirstUrl(Server):
    def fill(self, record: Record, url: str) -> None:
        if not record.get("filled"):
            super().fill(record, url)


# readings


@wrong("2.2", "Managed events are shown without a flag", "should")
class ManagedEventsAreAlwaysShown(Emulator):
    def managed(self, call: Call) -> bool:
        return True


@wrong("2.2", "only_managed shows others' events too", "should")
class OnlyManagedShowsAll(Server):
    def read(self, account: Account, query: Query, origin: str) -> Json:
        only = "only_managed" in query
        requested = {name: value for name, value in query.items() if name != "only_managed"}
        return super().read(account, {**requested, "include_managed": ["true"]} if only else requested, origin)


@wrong("2.2", "include_managed is not looked at", "should")
class IncludeManagedIsIgnored(Server):
    def read(self, account: Account, query: Query, origin: str) -> Json:
        return super().read(account, {k: v for k, v in query.items() if k != "include_managed"}, origin)


@wrong("2.2", "The event at the end of a page is on no page", "should")
class PagesLoseEvents(Emulator):
    def paged(self, account: AsgiAccount, pages: list[list[JSON]], call: Call) -> Answer:
        return super().paged(account, [page[: len(page) - (page is not pages[-1])] for page in pages], call)


@wrong("2.2", "The event at the end of a page opens the next one too", "should")
class PagesRepeatEvents(Emulator):
    def paged(self, account: AsgiAccount, pages: list[list[JSON]], call: Call) -> Answer:
        return super().paged(account, [pages[0], *(b[-1:] + p for b, p in pairwise(pages))], call)


@wrong("2.2", "next_page is a path only", "inferred")
class NextPageIsRelative(Server):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"page_size": 3, **options})

    def origin(self, environ: Environ) -> str:
        return ""


@wrong("2.2", "The pages after the first forget only_managed", "should")
class PagesForgetFlags(Server):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"page_size": 2, **options})

    def read(self, account: Account, query: Query, origin: str) -> Json:
        later = {**query, "only_managed": ["false"], "include_managed": ["true"]}
        return super().read(account, later if "page" in query else query, origin)


@wrong("2.2", "calendar_ids[] is not looked at", "should")
class CalendarFilterIsIgnored(Server):
    def read(self, account: Account, query: Query, origin: str) -> Json:
        return super().read(account, {k: v for k, v in query.items() if k != "calendar_ids[]"}, origin)


@wrong("2.2", "Of several calendar_ids[] only the first counts", "should")
class FirstCalendarFilterCounts(Emulator):
    def read(self, account: AsgiAccount, call: Call) -> Answer:
        filters = [pair for pair in call.query if pair[0] == "calendar_ids[]"]
        return super().read(account, replace(call, query=tuple(p for p in call.query if p not in filters[1:])))


@wrong("2.2", "from and to are swapped", "should")
class FromAndToAreSwapped(Emulator):
    def read(self, account: AsgiAccount, call: Call) -> Answer:
        other = {"from": "to", "to": "from"}
        return super().read(account, replace(call, query=tuple((other.get(k, k), v) for k, v in call.query)))


@wrong("2.2", "localized_times is not looked at", "should")
class LocalizedTimesAreIgnored(Emulator):
    def time_json(self, event: Event, name: str, tzid: str | None) -> JSON:
        return super().time_json(event, name, None)


@wrong("2.2", "Times with an offset are shown as if they were UTC", "should")
class OffsetsAreDropped(Server):
    def clock(self, record: Record, name: str, tzid: str | None) -> Json:
        value = record[name]
        offset = isinstance(value, str) and len(value) == len("2026-01-01T00:00:00+00:00") and value[-3] == ":"
        return super().clock({**record, name: value[:19] + "Z"} if offset else record, name, tzid)


@wrong("2.2", "Summaries outside ASCII are garbled", "should")
class SummariesAreGarbled(Emulator):
    def event_json(self, event: Event, at: float, tzid: str | None) -> dict[str, JSON]:
        shown = super().event_json(event, at, tzid)
        return {**shown, "summary": shown["summary"].encode().decode("latin-1")}


@wrong("S1", "Readings with from or to do not show conferencing")
class BoundedReadingsLoseConferencing(Emulator):
    def read(self, account: AsgiAccount, call: Call) -> Answer:
        answer = super().read(account, call)
        if call.one("from") or call.one("to"):
            for event in answer.payload["events"]:
                event.pop("conferencing", None)
        return answer


# writing and deleting


@wrong("2.1", "An update makes a second event", "should")
class UpdatesMakeSecondEvents(Emulator):
    def key(self, account: AsgiAccount, calendar: Calendar, event_id: str) -> tuple[str, ...]:
        return (*super().key(account, calendar, event_id), str(sum(map(len, self.events.values()))))


@wrong("2.1", "Updates that request conferencing lose their other changes", "should")
class ConferencingUpdateLosesChanges(Emulator):
    def merged(self, before: Event | None, fields: Mapping[str, JSON]) -> Mapping[str, JSON]:
        return before.fields if before and self.asking else super().merged(before, fields)

    def store(self, key: tuple[str, ...], write: Write) -> None:
        self.asking = isinstance(write.requested, dict)
        super().store(key, write)


@wrong("2.1", "New times of an event are not taken over", "should")
class TimesAreNotUpdated(Server):
    def merged(self, old: Record, fields: dict[str, Json]) -> Record:
        times: Record = {name: old[name] for name in ("start", "end") if name in old}
        return {**super().merged(old, fields), **times}


@wrong("2.1", "The description is cut after 255 characters", "should")
class DescriptionIsCut(Server):
    def write(self, account: Account, target: dict[str, Json], body: dict[str, Json]) -> Reply:
        text = body.get("description")
        return super().write(account, target, {**body, "description": text[:255]} if isinstance(text, str) else body)


@wrong("2.5", "DELETE does nothing", "should")
class DeleteDoesNothing(Server):
    def delete(self, account: Account, target: dict[str, Json], body: dict[str, Json]) -> Reply:
        return 202, None, {}


@wrong("2.5", "Deleted events are still shown", "should")
class DeletedEventsAreShown(Emulator):
    def wanted(self, event: Event, call: Call) -> bool:
        return super().wanted(replace(event, deleted=False), call)


@wrong("2.5", "DELETE removes all events of the calendar", "should")
class DeleteRemovesAll(Server):
    def delete(self, account: Account, target: dict[str, Json], body: dict[str, Json]) -> Reply:
        done = super().delete(account, target, body)
        for key in [key for key in self.records if key[:2] == (account.name, target["calendar_id"])]:
            if not self.records[key]["deleted"]:
                super().delete(account, target, {"event_id": key[2]})
        return done


@wrong("D3", "An event created again after DELETE has its former conferencing")
class CreatedAgainHasFormerConference(Server):
    def write(self, account: Account, target: dict[str, Json], body: dict[str, Json]) -> Reply:
        key = self.key(account, target, str(body.get("event_id")))
        again = key in self.records and self.records[key]["deleted"]
        former = [one["conferencing"] for _, one in self.history.get(key, []) if one["conferencing"]]
        done = super().write(account, target, body)
        if again and former and "join_url" in former[-1] and "conferencing" not in body:
            self.records[key]["origin"] = "explicit"
            self.put(self.records[key], former[-1])
            self.remember(self.records[key], self.now())
        return done


@wrong("2.8", "Events without required fields are accepted", "inferred")
class RequiredFieldsAreNotRequired(Server):
    def write(self, account: Account, target: dict[str, Json], body: dict[str, Json]) -> Reply:
        times = {"start": "2030-01-01T00:00:00Z", "end": "2030-01-01T01:00:00Z", "summary": "Untitled"}
        given = {name: body[name] for name in (*FIELDS, "conferencing") if body.get(name) is not None}
        return super().write(account, target, {**times, **given})
