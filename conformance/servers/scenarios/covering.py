"""The table behind the core: what each calendar offers, and rotating choices for what no rule depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count, cycle

from conformance.servers.inventory import Account, Calendar, Inventory, Target
from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import TEXT_VARIANTS, TIME_FORMATS, URL_VARIANTS

__all__ = ["LONGEST", "Table", "connected_profiles", "kinds_at", "rounds_of"]

#: Steps of the longest scenario, but for what is sent back to back: the duration of a run grows with it.
LONGEST = 6

#: Fields that an update changes besides conferencing.
_CHANGES = (("summary",), ("end",), ("summary",), ("summary", "time"), ("description",), ("start",), ("location",))

#: Text variants in rotation; what is very long is sent once.
_TEXTS = tuple(variant for variant in TEXT_VARIANTS if variant != "long")

#: Of so many scenarios, one leaves the charset out of its media type.
_WITHOUT_CHARSET = 3


def rounds_of(scenario: Scenario) -> int:
    """How many rounds are kept for a scenario: a step each, but none for many that are sent back to back."""
    waits = sum(step.timing != "back-to-back" for step in scenario.steps)
    return max(waits, min(len(scenario.steps), LONGEST))


def kinds_at(target: Target) -> tuple[str, ...]:
    """The kinds of writes that make a difference on a target, those that generate conferences first."""
    account, calendar = target
    available = ["explicit"]
    if _default_is_available(account, calendar):
        available.append("default")
    if calendar.integrated is not False:
        available.append("integrated")
    if connected_profiles(account):
        available.append("profile")
    return (*available, "none", "omitted", "8x8", "delete")


def _default_is_available(account: Account, calendar: Calendar) -> bool:
    """Whether `default` surely generates a conference, if the calendar offers what it lists."""
    if account.profiles:
        return len(connected_profiles(account)) == len(account.profiles)
    return calendar.integrated is not False


def connected_profiles(account: Account) -> tuple[int, ...]:
    """The indices of the account's profiles that can generate a conference."""
    return tuple(n for n, profile in enumerate(account.profiles or ()) if profile.connected is not False)


@dataclass(slots=True)
class Table:
    """The targets of an inventory, and rotating choices for what every write needs and no rule depends on.

    `rich` are the targets with most kinds of writes, all the same ones, at most two of each kind of calendar.
    """

    inventory: Inventory
    numbers: count[int] = field(default_factory=lambda: count(1))
    urls: Iterator[str] = field(default_factory=lambda: cycle(URL_VARIANTS))
    texts: Iterator[str] = field(default_factory=lambda: cycle(_TEXTS))
    forms: Iterator[str] = field(default_factory=lambda: cycle(("utc", *TIME_FORMATS)))
    moved: Iterator[str] = field(default_factory=lambda: cycle(("offset", "tzid", "date")))
    changes: Iterator[tuple[str, ...]] = field(default_factory=lambda: cycle(_CHANGES))
    targets: tuple[Target, ...] = ()
    rich: tuple[Target, ...] = ()
    turns: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.targets = self.inventory.targets
        most = max((kinds_at(target) for target in self.targets), key=len)
        fullest = [target for target in self.targets if kinds_at(target) == most]
        self.rich = _two_of_each_kind(fullest)

    def scenario(self, family: str, target: Target, steps: Iterable[Step], event: str = "") -> Scenario:
        number = next(self.numbers)
        account, calendar = target
        if number % _WITHOUT_CHARSET == 0:
            steps = [replace(step, charset=False) for step in steps]
        return Scenario(f"{family[:2]}{number:02d}", account.name, calendar.calendar_id, tuple(steps), family, event)

    def turn(self, rotation: str, choices: tuple[Target, ...]) -> Target:
        """The next of `choices`, in rotation."""
        number = self.turns.get(rotation, -1) + 1
        self.turns[rotation] = number
        return choices[number % len(choices)]

    def step(self, kind: str, target: Target, **changes: object) -> Step:
        """A step of a kind, with the next URL variant or profile in rotation."""
        step = Step(kind)
        if kind == "explicit":
            step = replace(step, url_variant=next(self.urls))
        if kind == "profile":
            profiles = connected_profiles(target.account) or (0,)
            self.turns["profile"] = self.turns.get("profile", -1) + 1
            step = replace(step, profile=profiles[self.turns["profile"] % len(profiles)])
        step = replace(step, **changes)  # type: ignore[arg-type]
        near = self.inventory.shows_time and step.time_format in ("offset", "tzid") and step.start == "future"
        return replace(step, start="soon") if near else step

    def first_of_each(self, key: Callable[[Target], object]) -> tuple[Target, ...]:
        """The first target with each value of `key`."""
        return tuple({key(target): target for target in reversed(self.targets)}.values())

    def having(self, *kinds: str) -> tuple[Target, ...]:
        """The targets where each of these kinds makes a difference."""
        return tuple(target for target in self.targets if set(kinds) <= set(kinds_at(target)))


def _two_of_each_kind(targets: list[Target]) -> tuple[Target, ...]:
    """At most two targets of each kind of calendar, from different accounts."""
    found: dict[object, list[Target]] = {}
    for target in targets:
        alike = found.setdefault(target.calendar.kind, [])
        if len(alike) < 2 and all(target.account.name != other.account.name for other in alike):
            alike.append(target)
    return tuple(target for alike in found.values() for target in alike)
