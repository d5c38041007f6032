"""Wrong results of explicit, integrated and 8x8, and wrong ways to show them, built on the ASGI emulator."""

from __future__ import annotations

import html
import math
from dataclasses import replace
from urllib.parse import unquote

from .asgi_decisions import JSON, OMITTED, Account, Calendar, Conference, Event, Profile, Write
from .asgi_messages import Answer, Refusal
from .small_asgi import Emulator
from .variants import wrong

Held = Conference | None
Before = Event | None


# explicit


class OtherExplicit(Emulator):
    """Explicit, with the join URL as `spoilt` makes it."""

    def spoilt(self, url: str) -> str:
        return url

    def explicit(self, held: Held, write: Write) -> Held:
        made = super().explicit(held, write)
        return replace(made, url=self.spoilt(made.url)) if made and made.url else made


@wrong("B8", "Explicit join URLs are escaped for HTML")
class ExplicitIsHtmlEscaped(OtherExplicit):
    def spoilt(self, url: str) -> str:
        return html.escape(url)


@wrong("B8", "Explicit join URLs are cut after 255 characters")
class ExplicitIsTruncated(OtherExplicit):
    def spoilt(self, url: str) -> str:
        return url[:255]


@wrong("B8", "Explicit join URLs are percent-decoded")
class ExplicitIsDecoded(OtherExplicit):
    def spoilt(self, url: str) -> str:
        return unquote(url)


@wrong("B8", "A second explicit URL does not replace the first")
class FirstExplicitStays(Emulator):
    def explicit(self, held: Held, write: Write) -> Held:
        return held if held and held.kind == "explicit" else super().explicit(held, write)


@wrong("B8", "On Google calendars explicit is replaced by Google Meet")
class ExplicitOnGoogleIsMeet(Emulator):
    def explicit(self, held: Held, write: Write) -> Held:
        made = super().explicit(held, write)
        if made and write.calendar.integrated == "google_meet":
            return replace(made, provider="google_meet", url=self.new_url("google_meet", write))
        return made


@wrong("S3", "Explicit conferences have no provider_name")
class ExplicitOmitsProviderName(Emulator):
    def details(self, conference: Conference) -> dict[str, JSON]:
        shown = super().details(conference)
        return {
            name: value for name, value in shown.items() if conference.kind != "explicit" or name != "provider_name"
        }


@wrong("B9", "Invalid explicit conferencing is refused but stored", "inferred")
class RefusedExplicitIsStored(Emulator):
    def checked(self, write: Write) -> Write:
        try:
            return super().checked(write)
        except Refusal:
            explicit = isinstance(write.requested, dict) and write.requested.get("profile_id") == "explicit"
            if explicit and not self.malformed(write.fields):
                requested = {"provider_description": "", "join_url": "https://unknown.example.com", **write.requested}
                self.store(
                    self.key(write.account, write.calendar, write.fields["event_id"]),
                    replace(write, requested=requested),
                )
            raise


@wrong("F8", "Any URL will do as an explicit one", "inferred")
class ExplicitTakesAnyScheme(Emulator):
    def senseless(self, write: Write) -> dict[str, str]:
        problems = super().senseless(write)
        return {} if list(problems) == ["conferencing.join_url"] and write.requested.get("join_url") else problems

    def explicit(self, held: Held, write: Write) -> Held:
        return Conference("explicit", None, str(write.requested["join_url"]), write.at)


# integrated


@wrong("B10", "Integrated uses a profile where the account has one")
class IntegratedUsesProfile(Emulator):
    def resolve(self, account: Account, calendar: Calendar, kind: str) -> Profile | None:
        return super().resolve(account, calendar, "default" if kind == "integrated" else kind)


@wrong("X1", "Integrated is accepted and does nothing where it is not available")
class IntegratedIsSilentlyIgnored(Emulator):
    def refused(self, write: Write) -> dict[str, str]:
        return {} if self.kind(write.requested) == "integrated" else super().refused(write)


@wrong("X1", "Refusing integrated removes what the event had", "inferred")
class RefusedIntegratedClears(Emulator):
    def upsert(self, account: Account, calendar: Calendar, body: dict[str, JSON]) -> Answer:
        try:
            return super().upsert(account, calendar, body)
        except Refusal as refusal:
            before = self.newest(self.key(account, calendar, str(body.get("event_id"))))
            if before and "conferencing.profile_id" in str(refusal.answer.payload):
                key = self.key(account, calendar, body["event_id"])
                self.events[key].append((self.now(), replace(before, conference=None)))
            raise


@wrong("X3", "The error for integrated has a key of its own")
class IntegratedErrorHasOtherKey(Emulator):
    def refused(self, write: Write) -> dict[str, str]:
        return {
            name: "conferencing_unavailable" if name[0] == "c" else key for name, key in super().refused(write).items()
        }


@wrong("X3", "The errors of a field are plain strings")
class ErrorsAreStrings(Emulator):
    def upsert(self, account: Account, calendar: Calendar, body: dict[str, JSON]) -> Answer:
        try:
            return super().upsert(account, calendar, body)
        except Refusal as refusal:
            if refusal.answer.payload:
                errors = refusal.answer.payload["errors"]
                flat = {name: [one["key"] for one in found] for name, found in errors.items()}
                return Answer(422, {"errors": flat})
            raise


@wrong("B12", "Integrated is refused on calendars that are not Google's, though they offer it")
class IntegratedIsForGoogleOnly(Emulator):
    def refused(self, write: Write) -> dict[str, str]:
        if self.kind(write.requested) == "integrated" and write.calendar.provider != "google":
            return {"conferencing.profile_id": "integrated_conferencing_not_available"}
        return super().refused(write)


# 8x8 and fields that are not used


@wrong("B15", "8x8 is refused")
class EightIsRefused(Emulator):
    def senseless(self, write: Write) -> dict[str, str]:
        problems = super().senseless(write)
        eight = not problems and write.requested["profile_id"] == "8x8"
        return {"conferencing.profile_id": "not_recognized"} if eight else problems


@wrong("B16", "On updates 8x8 is taken for the default")
class UpdatedEightIsDefault(Emulator):
    def eight(self, held: Held, write: Write) -> Held:
        service = self.resolve(write.account, write.calendar, "default")
        if self.newest(self.key(write.account, write.calendar, write.fields["event_id"])) and service:
            return self.generated(None, None, write, "default", service)
        return super().eight(held, write)


@wrong("F6", "A join URL with another profile is used")
class ExtraUrlIsUsed(Emulator):
    def generated(self, held: Held, before: Before, write: Write, kind: str, service: Profile | None) -> Held:
        made = super().generated(held, before, write, kind, service)
        return (
            replace(made, url=write.requested["join_url"])
            if made and made.url and "join_url" in write.requested
            else made
        )


@wrong("F6", "Explicit's fields with none make an explicit conference")
class ExtraFieldsBeatNone(Emulator):
    def kind(self, requested: JSON) -> str:
        kind = super().kind(requested)
        return "explicit" if kind == "none" and {"provider_description", "join_url"} <= requested.keys() else kind


# pending and assigned


class OtherPending(Emulator):
    """While a conference is pending, the event shows what `instead` gives."""

    def instead(self, conference: Conference) -> JSON:
        raise NotImplementedError

    def shown(self, conference: Held, at: float) -> JSON:
        waiting = conference is not None and at < conference.due and not conference.former
        return self.instead(conference) if waiting and conference else super().shown(conference, at)


@wrong("P1", "Pending is the text 'true'")
class PendingIsText(OtherPending):
    def instead(self, conference: Conference) -> JSON:
        return {"pending": "true"}


@wrong("P1", "Pending is false before there is a conference")
class PendingIsFalse(OtherPending):
    def instead(self, conference: Conference) -> JSON:
        return {"pending": False}


@wrong("P1", "Nothing is shown until the conference is assigned", "inferred")
class OmittedUntilAssigned(OtherPending):
    def instead(self, conference: Conference) -> JSON:
        return OMITTED


@wrong("P1", "The new conference is shown together with pending", "inferred")
class PendingShowsUrl(OtherPending):
    def instead(self, conference: Conference) -> JSON:
        return {**self.details(conference), "pending": True} if conference.url else {"pending": True}


@wrong("S4", "The provider's name is the profile_id that was requested")
class ProviderNameEchoesProfile(Emulator):
    def details(self, conference: Conference) -> dict[str, JSON]:
        echoed = {"provider_name": conference.kind} if conference.kind != "explicit" else {}
        return {**super().details(conference), **echoed}


@wrong("S3", "Generated conferences have a null provider_name")
class GeneratedProviderIsNull(Emulator):
    def details(self, conference: Conference) -> dict[str, JSON]:
        erased = {"provider_name": None} if conference.kind != "explicit" else {}
        return {**super().details(conference), **erased}


@wrong("S2", "The join URL is an object")
class JoinUrlIsObject(Emulator):
    def details(self, conference: Conference) -> dict[str, JSON]:
        return {**super().details(conference), "join_url": {"href": conference.url}}


@wrong("S1", "Conferencing is a list")
class ConferencingIsList(Emulator):
    def shown(self, conference: Held, at: float) -> JSON:
        shown = super().shown(conference, at)
        return [shown] if isinstance(shown, dict) and "join_url" in shown else shown


@wrong("S2", "All events of a service share one join URL", "inferred")
class OneRoomForAll(Emulator):
    def new_url(self, provider: str | None, write: Write) -> str:
        return f"https://{provider}.example.net/my/room"


@wrong("B7", "None is ignored while a conference is pending, which then appears")
class NoneIsLostWhilePending(Emulator):
    def removed(self, held: Held, write: Write) -> Held:
        return held if held and held.url and held.due > write.at else super().removed(held, write)


@wrong("B8", "Explicit is ignored while another conference is pending, which then appears")
class ExplicitIsLostWhilePending(Emulator):
    def explicit(self, held: Held, write: Write) -> Held:
        busy = held and held.kind != "explicit" and held.url and held.due > write.at
        return held if busy else super().explicit(held, write)


@wrong("B10", "An event that has a conference keeps its service when another profile is requested")
class FirstServiceStays(Emulator):
    def generated(self, held: Held, before: Before, write: Write, kind: str, service: Profile | None) -> Held:
        if held and held.url and held.kind != "explicit" and service and not self.is_past(write):
            service = replace(service, provider=str(held.provider))
        return super().generated(held, before, write, kind, service)


@wrong("D2", "A generated conference cannot be added after an explicit one")
class ExplicitCannotBeReplaced(Emulator):
    def generated(self, held: Held, before: Before, write: Write, kind: str, service: Profile | None) -> Held:
        return (
            held
            if held and held.kind == "explicit" and service
            else super().generated(held, before, write, kind, service)
        )


@wrong("S1", "A conference requested while another is pending stays pending for ever", shows="inconclusive")
class RequestWhilePendingHangs(Emulator):
    def generated(self, held: Held, before: Before, write: Write, kind: str, service: Profile | None) -> Held:
        made = super().generated(held, before, write, kind, service)
        return replace(made, due=math.inf) if made and held and held.due > write.at else made


@wrong("S1", "Every fifth conference turns pending again from time to time")
class AssignedFlickers(Emulator):
    def shown(self, conference: Held, at: float) -> JSON:
        since = at - conference.due if conference and conference.url and conference.kind != "explicit" else -1.0
        fifth = since >= 0 and conference and str(conference.url).rpartition("/")[2][3] in "05"
        return {"pending": True} if fifth and int(since / (2 * self.settle)) % 2 else super().shown(conference, at)
