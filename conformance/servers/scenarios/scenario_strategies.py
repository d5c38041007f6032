"""Hypothesis strategies for scenarios beyond the core table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from conformance.servers.inventory import Account, Inventory
from conformance.servers.scenarios.core import LONGEST
from conformance.servers.scenarios.sampling import sample
from conformance.servers.scenarios.scenario import (
    DEFECTS,
    EXTRA_FIELDS,
    KINDS,
    STARTS,
    TEXT_VARIANTS,
    TIME_FORMATS,
    URL_VARIANTS,
    Scenario,
    Step,
)

__all__ = ["explore", "scenarios", "steps"]

_CHANGES = (("summary",), ("summary",), (), ("description",), ("time",), ("summary", "time"), ("location",))


def scenarios(inventory: Inventory, longest: int = LONGEST) -> st.SearchStrategy[Scenario]:
    """Lives of one event each, on any calendar of `inventory` that may be written to; they shrink to one plain write."""
    accounts = {account.name: account for account, _ in inventory.targets}
    targets = st.sampled_from([(account.name, calendar.calendar_id) for account, calendar in inventory.targets])
    return targets.flatmap(
        lambda place: st.lists(steps(accounts[place[0]]), min_size=1, max_size=longest).map(
            lambda drawn: Scenario("x", place[0], place[1], _in_order(drawn), "explored")
        )
    )


def steps(account: Account) -> st.SearchStrategy[Step]:
    """Single writes as an account may ask for them; rare choices are drawn rarely."""
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
        immediate=_mostly(False, (True,)),
    )


def explore(inventory: Inventory, examples: int, seed: int) -> tuple[Scenario, ...]:
    """`examples` distinct scenarios, the same for the same `seed`."""
    found = sample(scenarios(inventory), examples, seed, lambda one: (one.account, one.calendar_id, one.steps))
    return tuple(replace(scenario, id=f"x{number:03d}") for number, scenario in enumerate(found, 1))


def _mostly(usual: Any, rare: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 4 + list(rare))


def _step(**drawn: Any) -> Step:
    """A step in which only those choices differ from the usual that its kind has a use for."""
    kind = drawn["kind"]
    if kind == "delete":
        return Step("delete", immediate=drawn["immediate"])
    unused = {
        "url_variant": kind != "explicit" and not drawn["extra_fields"],
        "extra_fields": kind in ("explicit", "omitted", "invalid"),
        "defect": kind != "invalid",
        "profile": kind != "profile",
    }
    usual = Step(kind)
    return Step(**{name: getattr(usual, name) if unused.get(name) else value for name, value in drawn.items()})


def _in_order(drawn: list[Step]) -> tuple[Step, ...]:
    """The steps as one scenario: it begins with a creation that waits for nothing, and deletes only what is there."""
    kept: list[Step] = []
    for step in drawn:
        if step.kind == "delete" and (not kept or kept[-1].kind == "delete"):
            continue
        kept.append(replace(step, immediate=step.immediate and bool(kept)))
    return tuple(kept) or (Step("explicit"),)
