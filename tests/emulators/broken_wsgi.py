"""Wrong ways to decide about conferencing, built on the WSGI server and its queue of jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .small_wsgi import Server
from .variants import wrong
from .wsgi_jobs import Account, Json, Record, moment

Calendar = dict[str, Json]
Requested = dict[str, Json]


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
    def apply(self, account: Account, calendar: Calendar, record: Record, requested: Requested, old: Record) -> None:
        removed: set[Any] = self.__dict__.setdefault("removed", set())
        if requested["profile_id"] == "none" and "key" in old:
            removed.add(record["key"])
        super().apply(account, calendar, record, {"profile_id": "none"} if record["key"] in removed else requested, old)
