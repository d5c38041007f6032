"""A team's own scenarios, beside those of the core table: given as values, as a strategy, or as a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from conformance.errors import ConfigurationError, nearest, place_of
from conformance.servers.attributes import load_attribute
from conformance.servers.inventory import Inventory
from conformance.servers.scenarios.sampling import sample
from conformance.servers.scenarios.scenario import Scenario

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Source", "added_scenarios", "named_source"]

#: Where scenarios come from; what is nested is flattened.
Source: TypeAlias = "Scenario | Iterable[Source] | SearchStrategy[Scenario] | Callable[[Inventory], Source]"


def named_source(name: str) -> Source:
    """The source that ``--scenarios MODULE:NAME`` names.  Raises ConfigurationError."""
    source: Source = load_attribute(name, f"--scenarios {name}", "--scenarios MODULE:NAME", "scenarios")
    return source


def added_scenarios(
    source: Source, inventory: Inventory, others: Sequence[Scenario], examples: int, seed: int
) -> tuple[Scenario, ...]:
    """The scenarios that `source` gives for `inventory`; of a strategy `examples` distinct ones, and at least one.

    Raises ConfigurationError for one that cannot run: on a calendar that nothing is written to, without a first POST,
    or with the id of another one, `others` included.
    """
    found: dict[str, Scenario] = {}
    used = {scenario.id for scenario in others}
    for scenario in _scenarios(source, inventory, max(1, examples), seed):
        _check(scenario, inventory)
        if scenario.id in used or scenario.id in found:
            raise ConfigurationError(f"two scenarios have the id {scenario.id!r}: give each its own")
        found[scenario.id] = replace(scenario, family=scenario.family or "added")
    return tuple(found.values())


def _scenarios(source: Any, inventory: Inventory, examples: int, seed: int) -> Iterator[Scenario]:
    """All scenarios of a source; those of its strategies are numbered."""
    strategies = 0
    sources = [source]
    while sources:
        one = sources.pop(0)
        if isinstance(one, Scenario):
            yield one
        elif hasattr(one, "flatmap"):  # a strategy, told without an import of Hypothesis
            strategies += 1
            drawn = sample(one, examples, seed, lambda scenario: replace(scenario, id=""))
            prefix = "d" * strategies
            yield from (replace(scenario, id=f"{prefix}{number:03d}") for number, scenario in enumerate(drawn, 1))
        elif isinstance(one, Iterable) and not isinstance(one, str | bytes):
            sources[:0] = one
        elif callable(one):
            sources.insert(0, _called(one, inventory))
        else:
            raise ConfigurationError(
                f"{one!r} is no scenario: give Scenario values, a Hypothesis strategy of them, "
                "or a function of the inventory that gives either"
            )


def _called(function: Callable[[Inventory], Source], inventory: Inventory) -> Source:
    try:
        return function(inventory)
    except Exception as error:
        name, place = getattr(function, "__name__", repr(function)), place_of(error)
        raise ConfigurationError(f"{name!r}, which is to give scenarios, raised an error ({place}): {error}") from error


def _check(scenario: Scenario, inventory: Inventory) -> None:
    where = f"scenario {scenario.id!r}"
    if scenario.account not in inventory.by_name:
        raise ConfigurationError(
            f"{where} is of account {scenario.account!r}: {nearest(scenario.account, inventory.by_name)}"
        )
    calendars = [target.calendar.calendar_id for target in inventory.targets if target.account.name == scenario.account]
    if scenario.calendar_id not in calendars:
        raise ConfigurationError(
            f"{where} writes to calendar {scenario.calendar_id!r}, which this run does not write to; "
            f"{nearest(scenario.calendar_id, calendars)}"
        )
    if not scenario.steps or scenario.steps[0].kind == "delete":
        raise ConfigurationError(f"{where} does not begin with a POST: its first step must create the event")
    if any(step.kind == "profile" for step in scenario.steps) and not inventory.by_name[scenario.account].profiles:
        raise ConfigurationError(f"{where} names a profile, and account {scenario.account!r} has none")
