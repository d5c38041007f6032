"""Writes of each kind as entries of a batch, some of them to events that were written singly before."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.servers.scenarios.covering import Table
from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import GENERATING

__all__ = ["batched"]

_DEFECT = "explicit-without-url"


def batched(table: Table) -> Iterator[Scenario]:
    """Each kind of write in a batch, on creation or on update, and what is to be refused.

    What leaves conferencing out stands behind what requests some, so that it shows what one entry passes to the next.
    """
    here, first = table.rich[0], Step("explicit")
    for steps in (
        (first, _entry("none"), _entry("explicit")),
        (first, _entry("omitted"), _entry("delete")),
        (first, _entry("invalid", _DEFECT)),
        (_entry("invalid", _DEFECT),),
        (_entry("8x8"),),
    ):
        yield table.scenario("batched", here, steps)
    for kind in GENERATING:
        targets = table.having(kind)
        for target in (here,) if here in targets else targets[:1]:
            yield table.scenario("batched", target, [table.step(kind, target, batched=True)])
    yield table.scenario("batched", here, [_entry("omitted")])
    for integrated, kinds in ((False, ("integrated", "default")), (True, ("default",))):
        without_profile = [
            target
            for target in table.targets
            if not target.account.profiles and target.calendar.integrated is integrated
        ]
        for target in without_profile[:1]:
            for kind in kinds:
                yield table.scenario("batched", target, [Step("omitted"), _entry(kind, changed_fields=())])


def _entry(kind: str, defect: str = "", changed_fields: tuple[str, ...] = ("summary",)) -> Step:
    return Step(kind, changed_fields, defect=defect, batched=True)
