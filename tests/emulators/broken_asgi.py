"""Wrong ways to decide about conferencing, built on the ASGI emulator."""

from __future__ import annotations

from dataclasses import replace

from .asgi_decisions import JSON, Account, Calendar, Conference, Event, Profile, Write, instant, is_date
from .small_asgi import Emulator
from .variants import wrong

Held = Conference | None
Before = Event | None


# left out: no change


@wrong("D3", "An update without conferencing removes it")
class LeftOutRemoves(Emulator):
    def left_out(self, held: Held, before: Before, write: Write) -> Held:
        return None


@wrong("D3", "An explicit conference is lost when the event moves")
class MovedExplicitIsLost(Emulator):
    def left_out(self, held: Held, before: Before, write: Write) -> Held:
        lost = held and held.kind == "explicit" and before and before.fields["start"] != write.fields["start"]
        return None if lost else super().left_out(held, before, write)


@wrong("D3", "On Microsoft calendars an update without conferencing removes a generated conference")
class LeftOutRemovesOnMicrosoft(Emulator):
    def left_out(self, held: Held, before: Before, write: Write) -> Held:
        lost = held and held.kind != "explicit" and write.calendar.provider == "exchange"
        return None if lost else super().left_out(held, before, write)


@wrong("D3", "An event created without conferencing gets the calendar's own")
class CreatedWithoutGetsIntegrated(Emulator):
    def left_out(self, held: Held, before: Before, write: Write) -> Held:
        service = self.resolve(write.account, write.calendar, "integrated")
        if before is None and service:
            return self.generated(None, None, write, "integrated", service)
        return super().left_out(held, before, write)


@wrong("D3", "An update without conferencing resolves the conference anew, as the default")
class LeftOutResolvesAnew(Emulator):
    def left_out(self, held: Held, before: Before, write: Write) -> Held:
        service = self.resolve(write.account, write.calendar, "default")
        other = held and held.url and held.kind not in ("explicit", "default")
        if other and held and service and service.connected and service.provider != held.provider:
            return self.generated(None, None, write, "default", service)
        return super().left_out(held, before, write)


@wrong("D3", "A new description makes a new conference")
class DescriptionMakesNewUrl(Emulator):
    def changed(self, before: Before, write: Write) -> bool:
        new = write.fields.get("description")
        return super().changed(before, write) or bool(before and before.fields.get("description") != new)


@wrong("D4", "A generated conference is dropped when the event's end changes")
class LaterEndDropsConference(Emulator):
    def left_out(self, held: Held, before: Before, write: Write) -> Held:
        generated = held and held.kind != "explicit"
        if generated and before and before.fields["end"] != write.fields["end"]:
            return None
        return super().left_out(held, before, write)


@wrong("D3", "A second update in a row without conferencing loses it")
class SecondLeftOutLoses(Emulator):
    def left_out(self, held: Held, before: Before, write: Write) -> Held:
        key = self.key(write.account, write.calendar, write.fields["event_id"])
        same = [event for _, event in self.events.get(key, []) if event.conference == held]
        return None if held and len(same) > 1 else super().left_out(held, before, write)


# past


@wrong("D5", "Past events get conferences")
class PastIsNotLookedAt(Emulator):
    def is_past(self, write: Write) -> bool:
        return False


@wrong("D6", "Whole-day events are never past")
class DatesAreNeverPast(Emulator):
    def is_past(self, write: Write) -> bool:
        return not is_date(write.fields["start"]) and super().is_past(write)


@wrong("D5", "Integrated conferencing is generated for past events")
class PastIntegratedIsGenerated(Emulator):
    def in_the_past(self, held: Held, write: Write, kind: str) -> Held:
        service = self.resolve(write.account, write.calendar, kind)
        if kind == "integrated" and service:
            return Conference(kind, service.provider, self.new_url(service.provider, write), self.due(write))
        return super().in_the_past(held, write, kind)


@wrong("B4", "Events more than 201 days ahead get no conference")
class FarFutureGetsNothing(Emulator):
    def generated(self, held: Held, before: Before, write: Write, kind: str, service: Profile | None) -> Held:
        start = instant(write.fields["start"], write.fields.get("tzid")).timestamp()
        far = start > write.at + 201 * 86400
        return None if far else super().generated(held, before, write, kind, service)


@wrong("D6", "A past start written with a time zone is taken for the future")
class ZonedStartsAreNeverPast(Emulator):
    def is_past(self, write: Write) -> bool:
        return not isinstance(write.fields["start"], dict) and super().is_past(write)


# profiles and the default


@wrong("A6", "A named profile is taken for the default one")
class NamedProfileIsDefault(Emulator):
    def resolve(self, account: Account, calendar: Calendar, kind: str) -> Profile | None:
        return super().resolve(account, calendar, "integrated" if kind == "integrated" else "default")


@wrong("A6", "An unknown profile falls back to the default", "inferred")
class UnknownProfileIsDefault(Emulator):
    def profile(self, account: Account, profile_id: str) -> Profile | None:
        found = super().profile(account, profile_id)
        known = found or profile_id in ("default", "none", "explicit", "integrated", "8x8")
        return found if known else super().resolve(account, account.calendars[0], "default")


@wrong("B3", "The profile that the user chose as default is not looked at")
class ChosenDefaultIsIgnored(Emulator):
    def preferred(self, account: Account) -> Profile | None:
        return next(iter(account.profiles), None)


@wrong("B2", "The default prefers the calendar's own conferencing to a profile")
class DefaultPrefersIntegrated(Emulator):
    def resolve(self, account: Account, calendar: Calendar, kind: str) -> Profile | None:
        own = super().resolve(account, calendar, "integrated") if kind == "default" else None
        return own or super().resolve(account, calendar, kind)


@wrong("B6", "With nothing else available the default falls back to 8x8")
class DefaultFallsBackToEight(Emulator):
    def resolve(self, account: Account, calendar: Calendar, kind: str) -> Profile | None:
        found = super().resolve(account, calendar, kind)
        return found or (Profile("", "8x8") if kind == "default" else None)


@wrong("B6", "The default is refused where nothing is available", "inferred")
class DefaultIsRefusedWithoutOption(Emulator):
    def refused(self, write: Write) -> dict[str, str]:
        if self.kind(write.requested) == "default" and not self.resolve(write.account, write.calendar, "default"):
            return {"conferencing.profile_id": "integrated_conferencing_not_available"}
        return super().refused(write)


@wrong("S7", "Microsoft calendars get Google Meet")
class MicrosoftGetsMeet(Emulator):
    def integrated(self, calendar: Calendar) -> str | None:
        return calendar.integrated and "google_meet"


@wrong("S7", "Microsoft calendars' own conferencing is called ms_teams")
class TeamsIsNotForBusiness(Emulator):
    def details(self, conference: Conference) -> dict[str, JSON]:
        shown = super().details(conference)
        return {**shown, "provider_name": "ms_teams"} if shown["provider_name"] == "ms_teams_for_business" else shown


@wrong("B4", "On updates the default finds profiles but not the calendar's own conferencing")
class UpdateToDefaultFindsNothing(Emulator):
    def generated(self, held: Held, before: Before, write: Write, kind: str, service: Profile | None) -> Held:
        missed = before and kind == "default" and service and not service.profile_id
        return super().generated(held, before, write, kind, None if missed else service)


# none


@wrong("B7", "None leaves the provider's name behind")
class NoneLeavesProviderName(Emulator):
    def removed(self, held: Held, write: Write) -> Held:
        return Conference("none", held.provider, "left", write.at) if held and held.url else None

    def details(self, conference: Conference) -> dict[str, JSON]:
        shown = super().details(conference)
        return {"provider_name": shown["provider_name"]} if conference.kind == "none" else shown


@wrong("B7", "None cannot remove an explicit conference")
class NoneSparesExplicit(Emulator):
    def removed(self, held: Held, write: Write) -> Held:
        return held if held and held.kind == "explicit" else super().removed(held, write)


@wrong("B7", "None leaves an empty join URL")
class NoneLeavesEmptyUrl(Emulator):
    def removed(self, held: Held, write: Write) -> Held:
        return Conference("none", None, "", write.at) if held else None


@wrong("B7", "A removed conference comes back by itself after a while")
class RemovedComesBack(Emulator):
    def removed(self, held: Held, write: Write) -> Held:
        return replace(held, former=Conference("none", None, None, 0), due=write.at + 5 * self.settle) if held else None


@wrong("B7", "None on creation is taken for the default")
class CreatedWithNoneGetsDefault(Emulator):
    def after(self, before: Before, write: Write) -> Held:
        requested = (
            {"profile_id": "default"}
            if before is None and write.requested == {"profile_id": "none"}
            else write.requested
        )
        return super().after(before, replace(write, requested=requested))
