"""Hypothesis strategies for scenarios beyond the core table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from conformance.servers.inventory import Account, Inventory
from conformance.servers.scenarios.covering import LONGEST
from conformance.servers.scenarios.sampling import sample
from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import (
    DEFECTS,
    EXTRA_FIELDS,
    GENERATING,
    KINDS,
    STARTS,
    TEXT_VARIANTS,
    TIME_FORMATS,
    TIMINGS,
    URL_VARIANTS,
)

__all__ = ["explore", "scenarios", "steps"]

#: Of so many scenarios, two have one event id, if they are on different calendars.
_TWINS = 10

#: Fields that a write changes besides conferencing, alone and together.
_CHANGES: tuple[tuple[str, ...], ...] = (
    ("summary",), (), ("description",), ("time",), ("start",), ("end",), ("location",), ("bare",),
    ("summary", "time"), ("summary", "description"), ("summary", "bare"),
)  # fmt: skip


def scenarios(
    inventory: Inventory,
    longest: int = LONGEST,
    steps: Callable[[Account], st.SearchStrategy[Step]] | None = None,
) -> st.SearchStrategy[Scenario]:
    """Scenarios of one event each, of at most `longest` steps, on any target of `inventory`.

    `steps` gives the steps of an account, by default the function of that name.  They shrink to a single plain write.
    Raises ValueError for an inventory without a calendar to write to.
    """
    if not inventory.targets:
        raise ValueError("the inventory has no calendar to write to: give an account target_calendars")
    steps_of = _steps if steps is None else steps
    return st.sampled_from(inventory.targets).flatmap(
        lambda target: st.lists(steps_of(target.account), min_size=1, max_size=longest).map(
            lambda drawn: Scenario("x", target.account.name, target.calendar.calendar_id, _in_order(drawn), "explored")
        )
    )


@st.composite
def steps(draw: st.DrawFn, account: Account = Account("default")) -> Step:  # noqa: B008 - a frozen value
    """Single writes of an account, of every kind and in every form; they shrink to a plain explicit write.

    A third of them are as usual; of the others, each choice that matters for the kind of write is unusual at times.
    """
    kinds = [kind for kind in (*KINDS, *KINDS, "invalid", "invalid") if kind != "profile" or account.profiles]
    kind = draw(st.sampled_from(kinds))
    chosen: dict[str, Any] = {}
    if kind == "invalid":
        chosen["defect"] = draw(st.sampled_from(DEFECTS))
    if kind == "profile":
        chosen["profile"] = draw(st.integers(0, len(account.profiles or ()) - 1))
    if draw(st.sampled_from((True, False, False))):
        return Step(kind, **chosen)
    chosen["timing"] = draw(_mostly("settled", TIMINGS))
    if kind == "delete":
        return Step(kind, **chosen)
    chosen |= {
        "changed_fields": draw(_mostly(("summary",), _CHANGES)),
        "start": draw(_mostly("future", STARTS)),
        "time_format": draw(_mostly("utc", TIME_FORMATS)),
        "text_variant": draw(_mostly("plain", TEXT_VARIANTS)),
        "charset": draw(st.sampled_from((True, True, False))),
    }
    if kind in (*GENERATING, "none", "8x8"):
        chosen["extra_fields"] = draw(_mostly("", EXTRA_FIELDS))
    if kind == "explicit" or chosen.get("extra_fields"):
        chosen["url_variant"] = draw(st.sampled_from((*URL_VARIANTS, "again", "room")))
    return Step(kind, **chosen)


_steps = steps


def explore(inventory: Inventory, examples: int, seed: int) -> tuple[Scenario, ...]:
    """`examples` distinct scenarios, the same for the same `seed`; some share an event id, on two calendars."""
    found = sample(scenarios(inventory), examples, seed, lambda one: (one.account, one.calendar_id, one.steps))
    numbered = [replace(scenario, id=f"x{number:03d}") for number, scenario in enumerate(found, 1)]
    for one, other in list(pairwise(range(len(numbered))))[::_TWINS]:
        first, second = numbered[one], numbered[other]
        if (first.account, first.calendar_id) != (second.account, second.calendar_id):
            numbered[one], numbered[other] = replace(first, event=first.id), replace(second, event=first.id)
    return tuple(numbered)


def _mostly(usual: Any, rare: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 4 + [value for value in rare if value != usual])


def _in_order(drawn: list[Step]) -> tuple[Step, ...]:
    """The steps as one scenario: the first creates the event and follows nothing, and a DELETE follows a POST."""
    ordered: list[Step] = []
    for step in drawn:
        if step.kind == "delete" and (not ordered or ordered[-1].kind == "delete"):
            continue
        ordered.append(step if ordered else replace(step, timing="settled"))
    return tuple(ordered) or (Step("explicit"),)
