"""How reports show the smallest scenarios of a failure: in words, as Python source, and as requests that were sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from conformance.facts import Evidence
from conformance.http.curl import curl
from conformance.judging.summary import Reproduction
from conformance.servers.scenarios import Scenario, Step
from conformance.servers.scenarios.step_words import steps_in_words

if TYPE_CHECKING:
    from conformance.http.exchange import Exchange
    from conformance.servers.campaign.scenario_shrinking import ScenarioCounterexample
    from conformance.servers.inventory import Inventory

__all__ = ["reproduction", "source"]


def reproduction(example: ScenarioCounterexample, inventory: Inventory, variables: Mapping[str, str]) -> Reproduction:
    return Reproduction(
        example.rule.id,
        example.rule.title,
        tuple(f"({_place(scenario, inventory)!a}, {source(scenario)})" for scenario in example.scenarios),
        tuple(curl(exchange.request, variables) for exchange in example.exchanges),
        (
            *steps_in_words(() if example.tried and not example.failed else example.scenarios),
            *([f"({example.note})"] if example.note else []),
        ),
        tuple(_evidence(exchange) for exchange in example.exchanges),
        example.origin,
        example.violation,
        not example.tried or bool(example.failed),
        example.beside,
    )


def _evidence(exchange: Exchange) -> Evidence:
    status = exchange.response.status if exchange.response is not None else None
    return Evidence(exchange.label, exchange.request, status, at=exchange.sent_at)


def _place(scenario: Scenario, inventory: Inventory) -> tuple[str | None, bool | None]:
    calendars = inventory.by_name[scenario.account].calendars
    found = next((calendar for calendar in calendars if calendar.calendar_id == scenario.calendar_id), None)
    return (None, None) if found is None else (found.provider_name, found.integrated)


def source(value: Any) -> str:
    """A scenario, a step or a plain value as Python source, without what has its default."""
    if isinstance(value, tuple):
        inner = ", ".join(map(source, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if not is_dataclass(value):
        return ascii(value)
    arguments = (
        f"{field.name}={source(item)}"
        for field in fields(value)
        if (item := getattr(value, field.name)) != field.default
    )
    kind = type(value)
    # A team's own step comes from a module of theirs.
    maker = "" if kind in (Scenario, Step) else f"importlib.import_module({kind.__module__!a})."
    return f"{maker}{kind.__qualname__}({', '.join(arguments)})"
