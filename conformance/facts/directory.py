"""What an account's calendar list and userinfo say: its calendars and conferencing profiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from conformance.facts.requested import RequestedConferencing
from conformance.facts.values import Evidence, Facts

__all__ = ["Directory", "compare_service", "resolution"]

#: The service that ``integrated`` stands for, by the provider of the calendar (clauses S6 and S7).
INTEGRATED_SERVICE = {
    "google": ["google_meet"],
    "exchange": ["ms_teams_for_business"],
    "live_connect": ["ms_teams_for_business"],
    "office365": ["ms_teams_for_business"],
}

#: Services that the page or its neighbours name (S5, 2.4.b).
_DOCUMENTED = frozenset({"8x8", "go_to", "google_meet", "google_meet_api", "ms_teams", "ms_teams_for_business", "zoom"})

#: Names of one service: which of them a profile reads back as is not said.
_FAMILIES = (frozenset({"google_meet", "google_meet_api"}), frozenset({"ms_teams", "ms_teams_for_business"}))

#: What a calendar's entry tells that facts use.
_TRACKED_FIELDS = (
    "provider_name",
    "calendar_readonly",
    "calendar_deleted",
    "calendar_integrated_conferencing_available",
)

#: Within so many seconds of each other both lists tell of one moment.
_AT_ONCE = 10.0

#: Values of a flag that two lists give, and that differ.
_DIFFERING = ([True, False], [False, True])


@dataclass(slots=True)
class Directory:
    """The newest calendar list and userinfo of one account, and what the older ones said.

    `sub` is the account's own id; once a second one is shown the token stands for several, and nothing more is learnt.
    `profiles_since` is when the userinfo that lists `profiles` was answered.
    """

    account: str
    sub: str | None = None
    is_shared_token: bool = False
    calendars: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: bool = False
    userinfo_calendars: dict[str, dict[str, Any]] = field(default_factory=dict)
    has_userinfo: bool = False
    profiles: list[dict[str, Any]] | None = None
    profiles_since: float = float("inf")
    evidence: dict[str, Evidence] = field(default_factory=dict)
    count: int = 0
    _changed: dict[tuple[str, ...], int] = field(default_factory=dict)
    _history: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    _at_once: Facts | None = None

    def learn_calendars(self, body: Any, evidence: Evidence) -> Facts:
        """A calendar list was read."""
        facts = self._facts("calendars", body, evidence)
        if isinstance(body, dict) and isinstance(body.get("calendars"), list) and self._is_of(body):
            entries = _entries(body["calendars"], "calendar_id")
            newest = {entry["calendar_id"]: entry for entry in entries}
            if self.listed:
                self._note_changes("list", self.calendars, newest)
            self.calendars, self.listed = newest, True
            self._remember("list", entries)
            facts = self._compared(facts)
        return facts

    def learn_userinfo(self, body: Any, evidence: Evidence, answered: float = float("-inf")) -> Facts:
        """A userinfo was read; `answered` is when its answer came."""
        facts = self._facts("userinfo", body, evidence)
        data = body.get("cronofy.data") if isinstance(body, dict) else None
        if isinstance(data, dict) and self._is_of(body):
            self._learn_profiles(data.get("conferencing_profiles"))
            self.profiles_since = answered
            entries = [
                {"provider_name": profile.get("provider_name"), **entry}
                for profile in _entries(data.get("profiles"), "profile_id")
                for entry in _entries(profile.get("profile_calendars"), "calendar_id")
            ]
            newest = {entry["calendar_id"]: entry for entry in entries}
            if self.has_userinfo:
                self._note_changes("userinfo", self.userinfo_calendars, newest)
            self.userinfo_calendars, self.has_userinfo = newest, True
            self._remember("userinfo", entries)
            facts = self._compared(facts)
        return facts

    def _learn_profiles(self, listed: Any) -> None:
        """Take the profiles of a userinfo; what is no list says nothing of them."""
        profiles = _entries(listed, "profile_id") if isinstance(listed, list) else None
        both = None not in (profiles, self.profiles)
        if both and list(map(_tracked, profiles or ())) != list(map(_tracked, self.profiles or ())):
            self._changed["profiles",] = self.count
        self.profiles = profiles

    def forget(self) -> None:
        """Nothing that was read holds any more."""
        self.calendars, self.userinfo_calendars, self.listed, self.profiles = {}, {}, False, None
        self._at_once = None

    def outdate(self) -> None:
        """A calendar was made: what was read before does not name it."""
        self.listed = False
        self.evidence.pop("userinfo", None)

    def since(self, directory_version: int) -> Directory:
        """What held all the time since so many lists were learnt: what changed may have been either way then."""
        if all(number <= directory_version for number in self._changed.values()):
            return self
        steady = Directory(self.account, self.sub, listed=self.listed)
        if self._changed.get(("profiles",), 0) <= directory_version:
            steady.profiles, steady.has_userinfo = self.profiles, self.has_userinfo
        for source, mine, theirs in (
            ("list", self.calendars, steady.calendars),
            ("userinfo", self.userinfo_calendars, steady.userinfo_calendars),
        ):
            for calendar_id, entry in mine.items():
                changed = {
                    key[2]
                    for key, at in self._changed.items()
                    if at > directory_version and key[:2] == (source, calendar_id)
                }
                theirs[calendar_id] = {name: value for name, value in entry.items() if name not in changed}
        return steady

    def _is_of(self, body: dict[str, Any]) -> bool:
        """Whether a body is that of the account, of which there is only one."""
        sub = body.get("sub")
        if isinstance(sub, str):
            if self.sub is not None and self.sub != sub:
                self.is_shared_token = True
                self.forget()
            self.sub = sub
        return not self.is_shared_token

    def _note_changes(self, source: str, before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> None:
        for calendar_id in before.keys() | after.keys():
            one, other = before.get(calendar_id, {}), after.get(calendar_id, {})
            for name in _TRACKED_FIELDS:
                if one.get(name) != other.get(name):
                    self._changed[source, calendar_id, name] = self.count

    def calendar(self, calendar_id: str) -> dict[str, Any] | None:
        """What is known of one calendar, in the names that facts use; None if nothing is."""
        entry = self.calendars.get(calendar_id) or self.userinfo_calendars.get(calendar_id)
        if entry is None:
            return None
        known: dict[str, Any] = {"calendar_id": calendar_id}
        for name, source, kind in (
            ("provider_name", "provider_name", str),
            ("readonly", "calendar_readonly", bool),
            ("deleted", "calendar_deleted", bool),
            ("integrated_conferencing_available", "calendar_integrated_conferencing_available", bool),
        ):
            value = entry.get(source)
            if isinstance(value, kind):
                known[name] = value
        other = self.userinfo_calendars.get(calendar_id, {}) if entry is self.calendars.get(calendar_id) else {}
        flag = other.get("calendar_integrated_conferencing_available")
        if isinstance(flag, bool) and flag != known.get("integrated_conferencing_available", flag):
            known.pop("integrated_conferencing_available", None)
        return known

    def lists_profile(self, profile_id: str, sent: float) -> bool | None:
        """Whether the newest userinfo lists a profile; None where none was answered before `sent`."""
        if self.profiles is None or sent < self.profiles_since:
            return None
        return any(profile["profile_id"] == profile_id for profile in self.profiles)

    def knows(self, calendar_id: str) -> bool:
        """Whether the account's lists name the calendar."""
        return calendar_id in self.calendars or calendar_id in self.userinfo_calendars

    def _remember(self, source: str, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            flag = entry.get("calendar_integrated_conferencing_available")
            if isinstance(flag, bool):
                said = self._history.setdefault(entry["calendar_id"], [])
                if not said or said[-1] != (source, flag):
                    said.append((source, flag))
                    del said[:-8]

    def _availability(self) -> dict[str, list[str]]:
        """The calendars of which one source was read both before and after the other, and those where they differ."""
        compared, disagreeing = set(), set()
        for calendar_id, said in self._history.items():
            for (a, flag), (b, other), (c, again) in zip(said, said[1:], said[2:], strict=False):
                if a == c != b:
                    compared.add(calendar_id)
                    if flag == again != other:
                        disagreeing.add(calendar_id)
        return {"compared": sorted(compared), "disagreeing": sorted(disagreeing)}

    def _compared(self, facts: Facts) -> Facts:
        """The facts with what the lists say of availability; the evidence shows in what they disagree."""
        facts.document["availability"] = availability = self._availability()
        self._compare_at_once(facts)
        return self._showing(facts, availability["disagreeing"])

    def _compare_at_once(self, facts: Facts) -> None:
        """Remember what two lists that were read within seconds of each other differ in, where they first do."""
        times = [one.at for one in facts.evidence]
        if not (self.listed and self.userinfo_calendars) or len(times) < 2:
            return
        if times[0] is None or times[1] is None or abs(times[0] - times[1]) > _AT_ONCE:
            return
        if self._at_once is not None and any(self._at_once.document["availability"].values()):
            return
        differing, unknown = [], []
        for calendar_id, entry in self.calendars.items():
            other = self.userinfo_calendars.get(calendar_id)
            if other is None and entry.get("calendar_deleted") is False:
                unknown.append(calendar_id)
            elif other is not None and [one.get(_TRACKED_FIELDS[-1]) for one in (entry, other)] in _DIFFERING:
                differing.append(calendar_id)
        document = {
            "about": "directory",
            "account": self.account,
            "availability": {"differing_at_once": sorted(differing), "unknown_to_userinfo": sorted(unknown)},
        }
        shown = self._showing(facts, differing)
        self._at_once = structs.replace(shown, key=("directory", self.account, "at-once"), document=document)

    def at_once(self) -> Facts | None:
        """The facts of what differs in lists read within seconds, where nothing better came to be known; None of none.

        Better is what one list says both before and after the other.
        """
        if self._at_once is None:
            return None
        compared, availability = set(self._availability()["compared"]), self._at_once.document["availability"]
        differing = [one for one in availability["differing_at_once"] if one not in compared]
        document = {**self._at_once.document, "availability": {**availability, "differing_at_once": differing}}
        return structs.replace(self._at_once, document=document)

    def _showing(self, facts: Facts, calendars: list[str]) -> Facts:
        """The facts, with evidence that shows what each list says of these calendars' availability."""
        if not calendars:
            return facts
        sources = {"calendars": self.calendars, "userinfo": self.userinfo_calendars}
        evidence = [
            structs.replace(
                one,
                shown={
                    calendar_id: {name: sources[source].get(calendar_id, {}).get(name) for name in _TRACKED_FIELDS[-1:]}
                    for calendar_id in calendars
                },
            )
            for source, one in self.evidence.items()
        ]
        return structs.replace(facts, evidence=tuple(evidence))

    def _facts(self, source: str, body: Any, evidence: Evidence) -> Facts:
        self.count += 1
        self.evidence[source] = evidence
        document: dict[str, Any] = {
            "about": "directory",
            "account": self.account,
            source: body,
            "availability": self._availability(),
        }
        key = ("directory", self.account, str(self.count))
        return Facts("directory", key, document, tuple(self.evidence.values()), closed=True)


def _tracked(profile: dict[str, Any]) -> tuple[Any, ...]:
    return profile["profile_id"], profile.get("provider_name"), profile.get("profile_connected")


def _entries(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, dict) and isinstance(entry.get(name), str)]


def resolution(
    requested: RequestedConferencing,
    profiles: list[dict[str, Any]] | None,
    calendar: dict[str, Any],
    declared: str | None,
) -> dict[str, Any] | None:
    """What a request for generated conferencing resolves to, as far as the lists tell; None if they do not.

    `profiles` are the account's (None: not known), `calendar` what is known of the calendar, `declared` the
    ``profile_id`` that its user chose as the default.
    """
    available = calendar.get("integrated_conferencing_available")
    if requested.kind == "profile":
        named = [p for p in profiles or () if p["profile_id"] == requested.profile_id]
        return _to_profile(named) if named else None
    if requested.kind == "default":
        if profiles is None:
            return None
        candidates = [p for p in profiles if declared is None or p["profile_id"] == declared]
        if profiles:
            return _to_profile(candidates) if candidates else None
        if available is False:
            return {"source": "nothing"}
    if available is None:
        return None
    if not available:
        return {"source": "unavailable"}
    services = INTEGRATED_SERVICE.get(calendar.get("provider_name", ""))
    return {"source": "integrated", **({"provider_names": services} if services else {})}


def compare_service(resolved: list[str], shown: str, listed: frozenset[str] = frozenset()) -> str:
    """How the service shown compares with those that a request may resolve to.

    ``identical``, ``equivalent`` (another name of the same service), ``different`` (another service that is
    documented, or that the account has `listed` for another profile), or ``undocumented``: the list of services is open
    (S9), so that it may be a name of the right one.
    """
    if shown in resolved:
        return "identical"
    if any(shown in family and family & {*resolved} for family in _FAMILIES):
        return "equivalent"
    return "different" if shown in _DOCUMENTED | listed else "undocumented"


def _to_profile(candidates: list[dict[str, Any]]) -> dict[str, Any]:
    names = [p.get("provider_name") for p in candidates]
    result: dict[str, Any] = {
        "source": "profile",
        "candidates": len(candidates),
        "connected": all(p.get("profile_connected") is True for p in candidates),
    }
    if all(isinstance(name, str) for name in names):
        result["provider_names"] = sorted({str(name) for name in names})
    return result
