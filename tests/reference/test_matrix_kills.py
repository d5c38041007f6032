"""Which rules fail for each fault of the reference server, and that each server rule has a fault that it alone catches.

By default a sample of the faults runs: for every third rule one fault that it alone catches.  `WHOLE_MATRIX=1`
(`tox -e matrix`) runs all of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping

import pytest
from matrix_runs import (
    COMPUTE,
    MATRIX_FILE,
    outcome_of,
    run_on_apple,
    run_quick,
    run_reference,
    run_with_fault,
)

from conformance.cli import explanation as explain
from conformance.contract.rules import load
from conformance.judging.strength import known_faults, strength
from conformance.reference import FAULTS
from conformance.servers.campaign import RunResult

MATRIX: Mapping[str, list[str]] = json.loads(MATRIX_FILE.read_text(encoding="utf-8"))
RULES = tuple(rule for rule in load() if rule.applies_to == "server")

#: Rules on what few readings show: a run reads until more is known, so that only recordings fail them.
OF_RECORDINGS = {"a-late-reading-shows-what-was-requested"}

WHOLE = bool(os.environ.get("WHOLE_MATRIX"))


def caught_alone(rule: str) -> list[str]:
    """The faults for which this rule fails and no other."""
    return [fault for fault, rules in MATRIX.items() if rules == [rule]]


def sample() -> tuple[str, ...]:
    """For every third rule the first fault that it alone catches, and one endless fault."""
    if WHOLE:
        return tuple(FAULTS)
    first = [caught_alone(rule.id)[0] for rule in RULES if caught_alone(rule.id)]
    return (*first[::3], next(name for name, fault in FAULTS.items() if fault.endless))


@pytest.mark.parametrize("fault", sample())
def test_the_rules_in_the_matrix_fail_for_a_fault(fault: str) -> None:
    run = run_with_fault(fault)
    assert set(MATRIX[fault]) <= set(run.failed), f"other rules fail now; compute the fault again: {COMPUTE} {fault}"
    assert not WHOLE or list(run.failed) == MATRIX[fault], f"compute the fault again: {COMPUTE} {fault}"
    assert bool(run.failed) != FAULTS[fault].endless


def test_every_fault_is_in_the_matrix() -> None:
    assert list(MATRIX) == list(FAULTS), f"compute what is missing: {COMPUTE} FAULT…"


def test_of_every_fault_that_is_caught_it_is_known_how() -> None:
    known = {fault.name: fault.ways for fault in known_faults()}
    assert list(known) == list(FAULTS), f"compute what is missing: {COMPUTE} FAULT…"
    assert {name for name, ways in known.items() if ways} == {name for name, rules in MATRIX.items() if rules}


def test_the_strength_of_the_core_table_is_the_faults_that_it_catches() -> None:
    found = strength(run_reference().report.exercised, waits=True)
    assert {fault.name for fault in found.caught} == {name for name, rules in MATRIX.items() if rules}


@pytest.mark.skipif(not WHOLE, reason="runs every fault again, which takes minutes")
@pytest.mark.parametrize("smaller", [run_quick, run_on_apple])
def test_the_strength_of_a_smaller_run_is_off_by_at_most_five_points(smaller: Callable[..., RunResult]) -> None:
    predicted = len(strength(smaller().report.exercised, waits=True).caught)
    caught = sum(bool(outcome_of(smaller(fault)).failed) for fault in FAULTS)
    assert abs(predicted - caught) <= 0.05 * len(FAULTS)


def test_every_fault_is_caught_unless_it_is_endless() -> None:
    uncaught = {name for name, rules in MATRIX.items() if not rules}
    assert uncaught == {name for name, fault in FAULTS.items() if fault.endless}


def test_every_server_rule_catches_a_fault_alone() -> None:
    assert {rule.id for rule in RULES if not caught_alone(rule.id)} == OF_RECORDINGS


def test_only_server_rules_fail_for_a_fault() -> None:
    assert {rule for rules in MATRIX.values() for rule in rules} <= {rule.id for rule in RULES}


def test_a_rule_explained_names_its_faults() -> None:
    rule = next(rule for rule in RULES if rule.id == "explicit-is-accepted")
    text = explain.explanation(rule, {})
    assert f"Caught by this rule alone, with run --fault: {', '.join(caught_alone(rule.id))}\n" in text
