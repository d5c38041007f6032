"""Hypothesis strategies for scenarios beyond the core table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from conformance.servers.inventory import Account, Inventory
from conformance.servers.scenarios.covering import LONGEST
from conformance.servers.scenarios.sampling import sample
from conformance.servers.scenarios.scenario import Scenario, Step
from conformance.servers.scenarios.scenario_values import (
    DEFECTS,
    EXTRA_FIELDS,
    KINDS,
    STARTS,
    TEXT_VARIANTS,
    TIME_FORMATS,
    TIMINGS,
    URL_VARIANTS,
)

__all__ = ["explore", "scenarios", "steps"]

_CHANGES = (("summary",), ("summary",), (), ("description",), ("time",), ("start",), ("end",), ("location",))


def scenarios(inventory: Inventory, longest: int = LONGEST) -> st.SearchStrategy[Scenario]:
    """Scenarios of one event each, on any target of `inventory`; they shrink to a single plain write."""
    return st.sampled_from(inventory.targets).flatmap(
        lambda target: st.lists(steps(target.account), min_size=1, max_size=longest).map(
            lambda drawn: Scenario("x", target.account.name, target.calendar.calendar_id, _in_order(drawn), "explored")
        )
    )


def steps(account: Account) -> st.SearchStrategy[Step]:
    """Single writes of an account; unusual choices are drawn rarely."""
    kinds = [kind for kind in (*KINDS, *KINDS, "invalid") if kind != "profile" or account.profiles]
    return st.builds(
        _step,
        kind=st.sampled_from(kinds),
        changed_fields=st.sampled_from(_CHANGES),
        start=_mostly("future", STARTS),
        time_format=_mostly("utc", TIME_FORMATS),
        text_variant=_mostly("plain", TEXT_VARIANTS),
        url_variant=st.sampled_from([*URL_VARIANTS, "again", "room"]),
        extra_fields=_mostly("", EXTRA_FIELDS),
        defect=st.sampled_from(DEFECTS),
        profile=st.integers(0, max(0, len(account.profiles or ()) - 1)),
        timing=_mostly("settled", TIMINGS),
        charset=st.booleans(),
    )


def explore(inventory: Inventory, examples: int, seed: int) -> tuple[Scenario, ...]:
    """`examples` distinct scenarios, the same for the same `seed`."""
    found = sample(scenarios(inventory), examples, seed, lambda one: (one.account, one.calendar_id, one.steps))
    return tuple(replace(scenario, id=f"x{number:03d}") for number, scenario in enumerate(found, 1))


def _mostly(usual: Any, rare: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 4 + list(rare))


def _step(**drawn: Any) -> Step:
    """A step with the choices that matter for its kind; the others are the usual ones."""
    kind = drawn["kind"]
    if kind == "delete":
        return Step("delete", timing=drawn["timing"])
    unused = {
        "url_variant": kind != "explicit" and not drawn["extra_fields"],
        "extra_fields": kind in ("explicit", "omitted", "invalid"),
        "defect": kind != "invalid",
        "profile": kind != "profile",
    }
    usual = Step(kind)
    return Step(**{name: getattr(usual, name) if unused.get(name) else value for name, value in drawn.items()})


def _in_order(drawn: list[Step]) -> tuple[Step, ...]:
    """The steps as one scenario: the first creates the event and follows nothing, and a DELETE follows a POST."""
    ordered: list[Step] = []
    for step in drawn:
        if step.kind == "delete" and (not ordered or ordered[-1].kind == "delete"):
            continue
        ordered.append(step if ordered else replace(step, timing="settled"))
    return tuple(ordered) or (Step("explicit"),)
