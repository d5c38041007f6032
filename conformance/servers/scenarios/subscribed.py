"""Subscriptions on writes that the core has anyway: of each kind, on creation and on update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import cycle

from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import GENERATING, SUBSCRIPTIONS

__all__ = ["with_subscriptions"]

#: Families of which each body has a meaning of its own.
_LEFT_ALONE = frozenset({"isolated", "refused", "access", "remains", "past", "turns"})


def with_subscriptions(scenarios: Iterable[Scenario]) -> Iterator[Scenario]:
    """The scenarios, with subscriptions on the first plain step of each kind, created and updated.

    Of what is generated it is the first in each account, since each may have other services.
    """
    seen = set[tuple[object, ...]]()
    variants = {kind: cycle(SUBSCRIPTIONS) for kind in (*GENERATING, "")}
    for scenario in scenarios:
        steps = []
        fresh = True
        for number, step in enumerate(scenario.steps):
            after = scenario.steps[number + 1 : number + 2]
            key = (step.kind, fresh, scenario.account if step.kind in GENERATING else None)
            if key not in seen and scenario.family not in _LEFT_ALONE and _is_plain(step, after):
                seen.add(key)
                step = replace(step, subscriptions=next(variants.get(step.kind, variants[""])))
            steps.append(step)
            fresh = step.kind == "delete"
        yield replace(scenario, steps=tuple(steps))


def _is_plain(step: Step, after: tuple[Step, ...]) -> bool:
    """Whether nothing else is special about a step, and readings show what comes of it."""
    usual = not (step.extra_fields or step.defect) and step.text_variant != "long" and step.url_variant == "https"
    settles = step.timing == "settled" and all(next_step.timing == "settled" for next_step in after)
    return usual and settles and step.start in ("future", "year") and step.kind != "delete"
