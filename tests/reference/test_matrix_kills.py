"""Which rules each fault of the reference server breaks, and that every server rule has a fault of its own.

`WHOLE_MATRIX=1` (`tox -e matrix`) runs every fault; without it a sample stands for them, in which every third rule
meets a fault of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import pytest
from matrix_runs import COMPUTE, KILLS, broken

from conformance.cli import explanation as explain
from conformance.contract.rules import load
from conformance.reference import FAULTS

KEPT: Mapping[str, list[str]] = json.loads(KILLS.read_text(encoding="utf-8"))
RULES = tuple(rule for rule in load() if rule.applies_to == "server")

WHOLE = bool(os.environ.get("WHOLE_MATRIX"))


def alone(rule: str) -> list[str]:
    return [fault for fault, rules in KEPT.items() if rules == [rule]]


def sample() -> tuple[str, ...]:
    """For every third rule the first fault that it alone catches, and one that never ends."""
    if WHOLE:
        return tuple(FAULTS)
    first = [alone(rule.id)[0] for rule in RULES if alone(rule.id)]
    return (*first[::3], next(name for name, fault in FAULTS.items() if fault.endless))


@pytest.mark.parametrize("fault", sample())
def test_a_fault_breaks_the_rules_that_are_kept_for_it(fault: str) -> None:
    found = broken(fault)
    assert set(KEPT[fault]) <= set(found.failed), f"{fault} is told otherwise now; compute it again: {COMPUTE} {fault}"
    assert not WHOLE or list(found.failed) == KEPT[fault], f"compute it again: {COMPUTE} {fault}"
    assert found.failed or (FAULTS[fault].endless and found.inconclusive)


def test_every_fault_is_kept() -> None:
    assert list(KEPT) == list(FAULTS), f"compute what is missing: {COMPUTE} FAULT…"


def test_every_fault_is_caught_unless_it_never_ends() -> None:
    uncaught = {name for name, rules in KEPT.items() if not rules}
    assert uncaught == {name for name, fault in FAULTS.items() if fault.endless}


def test_every_server_rule_catches_a_fault_alone() -> None:
    assert [rule.id for rule in RULES if not alone(rule.id)] == []


def test_a_fault_breaks_rules_for_servers_only() -> None:
    assert {rule for rules in KEPT.values() for rule in rules} <= {rule.id for rule in RULES}


def test_a_rule_explained_names_its_faults() -> None:
    rule = next(rule for rule in RULES if rule.id == "explicit-is-accepted")
    said = explain.explanation(rule, {})
    assert f"Caught by this rule alone, with run --fault: {', '.join(alone(rule.id))}\n" in said
