"""Selecting rules, and naming the contract that they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from conformance.contract.digest import contract_of
from conformance.contract.rules import FIRST_VERSION, Rule, load, load_clauses, load_shared
from conformance.contract.schemas import read
from conformance.errors import UsageError, nearest
from conformance.version import VERSION

__all__ = ["clause_summaries", "clauses_page", "contract", "of_side", "select_rules"]

_VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}\Z")


def select_rules(
    ids: Sequence[str], applies_to: Iterable[str] = ("server", "client"), version: str | None = None
) -> tuple[Rule, ...]:
    """The rules with these ids, or all that apply to one of the parties, as of a `version` of the contract.

    Raises UsageError for an unknown id, an unknown version, and the id of a rule that is newer than the version.
    """
    rules = {rule.id: rule for rule in load()}
    held = {rule.id for rule in _as_of(version, rules.values())}
    for name in ids:
        if name not in rules:
            raise UsageError(f"there is no rule {name!r}; {nearest(name, rules)}")
        if name not in held:
            raise UsageError(
                f"--rule {name} is new in the contract {rules[name].since}; leave out --contract {version}"
            )
    parties = frozenset(applies_to)
    return tuple(
        rule for rule in rules.values() if rule.id in held and (rule.id in ids if ids else rule.applies_to in parties)
    )


def _as_of(version: str | None, rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that a version of the contract has; raises UsageError for one that this tool does not know."""
    if version is None:
        return tuple(rules)
    if not _VERSION.match(version):
        raise UsageError(f"--contract {version!r} is no version; give one such as {VERSION}")
    if _parts(version) > _parts(VERSION):
        raise UsageError(f"--contract {version} is newer than this tool, which is {VERSION}; install {version}")
    if _parts(version) < _parts(FIRST_VERSION):
        raise UsageError(f"--contract {version} is older than the first version, {FIRST_VERSION}")
    return tuple(rule for rule in rules if _parts(rule.since) <= _parts(version))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


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


def contract(version: str | None = None) -> dict[str, str]:
    """The version, and the digest of all rules, shared schemas and clauses, as of a `version` (None: this tool's).

    Raises UsageError for an unknown version.
    """
    return contract_of(_as_of(version, load()), load_clauses(), load_shared(), version or VERSION)


def clause_summaries() -> dict[str, str]:
    """What each clause states, in a few words."""
    return {name: clause["about"] for name, clause in load_clauses().items()}


def clauses_page() -> str:
    """The address of the documented page."""
    address: str = read("clauses")["page"]["url"]
    return address
