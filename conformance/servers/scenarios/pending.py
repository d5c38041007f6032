"""Writes that meet an event whose conference is not there yet: lost updates show only there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conformance.servers.inventory import Target
from conformance.servers.scenarios.covering import Table, kinds_at
from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import GENERATING, PENDING_DEFECTS

__all__ = ["back_to_back", "pending_defects", "while_pending"]

#: What is changed while the conference of the first, second and third kind is pending.
_CHANGES = (("summary",), ("summary", "time"), ("summary", "description"))


def back_to_back(table: Table) -> Iterator[Scenario]:
    """Writes sent the moment that the previous one is answered."""
    for kinds in (
        ("default", "none"),
        ("explicit", "explicit"),
        ("explicit", "omitted"),
        ("explicit", "default"),
        ("default", "omitted"),
        ("none", "integrated"),
        ("none", "explicit", "delete", "default"),
        ("default", "delete", "omitted"),
    ):
        targets = table.having(*(kind for kind in kinds if kind in GENERATING))
        if targets:
            target = table.turn("back-to-back", targets)
            steps = [
                table.step(kind, target, timing="back-to-back" if n else "settled") for n, kind in enumerate(kinds)
            ]
            if kinds[1:] == ("omitted",):
                steps[1] = replace(steps[1], changed_fields=("summary", "time"))
            yield table.scenario("back-to-back", target, steps)
    target = table.turn("back-to-back", table.targets)
    steps = [table.step("explicit", target), Step("none"), Step("omitted", timing="back-to-back")]
    yield table.scenario("back-to-back", target, steps)


def pending_defects(table: Table) -> dict[str, str]:
    """What is wrong with the write that is sent while a conference of each kind is pending."""
    return dict(zip(_generating(table.rich[0]), PENDING_DEFECTS, strict=False))


def while_pending(table: Table) -> Iterator[Scenario]:
    """Each kind of write when the conference that another requested is first shown pending.

    What ends without a conference comes first, so that the next conference is one that the event did not have.
    """
    kinds = _generating(table.rich[0])
    clearing = [(kind, (Step(cleared),)) for cleared in ("none", "delete") for kind in kinds]
    refused = [(kind, _refused(Step("invalid", defect=defect))) for kind, defect in pending_defects(table).items()]
    others = list(zip(kinds, (*kinds[1:], *kinds[:1]), strict=True)) if len(kinds) > 1 else []
    ending = [
        *refused,
        *((kind, (Step("omitted", changed_fields=changes),)) for kind, changes in zip(kinds, _CHANGES, strict=False)),
        *((kind, (Step("explicit"),)) for kind in kinds),
        *((kind, (Step(other),)) for kind, other in others),
    ]
    clearing.sort(key=lambda pair: kinds.index(pair[0]))
    while clearing or ending:
        target = table.turn("while-pending", table.rich)
        if clearing:
            pairs = [clearing.pop(0), clearing.pop(-1), *([ending.pop()] if ending else [])]
            steps = [step for pair in pairs for step in _met(table, target, *pair)]
        else:
            steps = _met(table, target, *ending.pop(0))
            if ending:
                steps += [Step("none"), *_met(table, target, *ending.pop())]
        yield table.scenario("while-pending", target, steps)
    unavailable = tuple(target for target in table.having("default") if target.calendar.integrated is False)
    if unavailable:
        target = table.turn("while-pending-unavailable", unavailable)
        yield table.scenario("while-pending", target, _met(table, target, "default", _refused(Step("integrated"))))


def _refused(step: Step) -> tuple[Step, ...]:
    """A write that is refused, and one that is not and leaves conferencing out: the conference must still come."""
    return replace(step, changed_fields=("summary", "time")), Step("omitted", timing="back-to-back")


def _met(table: Table, target: Target, kind: str, then: tuple[Step, ...]) -> list[Step]:
    """A request of a kind, and what is sent while it is pending."""
    first = replace(then[0], timing="while-pending")
    if first.kind in ("explicit", *GENERATING) and not first.defect:
        first = table.step(first.kind, target, timing="while-pending", changed_fields=first.changed_fields)
    return [table.step(kind, target), first, *then[1:]]


def _generating(target: Target) -> tuple[str, ...]:
    return tuple(kind for kind in GENERATING if kind in kinds_at(target))
