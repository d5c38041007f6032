"""Subscriptions on writes that the core has anyway: of each kind, on creation and on update."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle

from conformance.servers.inventory import Inventory
from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import GENERATING, SUBSCRIPTIONS

__all__ = ["with_subscriptions"]

#: Subscriptions at which an assignment is told from a failure, without which nothing is known of what comes unasked.
_TOLD_APART = ("assigned", "two")

#: Families of which each body has a meaning of its own.
_LEFT_ALONE = frozenset({"isolated", "refused", "access", "remains", "past", "turns"})


def with_subscriptions(scenarios: Sequence[Scenario], inventory: Inventory) -> tuple[Scenario, ...]:
    """The scenarios, with subscriptions on one plain step of each kind, created and updated, in most cases a last one.

    What follows a last step is watched to the end of the run, so that a notification may take its time.
    Of what is generated it is one in each account, since each may have other services.
    Each kind of write is left without any somewhere on each kind of calendar: beside subscriptions it may be refused.
    """
    kinds = {calendar.calendar_id: calendar.kind for _, calendar in inventory.targets}
    usual = Counter(
        (kinds[scenario.calendar_id], *key[:2])
        for scenario in scenarios
        if not scenario.family.startswith("refused")
        for _, key in _plain_steps(scenario)
    )
    chosen: dict[tuple[int, int], str] = {}
    seen = set[tuple[object, ...]]()
    variants = {**{kind: cycle(SUBSCRIPTIONS) for kind in GENERATING}, "": cycle(_TOLD_APART)}
    for last in (True, False):
        for index, scenario in enumerate(scenarios):
            for number, key in _plain_steps(scenario):
                here = (kinds[scenario.calendar_id], *key[:2])
                if key not in seen and usual[here] > 1 and (number == len(scenario.steps) - 1 or not last):
                    seen.add(key)
                    usual[here] -= 1
                    kind = scenario.steps[number].kind
                    chosen[index, number] = next(variants.get(kind, variants[""]))
    return tuple(
        replace(
            scenario,
            steps=tuple(
                replace(step, subscriptions=chosen.get((index, number), ""))
                for number, step in enumerate(scenario.steps)
            ),
        )
        for index, scenario in enumerate(scenarios)
    )


def _plain_steps(scenario: Scenario) -> Iterator[tuple[int, tuple[object, ...]]]:
    """The steps that may have subscriptions, by number, each with what tells it from others that need not have any."""
    fresh = True
    for number, step in enumerate(scenario.steps):
        after = scenario.steps[number + 1 : number + 2]
        if scenario.family not in _LEFT_ALONE and _is_plain(step, after):
            yield number, (step.kind, fresh, scenario.account if step.kind in GENERATING else None)
        fresh = step.kind == "delete"


def _is_plain(step: Step, after: tuple[Step, ...]) -> bool:
    """Whether nothing else is special about a step, and readings show what comes of it."""
    usual = (
        not (step.extra_fields or step.defect or step.batched)
        and step.text_variant != "long"
        and step.url_variant == "https"
    )
    settles = step.timing == "settled" and all(next_step.timing == "settled" for next_step in after)
    usual = usual and step.start == "future" and step.time_format == "utc"
    return usual and settles and step.kind != "delete"
