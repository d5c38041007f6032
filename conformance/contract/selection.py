"""Selecting rules, and naming the contract that they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from conformance.contract.digest import contract_of
from conformance.contract.rules import Rule, load, load_clauses, load_shared
from conformance.contract.schemas import read
from conformance.errors import UsageError, nearest
from conformance.version import VERSION

__all__ = ["clause_summaries", "clauses_page", "contract", "of_side", "select_rules"]


def select_rules(ids: Sequence[str], applies_to: Iterable[str] = ("server", "client")) -> tuple[Rule, ...]:
    """The rules with these ids, or all that apply to one of the parties; raises UsageError for an unknown id."""
    rules = {rule.id: rule for rule in load()}
    for name in ids:
        if name not in rules:
            raise UsageError(f"there is no rule {name!r}; {nearest(name, rules)}")
    parties = frozenset(applies_to)
    return tuple(rule for rule in rules.values() if (rule.id in ids if ids else rule.applies_to in parties))


def of_side(rules: Iterable[Rule], side: str | None) -> tuple[Rule, ...]:
    """The rules that bind ``server`` or ``client``, or all of them for None.

    Raises UsageError where none is left, for then nothing is judged.
    """
    chosen = tuple(rules)
    left = tuple(rule for rule in chosen if side in (None, rule.applies_to))
    if chosen and not left:
        other = "client" if side == "server" else "server"
        raise UsageError(f"--side {side} leaves nothing to judge by: what is left is about the {other}")
    return left


def contract() -> dict[str, str]:
    """The version, and the digest of all rules, shared schemas and clauses."""
    return contract_of(load(), load_clauses(), load_shared(), VERSION)


def clause_summaries() -> dict[str, str]:
    """What each clause states, in a few words."""
    return {name: clause["about"] for name, clause in load_clauses().items()}


def clauses_page() -> str:
    """The address of the documented page."""
    address: str = read("clauses")["page"]["url"]
    return address
