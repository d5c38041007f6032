"""Every documented value on every kind of calendar, as creations and as updates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from conformance.servers.inventory import Target
from conformance.servers.scenarios.covering import LONGEST, Table, connected_profiles
from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import GENERATING

__all__ = ["calendars"]

#: The documented values, and none at all; ``none`` comes after one that gives the event something to remove.
_VALUES = ("default", "integrated", "profile", "explicit", "none", "8x8", "omitted")


def calendars(table: Table, scenarios: Iterable[Scenario]) -> Iterator[Scenario]:
    """What `scenarios` have not tried: values on a calendar, and creations and updates on a kind of calendar."""
    targets = {(target.account.name, target.calendar.calendar_id): target for target in table.targets}
    tried = set[tuple[object, ...]]()
    for scenario in scenarios:
        target = targets[scenario.account, scenario.calendar_id]
        for kind, way in _ways(target, scenario.steps):
            tried |= {(target.account.name, target.calendar.calendar_id, kind), (target.calendar.kind, kind, way)}
    chosen = _representatives(table)
    for target in table.targets:
        values = [kind for kind in _VALUES if kind != "profile" or connected_profiles(target.account)]
        kind_of_calendar = target.calendar.kind
        created, updated = [], []
        if target in chosen:
            created = [kind for kind in values if (kind_of_calendar, kind, "created") not in tried]
            updated = [kind for kind in values if (kind_of_calendar, kind, "updated") not in tried]
        here = (target.account.name, target.calendar.calendar_id)
        for kind in (*GENERATING, "explicit"):
            if kind in values and (*here, kind) not in tried and kind not in (*created, *updated):
                (created if len(created) <= len(updated) else updated).append(kind)
        yield from _Chains(table, target, created, updated).scenarios()
    for target in table.first_of_each(lambda target: target.account.name):
        profiles = target.account.profiles or ()
        unconnected = [n for n, _ in enumerate(profiles) if n not in connected_profiles(target.account)]
        for profile in unconnected[:1]:
            yield table.scenario("calendars", target, [Step("profile", profile=profile)])


def _representatives(table: Table) -> tuple[Target, ...]:
    """A target for each kind of calendar, of an account with profiles where there is one."""
    found: dict[object, Target] = {}
    for target in sorted(table.targets, key=lambda target: not connected_profiles(target.account)):
        found.setdefault(target.calendar.kind, target)
    return tuple(found.values())


def _ways(target: Target, steps: Iterable[Step]) -> Iterator[tuple[str, str]]:
    """The kinds of the usual steps that count, each with ``created`` or ``updated``."""
    exists = has = False
    for step in steps:
        usual = not (step.extra_fields or step.defect) and step.timing == "settled"
        if usual and step.start in ("future", "soon", "year") and (step.kind != "none" or has or not exists):
            yield step.kind, "updated" if exists else "created"
        if step.defect or _is_refused(target, step.kind):
            continue
        exists = step.kind != "delete"
        has = exists and (has or step.kind in (*GENERATING, "explicit")) and step.kind not in ("none", "8x8")


def _is_refused(target: Target, kind: str) -> bool:
    return kind == "integrated" and target.calendar.integrated is False


@dataclass(slots=True)
class _Chains:
    """Scenarios on one target with these kinds of creations and of updates, as few writes as there may be."""

    table: Table
    target: Target
    created: list[str]
    updated: list[str]
    steps: list[Step] = field(default_factory=list)

    def scenarios(self) -> Iterator[Scenario]:
        """The scenarios; each is of at most `LONGEST` steps."""
        exists = False
        while self.created or self.updated:
            if not exists:
                # An event that is created to be updated is given what `none` can remove.
                kind = self.created.pop(0) if self.created else "explicit"
                self._add(kind)
                exists = not _is_refused(self.target, kind)
            elif self.updated:
                kind = self.updated.pop(0)
                if kind == "none" and self.steps[-1].kind not in (*GENERATING, "explicit"):
                    # This URL is also that of an event which is watched: changes of one must not affect the other.
                    self.steps.append(Step("explicit", url_variant="room"))
                self._add(kind)
            else:
                self.steps.append(Step("delete"))
                exists = False
            if len(self.steps) > LONGEST - 2:
                yield self._scenario()
                exists = False
        if self.steps:
            yield self._scenario()

    def _add(self, kind: str) -> None:
        self.steps.append(self.table.step(kind, self.target, time_format=next(self.table.forms)))

    def _scenario(self) -> Scenario:
        steps, self.steps = self.steps, []
        return self.table.scenario("calendars", self.target, steps)
