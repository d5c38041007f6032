"""A world as a table: what each of its calendars offers, and rotating choices for what no rule asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, cycle

from conformance.servers.inventory import Account, Calendar, Inventory
from conformance.servers.scenarios.scenario import TEXT_VARIANTS, TIME_FORMATS, URL_VARIANTS, Scenario, Step

__all__ = ["Place", "Table", "connected_profiles", "kinds_at"]

Place = tuple[Account, Calendar]

#: What an update changes beside conferencing, most often the summary alone.
_CHANGES = (("summary",), ("summary", "end"), ("summary",), ("summary", "time"), ("description",))


def kinds_at(place: Place) -> tuple[str, ...]:
    """The kinds of writes that make a difference on a calendar, those first that tell most."""
    account, calendar = place
    available = ["explicit"]
    if _default_comes(account, calendar):
        available.append("default")
    if calendar.integrated is not False:
        available.append("integrated")
    if connected_profiles(account):
        available.append("profile")
    return (*available, "none", "omitted", "8x8", "delete")


def _default_comes(account: Account, calendar: Calendar) -> bool:
    """Whether `default` is sure to bring a conference, if the calendar keeps its word."""
    if account.profiles:
        return len(connected_profiles(account)) == len(account.profiles)
    return calendar.integrated is not False


def connected_profiles(account: Account) -> tuple[int, ...]:
    """The places in the account's list of those profiles that can make a conference."""
    return tuple(n for n, profile in enumerate(account.profiles or ()) if profile.connected is not False)


@dataclass(slots=True)
class Table:
    """The world's places by richness, and rotating choices for what every write needs and no rule asks for."""

    inventory: Inventory
    numbers: count[int] = field(default_factory=lambda: count(1))
    urls: Iterator[str] = field(default_factory=lambda: cycle(URL_VARIANTS))
    texts: Iterator[str] = field(default_factory=lambda: cycle(TEXT_VARIANTS))
    forms: Iterator[str] = field(default_factory=lambda: cycle(("utc", *TIME_FORMATS)))
    moved: Iterator[str] = field(default_factory=lambda: cycle(("offset", "tzid", "date")))
    changes: Iterator[tuple[str, ...]] = field(default_factory=lambda: cycle(_CHANGES))
    targets: tuple[Place, ...] = ()
    rich: tuple[Place, ...] = ()
    turns: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.targets = self.inventory.targets
        most = max(len(kinds_at(place)) for place in self.targets)
        fullest = [place for place in self.targets if len(kinds_at(place)) == most]
        self.rich = tuple(_one_of_each_sort(fullest) or fullest)

    def scenario(self, family: str, place: Place, steps: Iterable[Step], event: str = "") -> Scenario:
        number = next(self.numbers)
        account, calendar = place
        return Scenario(f"{family[:2]}{number:02d}", account.name, calendar.calendar_id, tuple(steps), family, event)

    def turn(self, what: str, choices: tuple[Place, ...]) -> Place:
        """The next of `choices`, each in its turn."""
        number = self.turns.get(what, -1) + 1
        self.turns[what] = number
        return choices[number % len(choices)]

    def step(self, kind: str, place: Place, **changes: object) -> Step:
        """A step of a kind with whatever is next in the rotation."""
        step = Step(kind)
        if kind == "explicit":
            step = replace(step, url_variant=next(self.urls))
        if kind == "profile":
            profiles = connected_profiles(place[0]) or (0,)
            self.turns["profile"] = self.turns.get("profile", -1) + 1
            step = replace(step, profile=profiles[self.turns["profile"] % len(profiles)])
        step = replace(step, **changes)  # type: ignore[arg-type]
        near = self.inventory.shows_time and step.time_format == "offset" and step.start == "future"
        return replace(step, start="soon") if near else step

    def having(self, *kinds: str) -> tuple[Place, ...]:
        """The places where each of these kinds makes a difference."""
        return tuple(place for place in self.targets if set(kinds) <= set(kinds_at(place)))


def _one_of_each_sort(targets: list[Place]) -> list[Place]:
    """Two places of each calendar host, from different accounts where there are any."""
    found: dict[object, list[Place]] = {}
    for place in targets:
        alike = found.setdefault(place[1].sort, [])
        if len(alike) < 2 and all(place[0].name != other[0].name for other in alike):
            alike.append(place)
    return [place for alike in found.values() for place in alike]
