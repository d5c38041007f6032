"""Wrong ways to decide about conferencing, built on the WSGI server and its queue of jobs."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from .small_wsgi import Reply, Server
from .variants import wrong
from .wsgi_jobs import SPECIAL, Account, Job, Json, Problems, Record, is_http, moment

Calendar = dict[str, Json]
Asked = dict[str, Json]


# left out: no change


@wrong("D3", "The third update without conferencing loses it")
class ThirdUpdateLoses(Server):
    def untouched(self, record: Record, old: Record) -> None:
        super().untouched(record, old)
        if len(self.history.get(record["key"], [])) >= 4 and record["conferencing"]:
            self.put(record, None)


@wrong("D3", "An update without conferencing gives up the conference that is being made")
class LeftOutCancelsPending(Server):
    def untouched(self, record: Record, old: Record) -> None:
        super().untouched(record, old)
        if (record["conferencing"] or {}).get("pending"):
            self.put(record, None)


@wrong("D3", "An update without conferencing while it is pending leaves it pending for ever", shows="inconclusive")
class LeftOutStrandsPending(Server):
    def untouched(self, record: Record, old: Record) -> None:
        super().untouched(record, old)
        if (record["conferencing"] or {}).get("pending"):
            self.put(record, record["conferencing"])


@wrong("D3", "On updates, conferencing left out is taken for the default")
class LeftOutIsDefault(Server):
    def untouched(self, record: Record, old: Record) -> None:
        if "key" in old and not self.past(record):
            account = next(one for one in self.accounts if one.name == record["key"][0])
            self.generate(account, record["calendar"], record, "default", old)


@wrong("D3", "After none, an update without conferencing brings the removed conference back")
class LeftOutResurrects(Server):
    def untouched(self, record: Record, old: Record) -> None:
        super().untouched(record, old)
        shown = [one["conferencing"] for _, one in self.history.get(record["key"], []) if one["conferencing"]]
        if record["conferencing"] is None and shown and "join_url" in shown[-1]:
            self.put(record, shown[-1])


@wrong("D3", "An update without conferencing that moves an event into the past removes it")
class MovedIntoThePastLoses(Server):
    def untouched(self, record: Record, old: Record) -> None:
        super().untouched(record, old)
        if self.past(record):
            self.put(record, None)


@wrong("D3", "An update with nothing but another summary loses explicit conferencing")
class RenamedExplicitIsLost(Server):
    def untouched(self, record: Record, old: Record) -> None:
        super().untouched(record, old)
        if record.get("origin") == "explicit" and record["summary"] != old.get("summary"):
            self.put(record, None)


@wrong("D3", "Explicit conferencing expires ten settling times after it was written")
class ExplicitExpires(Server):
    def conferencing(self, record: Record) -> Json:
        old = record.get("origin") == "explicit" and self.now() > record["updated"] + 10 * self.settle
        return None if old else super().conferencing(record)


# past


@wrong("D6", "An event is past when its end is")
class PastIsJudgedByTheEnd(Server):
    def past(self, record: Record) -> bool:
        return moment(record["end"], record.get("tzid")) < self.now()


@wrong("D6", "Only starts written in UTC are found to be past")
class OnlyUtcIsPast(Server):
    def past(self, record: Record) -> bool:
        return str(record["start"]).endswith("Z") and super().past(record)


@wrong("D5", "Updates of past events generate conferences")
class PastUpdateGenerates(Server):
    def past(self, record: Record) -> bool:
        return record.get("key") not in self.history and super().past(record)


@wrong("D5", "Only starts in the last thirty days are found to be past")
class LongPastIsNotPast(Server):
    def past(self, record: Record) -> bool:
        return super().past(record) and moment(record["start"], record.get("tzid")) > self.now() - 30 * 86400


@wrong("D5", "A named profile generates conferences for past events")
class PastNamedProfileGenerates(Server):
    def generate(self, account: Account, calendar: Calendar, record: Record, profile_id: str, old: Record) -> None:
        profile = self.profile(account, profile_id)
        if profile and profile["connected"] and self.past(record):
            record["origin"] = profile_id
            return self.later(record, 1, self.made(profile["provider"], self.address(profile["provider"])))
        return super().generate(account, calendar, record, profile_id, old)


@wrong("D5", "An event is past when its date is before today's in any year")
class YearIsNotLookedAt(Server):
    def past(self, record: Record) -> bool:
        start = datetime.fromtimestamp(moment(record["start"], record.get("tzid")), UTC)
        today = datetime.fromtimestamp(self.now(), UTC)
        return (start.month, start.day) < (today.month, today.day)


# profiles and the default


@wrong("A6", "Profiles of other accounts can be used", "inferred")
class ForeignProfileIsUsed(Server):
    def profile(self, account: Account, profile_id: str) -> dict[str, Json] | None:
        everybody = [profile for one in self.accounts for profile in one.profiles]
        return next((profile for profile in everybody if profile["id"] == profile_id), None)


@wrong("A6", "A disconnected profile is replaced by the default")
class DisconnectedIsReplaced(Server):
    def service(self, account: Account, calendar: Calendar, profile_id: str) -> dict[str, Json] | None:
        found = super().service(account, calendar, profile_id)
        return found if found is None or found["connected"] else super().service(account, calendar, "default")


@wrong("B3", "The default is the profile that was authorised last")
class LastProfileIsDefault(Server):
    def default(self, account: Account) -> dict[str, Json] | None:
        return next(iter(account.profiles[::-1]), None)


@wrong("B4", "The default is found once an account, though its calendars differ")
class DefaultIsCachedPerAccount(Server):
    def service(self, account: Account, calendar: Calendar, profile_id: str) -> dict[str, Json] | None:
        if profile_id != "default":
            return super().service(account, calendar, profile_id)
        found = super().service(account, calendar, profile_id)
        cache: dict[str, Any] = self.__dict__.setdefault("cache", {})
        return cache.setdefault(account.name, found) if found else found


@wrong("B4", "The default knows profiles only")
class DefaultIgnoresIntegrated(Server):
    def service(self, account: Account, calendar: Calendar, profile_id: str) -> dict[str, Json] | None:
        return self.default(account) if profile_id == "default" else super().service(account, calendar, profile_id)


@wrong("B2", "All accounts use the profile of the one that has some")
class DefaultOfWrongAccount(Server):
    def default(self, account: Account) -> dict[str, Json] | None:
        return super().default(next(one for one in self.accounts if one.profiles))


@wrong("B6", "Where the calendar offers nothing, the default makes a conference of another calendar's service")
class DefaultBorrowsFromOtherCalendar(Server):
    def service(self, account: Account, calendar: Calendar, profile_id: str) -> dict[str, Json] | None:
        found = super().service(account, calendar, profile_id)
        if found is None and profile_id == "default":
            return super().service(account, next(iter(account.calendars.values())), "default")
        return found


@wrong("D2", "The default is provided on creation only")
class DefaultOnlyOnCreation(Server):
    def generate(self, account: Account, calendar: Calendar, record: Record, profile_id: str, old: Record) -> None:
        if profile_id != "default" or "key" not in old:
            super().generate(account, calendar, record, profile_id, old)


# none


@wrong("B7", "None does nothing")
class NoneDoesNothing(Server):
    def remove(self, record: Record) -> None:
        return


@wrong("B7", "None is forgotten when the conference was still being made")
class NoneLosesTheRace(Server):
    def remove(self, record: Record) -> None:
        ticket = record.get("ticket") if (record["conferencing"] or {}).get("pending") else None
        super().remove(record)
        record["ticket"] = ticket or record["ticket"]


@wrong("B7", "None is ignored on Apple calendars")
class NoneIsIgnoredOnApple(Server):
    def remove(self, record: Record) -> None:
        if record["calendar"]["provider_name"] != "apple":
            super().remove(record)


@wrong("D2", "After none an event never has a conference again")
class NoneIsForEver(Server):
    def apply(self, account: Account, calendar: Calendar, record: Record, asked: Asked, old: Record) -> None:
        removed: set[Any] = self.__dict__.setdefault("removed", set())
        if asked["profile_id"] == "none" and "key" in old:
            removed.add(record["key"])
        super().apply(account, calendar, record, {"profile_id": "none"} if record["key"] in removed else asked, old)


# explicit


class OtherUrl(Server):
    """Explicit, with the join URL as `spoilt` makes it."""

    def spoilt(self, url: str) -> str:
        raise NotImplementedError

    def explicit(self, record: Record, asked: Asked) -> None:
        return super().explicit(record, {**asked, "join_url": self.spoilt(asked["join_url"])})


@wrong("B8", "Explicit join URLs are written in lower case")
class ExplicitIsLowerCase(OtherUrl):
    def spoilt(self, url: str) -> str:
        return url.lower()


@wrong("B8", "Explicit join URLs lose their fragment")
class ExplicitLosesFragment(OtherUrl):
    def spoilt(self, url: str) -> str:
        return url.partition("#")[0]


@wrong("B8", "Explicit join URLs lose their query")
class ExplicitLosesQuery(OtherUrl):
    def spoilt(self, url: str) -> str:
        return urlsplit(url)._replace(query="").geturl()


@wrong("B8", "Explicit http URLs become https")
class ExplicitBecomesHttps(OtherUrl):
    def spoilt(self, url: str) -> str:
        return "https" + url[4:] if url.lower().startswith("http:") else url


@wrong("B8", "Explicit join URLs lose their port")
class ExplicitLosesPort(OtherUrl):
    def spoilt(self, url: str) -> str:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.removesuffix(f":{parts.port}")).geturl()


@wrong("B8", "Plus signs and escapes in the query of explicit join URLs are decoded")
class ExplicitQueryIsDecoded(OtherUrl):
    def spoilt(self, url: str) -> str:
        return urlsplit(url)._replace(query=unquote_plus(urlsplit(url).query).replace(" ", "%20")).geturl()


@wrong("B8", "Explicit conferencing is kept by event id, whatever the calendar")
class ExplicitIsKeptByEventId(Server):
    def conferencing(self, record: Record) -> Json:
        shared: dict[str, Json] = self.__dict__.setdefault("shared", {})
        shown = super().conferencing(record)
        return shared.get(record["event_id"], shown) if record.get("origin") == "explicit" and shown else shown

    def explicit(self, record: Record, asked: Asked) -> None:
        self.__dict__.setdefault("shared", {})[record["event_id"]] = self.made(None, asked["join_url"])
        super().explicit(record, asked)


@wrong("B8", "Explicit conferencing that the event once had is taken for a repetition and ignored")
class ReturnToFormerExplicitIsIgnored(Server):
    def explicit(self, record: Record, asked: Asked) -> None:
        seen: set[Any] = self.__dict__.setdefault("seen", set())
        request = (record["key"], asked["join_url"])
        if request not in seen or not record.get("conferencing"):
            super().explicit(record, asked)
        seen.add(request)


@wrong("B9", "Explicit without a description is accepted and used", "inferred")
class ExplicitNeedsNoDescription(Server):
    def explicit_fields(self, asked: Asked) -> None:
        super().explicit_fields({**asked, "provider_description": "Unnamed"})


@wrong("B9", "Explicit without a join URL makes a conference of its own", "inferred")
class ExplicitInventsUrl(Server):
    def asked(self, body: dict[str, Json]) -> Asked | None:
        asked = super().asked(body)
        invented = {"join_url": "https://rooms.example.com/fallback"}
        return {**invented, **asked} if asked and asked.get("profile_id") == "explicit" else asked


@wrong("B8", "Explicit conferencing stays pending for ever on Apple calendars", shows="inconclusive")
class ExplicitHangsOnApple(Server):
    def explicit(self, record: Record, asked: Asked) -> None:
        super().explicit(record, asked)
        if record["calendar"]["provider_name"] == "apple":
            self.later(record, math.inf, None)


@wrong("B8", "Conferences that are late replace explicit ones that are newer")
class LateJobReplacesExplicit(Server):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"explicit_pending": 0.0, **options})

    def current(self, record: Record, job: Job) -> bool:
        late = job.conferencing is not None and record.get("origin") == "explicit" and not record["deleted"]
        return late or super().current(record, job)


@wrong("S1", "Conferencing is merged: explicit after a generated conference keeps the provider's name")
class ExplicitKeepsFormerProvider(Server):
    def explicit(self, record: Record, asked: Asked) -> None:
        held = record.get("conferencing") or {}
        former = held.get("provider_name") if record.get("origin") != "explicit" else None
        self.options.explicit_provider, kept = former or self.options.explicit_provider, self.options.explicit_provider
        super().explicit(record, asked)
        self.options.explicit_provider = kept


# integrated


@wrong("X1", "Where integrated is not available a profile is used")
class UnavailableIntegratedUsesProfile(Server):
    def allowed(self, account: Account, calendar: Calendar, asked: Asked, past: bool) -> None:
        if asked["profile_id"] == "integrated" and not self.integrated(calendar) and account.profiles:
            asked["profile_id"] = "default"
        super().allowed(account, calendar, asked, past)


@wrong("X1", "Integrated is refused, but the event is written", "inferred")
class RefusedIntegratedIsWritten(Server):
    def write(self, account: Account, target: Calendar, body: dict[str, Json]) -> Reply:
        try:
            return super().write(account, target, body)
        except Problems as problems:
            if "integrated_conferencing_not_available" in problems.problems.values():
                super().write(account, target, {name: body[name] for name in body if name != "conferencing"})
            raise


@wrong("X3", "The error's field is nested, not one dotted name")
class ErrorFieldIsNested(Server):
    def reply(self, environ: dict[str, Any], body: bytes) -> Reply:
        status, shown, headers = super().reply(environ, body)
        if status == 422 and "conferencing.profile_id" in shown["errors"]:
            shown = {"errors": {"conferencing": {"profile_id": shown["errors"]["conferencing.profile_id"]}}}
        return status, shown, headers


@wrong("X1", "Integrated is refused with a 400")
class RefusedWith400(Server):
    def reply(self, environ: dict[str, Any], body: bytes) -> Reply:
        status, shown, headers = super().reply(environ, body)
        return 400 if "integrated_conferencing_not_available" in str(shown) else status, shown, headers


@wrong("X1", "Whether integrated is available is looked at on creation only")
class IntegratedIsCheckedOnCreation(Server):
    def write(self, account: Account, target: Calendar, body: dict[str, Json]) -> Reply:
        known = self.key(account, target, str(body.get("event_id"))) in self.records
        asked = body.get("conferencing")
        integrated = isinstance(asked, dict) and asked.get("profile_id") == "integrated"
        if known and integrated and not self.integrated(target):
            body = {name: body[name] for name in body if name != "conferencing"}
        return super().write(account, target, body)


# 8x8 and fields that are not used


@wrong("B16", "8x8 generates a conference")
class EightGenerates(Server):
    def service(self, account: Account, calendar: Calendar, profile_id: str) -> dict[str, Json] | None:
        eight = profile_id == "8x8"
        return {"provider": "8x8", "connected": True} if eight else super().service(account, calendar, profile_id)

    def apply(self, account: Account, calendar: Calendar, record: Record, asked: Asked, old: Record) -> None:
        if asked["profile_id"] == "8x8":
            self.generate(account, calendar, record, "8x8", old)
        else:
            super().apply(account, calendar, record, asked, old)


@wrong("B16", "8x8 is taken for integrated where that is available")
class EightIsIntegrated(Server):
    def apply(self, account: Account, calendar: Calendar, record: Record, asked: Asked, old: Record) -> None:
        eight = asked["profile_id"] == "8x8" and self.integrated(calendar)
        super().apply(account, calendar, record, {"profile_id": "integrated"} if eight else asked, old)


@wrong("F2", "The provider's name is the description that stands beside another profile")
class StrayDescriptionNamesProvider(Server):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"stray": "ignore", **options})

    def apply(self, account: Account, calendar: Calendar, record: Record, asked: Asked, old: Record) -> None:
        super().apply(account, calendar, record, asked, old)
        job = self.jobs[-1] if self.jobs and self.jobs[-1].ticket == record.get("ticket") else None
        if job and job.conferencing and asked["profile_id"] != "explicit" and "provider_description" in asked:
            job.conferencing["provider_name"] = asked["provider_description"]


@wrong("F6", "8x8 beside a join URL is taken for explicit")
class StrayUrlBesideEight(Server):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"stray": "ignore", **options})

    def apply(self, account: Account, calendar: Calendar, record: Record, asked: Asked, old: Record) -> None:
        if asked["profile_id"] == "8x8" and is_http(asked.get("join_url")):
            self.explicit(record, asked)
        else:
            super().apply(account, calendar, record, asked, old)


# pending and assigned


class OtherConferencing(Server):
    """Assigned conferencing is shown as `spoilt` makes it."""

    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        raise NotImplementedError

    def conferencing(self, record: Record) -> Json:
        shown = super().conferencing(record)
        return self.spoilt(dict(shown), record) if shown and "join_url" in shown else shown


@wrong("P1", "Assigned conferences are still pending")
class AssignedIsStillPending(OtherConferencing):
    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        return {**shown, "pending": True}


@wrong("S3", "Generated conferences have no provider_name")
class GeneratedOmitsProviderName(OtherConferencing):
    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        return {k: v for k, v in shown.items() if k != "provider_name" or record["origin"] == "explicit"}


@wrong("S4", "Integrated conferences are provided by 'integrated'")
class ProviderIsCalledIntegrated(OtherConferencing):
    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        return {**shown, "provider_name": "integrated"} if record["origin"] == "integrated" else shown


@wrong("S6", "Google Meet goes by its display name")
class MeetGoesByDisplayName(OtherConferencing):
    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        return {**shown, "provider_name": "Google Meet"} if shown["provider_name"] == "google_meet" else shown


@wrong("S2", "Generated join URLs have no scheme")
class JoinUrlHasNoScheme(OtherConferencing):
    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        bare = record["origin"] != "explicit"
        return {**shown, "join_url": shown["join_url"].partition("://")[2]} if bare else shown


@wrong("S2", "Assigned conferences of named profiles have a null join URL")
class NamedJoinUrlIsNull(OtherConferencing):
    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        return shown if record["origin"] in SPECIAL else {**shown, "join_url": None}


@wrong("S2", "Each reading shows another join URL", "inferred")
class JoinUrlIsNewEachTime(OtherConferencing):
    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        new = record["origin"] != "explicit"
        return {**shown, "join_url": f"{shown['join_url']}&t={self.reads}"} if new else shown


@wrong("S4", "A named profile's provider is called by the profile_id")
class ProviderIsProfileId(OtherConferencing):
    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        return shown if record["origin"] in SPECIAL else {**shown, "provider_name": record["origin"]}


@wrong("S1", "Conferencing is the bare join URL")
class ConferencingIsText(OtherConferencing):
    def spoilt(self, shown: dict[str, Json], record: Record) -> Json:
        return shown["join_url"]


@wrong("B12", "Integrated is available but stays pending for ever on Microsoft calendars", shows="inconclusive")
class TeamsHangs(Server):
    def later(
        self, record: Record, parts: float, conferencing: Asked | None, until: dict[str, Json] | None = None
    ) -> None:
        teams = (conferencing or {}).get("provider_name") == "ms_teams_for_business"
        super().later(record, math.inf if teams else parts, conferencing, until)
