"""The inventory of the reference server as a TOML file: accounts, calendars, profiles, settling and page size."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any

from conformance.errors import UsageError, content_of, nearest
from conformance.reference.accounts import (
    INVENTORY,
    External,
    ReferenceAccount,
    ReferenceCalendar,
    ReferenceInventory,
    ReferenceProfile,
    opaque,
)

__all__ = ["ServedInventory", "inventory_text", "parse_inventory", "read_inventory"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_KINDS: Mapping[str, tuple[type, ...]] = {"str": (str,), "str | None": (str,), "bool": (bool,), "float": (int, float)}
_EXPECTED = {"str": "a text", "str | None": "a text", "bool": "true or false", "float": "a number"}
#: The service of a calendar whose file names the provider alone.
_SERVICES = {"google": "gmail", "exchange": "office365", "apple": "icloud", "live_connect": "outlook_com"}

_HEAD = """\
# What the reference server offers: `cronofy-conformance serve --inventory FILE`.
# Only names and provider_name are required. Ids that are left out are made of the names.

# Seconds until conferencing is no longer pending, and events a page.
settling = {settling}
page_size = {page_size}

# In an account: default_profile is the profile_id that the user chose as the default, else the first profile counts.
# In a calendar: integrated is the provider_name of its own conferencing service, if it has one.
# In an event, which is not managed: starts_in and lasts are seconds, counted from the server's start.
"""


@dataclass(frozen=True)
class ServedInventory:
    """An inventory, for how many seconds conferencing is pending in it, and how many events a page has."""

    inventory: ReferenceInventory = INVENTORY
    settling: float = 0.5
    page_size: int = 30


def parse_inventory(text: str, place: str) -> ServedInventory:
    """The inventory in a TOML file, which `place` names.

    Raises UsageError for what is no TOML, for unknown and missing keys, and for values that do not fit.
    """
    import tomllib  # only an inventory of one's own needs it

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{place} is not TOML: {error}") from None
    return _Table(place, document).served()


def read_inventory(path: Path) -> ServedInventory:
    """The inventory in a file.  Raises UsageError for one that cannot be read or understood."""
    try:
        text = content_of(path, f"inventory {path}", "name a TOML file").decode()
    except UnicodeDecodeError:
        raise UsageError(f"inventory {path} is not UTF-8 text; name a TOML file") from None
    return parse_inventory(text, str(path))


def inventory_text(served: ServedInventory) -> str:
    """`served` as such a file."""
    return "\n".join(chain([_HEAD.format(settling=served.settling, page_size=served.page_size)], _accounts(served)))


def _accounts(served: ServedInventory) -> Iterator[str]:
    for account in served.inventory.accounts:
        chosen = {"default_profile": account.chosen} if account.chosen else {}
        yield _table("accounts", {"name": account.name, **chosen})
        parts = (("calendars", account.calendars), ("profiles", account.profiles), ("events", account.external))
        for name, entries in parts:
            for entry in entries:
                shown = {field.name: getattr(entry, field.name) for field in fields(entry)}
                usual = {field.name: field.default for field in fields(entry)}
                different = {key: value for key, value in shown.items() if value != usual[key]}
                yield _table(f"accounts.{name}", different)


def _table(name: str, values: Mapping[str, Any]) -> str:
    # A JSON text without escapes beyond ASCII is a TOML text, and so are JSON's numbers and booleans.
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
    return "\n".join([f"[[{name}]]", *lines, ""])


@dataclass(frozen=True)
class _Table:
    """A table of the file, and where it is."""

    place: str
    values: Mapping[str, Any]

    def served(self) -> ServedInventory:
        self._known("settling", "page_size", "accounts")
        usual = ServedInventory()
        settling, size = self.values.get("settling", usual.settling), self.values.get("page_size", usual.page_size)
        if not _is_number(settling) or settling < 0:
            raise self._odd("settling", settling, "a number of seconds, 0 or more")
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise self._odd("page_size", size, "a whole number of events, 1 or more")
        accounts = tuple(table._account() for table in self._tables("accounts"))
        if not accounts:
            raise UsageError(f"{self.place}: there is no account; add [[accounts]] with a name, and its calendars")
        self._unique("the name", [account.name for account in accounts])
        calendars = [calendar.calendar_id for account in accounts for calendar in account.calendars]
        self._unique("the calendar_id", calendars)
        return ServedInventory(ReferenceInventory(accounts), float(settling), size)

    def _account(self) -> ReferenceAccount:
        self._known("name", "default_profile", "calendars", "profiles", "events")
        name = self.values.get("name")
        if not isinstance(name, str) or not _NAME.match(name) or name == "nobody":
            raise self._odd("name", name, "up to 64 letters, digits and . _ - (but not 'nobody')")
        calendars = tuple(
            table._entry(
                ReferenceCalendar,
                calendar_id=lambda own: opaque("cal", name, own["name"]),
                provider_service=lambda own: _SERVICES.get(own["provider_name"], own["provider_name"]),
            )
            for table in self._tables("calendars")
        )
        profiles = tuple(
            table._entry(
                ReferenceProfile,
                profile_id=lambda own: opaque("pro", name, own["provider_name"]),
                profile_name=lambda _: f"{name}@example.com",
            )
            for table in self._tables("profiles")
        )
        events = tuple(
            table._entry(External, event_uid=lambda own: opaque("evt", name, own["summary"]))
            for table in self._tables("events")
        )
        self._unique("the profile_id", [profile.profile_id for profile in profiles])
        self._unique("the event_uid", [event.event_uid for event in events])
        chosen = self.values.get("default_profile")
        if chosen is not None and chosen not in (known := [profile.profile_id for profile in profiles]):
            raise self._odd("default_profile", chosen, f"the profile_id of a profile; {nearest(str(chosen), known)}")
        for event in events:
            if event.calendar_id not in (known := [calendar.calendar_id for calendar in calendars]):
                expected = f"the calendar_id of a calendar; {nearest(event.calendar_id, known)}"
                raise self._odd("events.calendar_id", event.calendar_id, expected)
        return ReferenceAccount(name, calendars, profiles, chosen, events)

    def _entry(self, kind: type[Any], **made: Any) -> Any:
        """A calendar, profile or event; `made` makes what is left out of what is there."""
        known = {field.name: field for field in fields(kind)}
        self._known(*known)
        values = dict(self.values)
        for key, value in values.items():
            of_type = str(known[key].type)
            fits = isinstance(value, _KINDS[of_type]) and (of_type == "bool") is isinstance(value, bool)
            if not fits or value == "" or (of_type == "float" and not _is_number(value)):
                raise self._odd(key, value, _EXPECTED[of_type])
        for key, field in known.items():
            if key not in values and key not in made and field.default is MISSING:
                raise UsageError(f"{self.place}: {key} is missing; expected {_EXPECTED[str(field.type)]}")
        missing = {key: make(values) for key, make in made.items() if key not in values}
        return kind(**values, **missing)

    def _known(self, *names: str) -> None:
        for key in self.values:
            if key not in names:
                raise UsageError(f"{self.place}: unknown key {key!r}; {nearest(key, names)}")

    def _tables(self, name: str) -> Iterator[_Table]:
        found = self.values.get(name, [])
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise self._odd(name, found, f"tables, each as [[…{name}]]")
        yield from (_Table(f"{self.place}, {name} {number}", entry) for number, entry in enumerate(found, 1))

    def _unique(self, what: str, values: list[str]) -> None:
        for value in values:
            if values.count(value) > 1:
                raise UsageError(f"{self.place}: {what} {value!r} is there twice; give each its own")

    def _odd(self, key: str, value: Any, expected: str) -> UsageError:
        return UsageError(f"{self.place}: {key} is {value!r}; expected {expected}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
