"""Wrong results of explicit, integrated and 8x8, and wrong ways to show them, built on the WSGI server."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from .small_wsgi import Reply, Server
from .variants import wrong
from .wsgi_jobs import SPECIAL, Account, Job, Json, Problems, Record, is_http

Calendar = dict[str, Json]
Requested = dict[str, Json]


# explicit


class OtherUrl(Server):
    """Explicit, with the join URL as `spoilt` makes it."""

    def spoilt(self, url: str) -> str:
        raise NotImplementedError

    def explicit(self, record: Record, requested: Requested) -> None:
        return super().explicit(record, {**requested, "join_url": self.spoilt(requested["join_url"])})


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

    def explicit(self, record: Record, requested: Requested) -> None:
        self.__dict__.setdefault("shared", {})[record["event_id"]] = self.made(None, requested["join_url"])
        super().explicit(record, requested)


@wrong("B8", "Explicit conferencing that the event once had is taken for a repetition and ignored")
class ReturnToFormerExplicitIsIgnored(Server):
    def explicit(self, record: Record, requested: Requested) -> None:
        requests: set[Any] = self.__dict__.setdefault("requests", set())
        request = (record["key"], requested["join_url"])
        if request not in requests or not record.get("conferencing"):
            super().explicit(record, requested)
        requests.add(request)


@wrong("B9", "Explicit without a description is accepted and used", "inferred")
class ExplicitNeedsNoDescription(Server):
    def explicit_fields(self, requested: Requested) -> None:
        super().explicit_fields({**requested, "provider_description": "Unnamed"})


@wrong("B9", "Explicit without a join URL makes a conference of its own", "inferred")
class ExplicitInventsUrl(Server):
    def requested(self, body: dict[str, Json]) -> Requested | None:
        requested = super().requested(body)
        invented = {"join_url": "https://rooms.example.com/fallback"}
        return {**invented, **requested} if requested and requested.get("profile_id") == "explicit" else requested


@wrong("B8", "Explicit conferencing stays pending for ever on Apple calendars", shows="inconclusive")
class ExplicitHangsOnApple(Server):
    def explicit(self, record: Record, requested: Requested) -> None:
        super().explicit(record, requested)
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
    def explicit(self, record: Record, requested: Requested) -> None:
        held = record.get("conferencing") or {}
        former = held.get("provider_name") if record.get("origin") != "explicit" else None
        self.options.explicit_provider, kept = former or self.options.explicit_provider, self.options.explicit_provider
        super().explicit(record, requested)
        self.options.explicit_provider = kept


# integrated


@wrong("X1", "Where integrated is not available a profile is used")
class UnavailableIntegratedUsesProfile(Server):
    def allowed(self, account: Account, calendar: Calendar, requested: Requested, past: bool) -> None:
        if requested["profile_id"] == "integrated" and not self.integrated(calendar) and account.profiles:
            requested["profile_id"] = "default"
        super().allowed(account, calendar, requested, past)


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
        requested = body.get("conferencing")
        integrated = isinstance(requested, dict) and requested.get("profile_id") == "integrated"
        if known and integrated and not self.integrated(target):
            body = {name: body[name] for name in body if name != "conferencing"}
        return super().write(account, target, body)


# 8x8 and fields that are not used


@wrong("B16", "8x8 generates a conference")
class EightGenerates(Server):
    def service(self, account: Account, calendar: Calendar, profile_id: str) -> dict[str, Json] | None:
        eight = profile_id == "8x8"
        return {"provider": "8x8", "connected": True} if eight else super().service(account, calendar, profile_id)

    def apply(self, account: Account, calendar: Calendar, record: Record, requested: Requested, old: Record) -> None:
        if requested["profile_id"] == "8x8":
            self.generate(account, calendar, record, "8x8", old)
        else:
            super().apply(account, calendar, record, requested, old)


@wrong("B16", "8x8 is taken for integrated where that is available")
class EightIsIntegrated(Server):
    def apply(self, account: Account, calendar: Calendar, record: Record, requested: Requested, old: Record) -> None:
        eight = requested["profile_id"] == "8x8" and self.integrated(calendar)
        super().apply(account, calendar, record, {"profile_id": "integrated"} if eight else requested, old)


@wrong("F2", "The provider's name is the description that is sent with another profile")
class ExtraDescriptionNamesProvider(Server):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"extra_fields": "ignore", **options})

    def apply(self, account: Account, calendar: Calendar, record: Record, requested: Requested, old: Record) -> None:
        super().apply(account, calendar, record, requested, old)
        job = self.jobs[-1] if self.jobs and self.jobs[-1].ticket == record.get("ticket") else None
        if job and job.conferencing and requested["profile_id"] != "explicit" and "provider_description" in requested:
            job.conferencing["provider_name"] = requested["provider_description"]


@wrong("F6", "8x8 with a join URL is treated as explicit")
class ExtraUrlWithEight(Server):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"extra_fields": "ignore", **options})

    def apply(self, account: Account, calendar: Calendar, record: Record, requested: Requested, old: Record) -> None:
        if requested["profile_id"] == "8x8" and is_http(requested.get("join_url")):
            self.explicit(record, requested)
        else:
            super().apply(account, calendar, record, requested, old)


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
        self, record: Record, parts: float, conferencing: Requested | None, until: dict[str, Json] | None = None
    ) -> None:
        teams = (conferencing or {}).get("provider_name") == "ms_teams_for_business"
        super().later(record, math.inf if teams else parts, conferencing, until)
