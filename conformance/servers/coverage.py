"""Coverage classes that a subject can reach: its inventory may lack what a class needs, whatever a run sends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jsonschema_rs

from conformance.contract.rules import Rule, case_schema
from conformance.contract.schemas import read, rs_registry
from conformance.judging.report import Report
from conformance.servers.inventory import Account, Calendar, Inventory

__all__ = ["reachable_coverage"]


def reachable_coverage(inventory: Inventory, rules: Iterable[Rule], report: Report) -> frozenset[str]:
    """The coverage classes of `rules` that the inventory has a calendar or a profile for.

    Classes that depend on the subject's own choice, such as several pages, are reachable once they were met.
    """
    named = {case for rule in rules for case in rule.cases}
    met = {case for tally in report.tallies.values() for case in tally.cases}
    return frozenset(case for case in named if case in met or _offers(inventory, case))


def _offers(inventory: Inventory, case: str) -> bool:
    needs = read("facts/coverage")["$defs"][case].get("required", ())
    if case == "several-pages":
        return False
    if "calendar" in needs:
        return any(
            _satisfies(case, {"calendar": _calendar_facts(calendar)}) for calendar in _calendars(inventory, case)
        )
    if case in ("with-profile", "requested-profile"):
        return any(_profiles(account) for account in inventory.accounts)
    if case == "other-accounts-profile":
        return len(inventory.accounts) > 1 and any(_profiles(account) for account in inventory.accounts)
    if case == "before-generated":
        return _generates(inventory)
    return case != "requested-integrated" or _integrated(inventory)


def _calendars(inventory: Inventory, case: str) -> list[Calendar]:
    if case in ("read-only", "deleted-calendar"):
        return [calendar for account in inventory.accounts for calendar in account.calendars]
    return [calendar for _, calendar in inventory.targets]


def _calendar_facts(calendar: Calendar) -> dict[str, Any]:
    """A calendar as it is in the facts."""
    facts = {
        "calendar_id": calendar.calendar_id,
        "provider_name": calendar.provider_name,
        "integrated_conferencing_available": calendar.integrated,
        "readonly": calendar.readonly,
        "deleted": calendar.deleted,
    }
    return {name: value for name, value in facts.items() if value is not None}


def _satisfies(case: str, facts: dict[str, Any]) -> bool:
    return bool(jsonschema_rs.validator_for(case_schema(case), registry=rs_registry()).is_valid(facts))


def _profiles(account: Account) -> bool:
    return any(profile.connected is not False for profile in account.profiles or ())


def _integrated(inventory: Inventory) -> bool:
    return any(calendar.integrated for _, calendar in inventory.targets)


def _generates(inventory: Inventory) -> bool:
    return _integrated(inventory) or any(_profiles(account) for account in inventory.accounts)
