"""Writes that must be refused, as updates and as creations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from conformance.servers.scenarios.covering import LONGEST, Table
from conformance.servers.scenarios.pending import pending_defects
from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import CREATION_DEFECTS, DEFECTS

__all__ = ["refused_creations", "refused_updates"]


def refused_updates(table: Table) -> Iterator[Scenario]:
    """Updates that must be refused, on an event with a conference: nothing of it may change."""
    elsewhere = pending_defects(table).values()
    here = [defect for defect in DEFECTS if defect not in elsewhere]
    for start in range(0, len(here), LONGEST - 1):
        target = table.turn("refused", table.targets)
        defects = here[start : start + LONGEST - 1]
        changes = cycle((("summary",), ("summary", "description"), ("summary", "time")))
        steps = [Step("invalid", defect=defect, changed_fields=next(changes)) for defect in defects]
        yield table.scenario("refused", target, [table.step("explicit", target), *steps])
    unavailable = tuple(target for target in table.targets if target.calendar.integrated is False)
    if unavailable:
        refused = Step("integrated", changed_fields=("summary", "time"))
        target = table.turn("unavailable", unavailable)
        yield table.scenario("refused", target, [table.step("explicit", target), refused])
        bare = tuple(target for target in unavailable if not target.account.profiles)
        target = table.turn("unavailable", bare or unavailable)
        yield table.scenario("refused", target, [Step("omitted"), refused, Step("default", extra_fields="both")])


def refused_creations(table: Table) -> Iterator[Scenario]:
    """Creations that must be refused: they must not create an event."""
    unavailable = tuple(target for target in table.targets if target.calendar.integrated is False)
    if unavailable:
        bare = tuple(target for target in unavailable if not target.account.profiles)
        target = table.turn("unavailable", bare or unavailable)
        yield table.scenario("refused", target, [Step("integrated"), Step("omitted"), Step("default")])
    for defect in CREATION_DEFECTS:
        yield table.scenario("refused", table.turn("refused", table.targets), [Step("invalid", defect=defect)])
