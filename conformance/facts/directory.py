"""What an account's calendar list and userinfo say: its calendars and conferencing profiles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conformance.facts.values import Evidence, Facts

__all__ = ["Directory", "resolution"]

#: The service that ``integrated`` stands for, by the provider of the calendar (clauses S6 and S7).
INTEGRATED_SERVICE = {
    "google": ["google_meet"],
    "exchange": ["ms_teams_for_business"],
    "live_connect": ["ms_teams_for_business"],
    "office365": ["ms_teams_for_business"],
}

#: Names under which a profile's own provider may read back on an event.
PROFILE_SERVICE = {"google_meet_api": ["google_meet_api", "google_meet"]}


@dataclass(slots=True)
class Directory:
    """The newest calendar list and userinfo of one account, and what the older ones said."""

    account: str
    calendars: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: bool = False
    userinfo_calendars: dict[str, dict[str, Any]] = field(default_factory=dict)
    profiles: list[dict[str, Any]] | None = None
    evidence: dict[str, Evidence] = field(default_factory=dict)
    count: int = 0
    _history: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)

    def learn_calendars(self, body: Any, evidence: Evidence) -> Facts:
        """A calendar list was read."""
        entries = _entries(body.get("calendars") if isinstance(body, dict) else None, "calendar_id")
        self.calendars = {entry["calendar_id"]: entry for entry in entries}
        self.listed = True
        self._remember("list", entries)
        return self._facts("calendars", body, evidence)

    def learn_userinfo(self, body: Any, evidence: Evidence) -> Facts:
        """A userinfo was read."""
        data = body.get("cronofy.data") if isinstance(body, dict) else None
        if isinstance(data, dict):
            self.profiles = _entries(data.get("conferencing_profiles"), "profile_id")
            entries = [
                {"provider_name": profile.get("provider_name"), **entry}
                for profile in _entries(data.get("profiles"), "profile_id")
                for entry in _entries(profile.get("profile_calendars"), "calendar_id")
            ]
            self.userinfo_calendars = {entry["calendar_id"]: entry for entry in entries}
            self._remember("userinfo", entries)
        return self._facts("userinfo", body, evidence)

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

    def disagreeing(self) -> list[str]:
        """The calendars on whose availability one source differs from the other both before and after."""
        found = []
        for calendar_id, said in self._history.items():
            for (a, flag), (b, other), (c, again) in zip(said, said[1:], said[2:], strict=False):
                if a == c != b and flag == again != other:
                    found.append(calendar_id)
                    break
        return sorted(found)

    def _facts(self, source: str, body: Any, evidence: Evidence) -> Facts:
        self.count += 1
        self.evidence[source] = evidence
        document: dict[str, Any] = {
            "about": "directory",
            "account": self.account,
            source: body,
            "availability": {
                "compared": sorted(
                    calendar_id for calendar_id, said in self._history.items() if len({s for s, _ in said}) == 2
                ),
                "disagreeing": self.disagreeing(),
            },
        }
        key = ("directory", self.account, str(self.count))
        return Facts("directory", key, document, tuple(self.evidence.values()), closed=True)


def _entries(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [entry for entry in value if isinstance(entry, dict) and isinstance(entry.get(name), str)]


def resolution(
    kind: str, profile_id: str | None, directory: Directory, calendar_id: str, declared: str | None
) -> dict[str, Any] | None:
    """What a request for generated conferencing resolves to, as far as the directory tells; None if it does not.

    ``to`` is ``profile``, ``integrated``, ``nothing`` or ``unavailable``; ``provider_names`` are the services it
    may be read back as (absent: any); ``connected`` is false if a profile that it may mean is disconnected.
    """
    calendar = directory.calendar(calendar_id) or {}
    available = calendar.get("integrated_conferencing_available")
    if kind == "profile":
        named = [p for p in directory.profiles or () if p["profile_id"] == profile_id]
        return _to_profile(named) if named else None
    if kind == "default":
        if directory.profiles is None:
            return None
        candidates = [p for p in directory.profiles if declared is None or p["profile_id"] == declared]
        if directory.profiles:
            return _to_profile(candidates) if candidates else None
        if available is False:
            return {"to": "nothing"}
    if available is None:
        return None
    if not available:
        return {"to": "unavailable"}
    services = INTEGRATED_SERVICE.get(calendar.get("provider_name", ""))
    return {"to": "integrated", **({"provider_names": services} if services else {})}


def _to_profile(candidates: list[dict[str, Any]]) -> dict[str, Any]:
    names = [p.get("provider_name") for p in candidates]
    result: dict[str, Any] = {
        "to": "profile",
        "candidates": len(candidates),
        "connected": all(p.get("profile_connected") is True for p in candidates),
    }
    if all(isinstance(name, str) for name in names):
        services = {service for name in names for service in PROFILE_SERVICE.get(str(name), [str(name)])}
        result["provider_names"] = sorted(services)
    return result
