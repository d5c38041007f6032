"""Coverage classes that a subject can reach: its inventory may lack what a class needs, whatever a run sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from conformance.contract.fact_words import phrase
from conformance.contract.rules import Rule, case_schema
from conformance.contract.schemas import read, validity
from conformance.judging.report import Report
from conformance.judging.summary import MISSED
from conformance.servers.campaign.pending_steps import PendingCase
from conformance.servers.inventory import Account, Calendar, Inventory

__all__ = ["reachable_coverage", "unmet_coverage"]

#: The rule that shows best what comes of a write of each kind which meets a pending event.
_RULES_WHILE_PENDING: Mapping[str, str] = MappingProxyType(
    {
        "none": "none-removes-conferencing",
        "explicit": "explicit-is-kept",
        "omitted": "omitted-lets-a-requested-conference-come",
        "delete": "a-deleted-event-goes",
        "profile": "a-named-profile-is-used",
        "default": "default-is-accepted",
        "integrated": "integrated-is-the-calendars-own-service",
    }
)

#: The same for a write that is refused: the conference which was requested before it must still come.
_RULE_OF_REFUSALS = "omitted-lets-a-requested-conference-come"


def reachable_coverage(inventory: Inventory, rules: Iterable[Rule], report: Report) -> frozenset[str]:
    """The coverage classes of `rules` that the inventory has a calendar or a profile for.

    Classes that depend on the subject's own choice, such as several pages, are reachable once they were met.
    """
    named = {case for rule in rules for case in rule.cases}
    met = {case for tally in report.tallies.values() for case in tally.cases}
    return frozenset(case for case in named if case in met or _offers(inventory, case))


def unmet_coverage(cases: Iterable[PendingCase], rules: Iterable[Rule]) -> tuple[tuple[str, str], ...]:
    """Rule id and reason of the cases of a pending event that no step met, where the rule is one of `rules`."""
    chosen = {rule.id for rule in rules}
    requested: dict[tuple[str, str, str], list[str]] = {}
    for case in cases:
        rule = _RULES_WHILE_PENDING.get(case.kind, _RULE_OF_REFUSALS)
        if rule in chosen:
            requested.setdefault((rule, case.kind, case.timing), []).append(case.requested)
    return tuple(
        (rule, f"{MISSED} {_write(kind)} {_TIMINGS[timing].format(' or '.join(before))}")
        for (rule, kind, timing), before in requested.items()
    )


_TIMINGS = {"while-pending": "while {} is pending", "back-to-back": "sent right after {}"}


def _write(kind: str) -> str:
    """A write of a kind, or with a defect, in words."""
    if kind == "delete":
        return "a deletion"
    return f"a write {phrase('write', 'requested', kind, f'with invalid conferencing ({kind})')}"


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
    return validity(case_schema(case))(facts)


def _profiles(account: Account) -> bool:
    return any(profile.connected is not False for profile in account.profiles or ())


def _integrated(inventory: Inventory) -> bool:
    return any(calendar.integrated for _, calendar in inventory.targets)


def _generates(inventory: Inventory) -> bool:
    return _integrated(inventory) or any(_profiles(account) for account in inventory.accounts)
