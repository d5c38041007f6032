"""Recordings as ordinary test suites make them decide rules: the right server fails none, faulty ones are found."""

from __future__ import annotations

import os

import pytest
from user_scripts import SCRIPTS, examined, found, recorded, shows

from conformance.judging.strength import strength
from conformance.reference import FAULTS

#: Faults that a few writes and readings show, each with a script that shows it.
_SHOWN = {
    "explicit-ignored": "create-and-poll",
    "omitted-removes-explicit": "updates",
    "none-keeps-explicit": "updates",
    "explicit-refused": "crud",
}


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_the_right_server_fails_no_rule(script: str) -> None:
    assert found(recorded(script)) == set()


@pytest.mark.parametrize(("fault", "script"), _SHOWN.items())
def test_a_fault_that_a_recording_shows_is_found(fault: str, script: str) -> None:
    interactions = recorded(script, fault)
    assert shows(interactions, recorded(script))
    assert found(interactions)


@pytest.mark.skipif(
    not os.environ.get("WHOLE_MATRIX"), reason="plays every script with every fault, which takes minutes"
)
@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_the_strength_of_a_recording_is_off_by_at_most_five_points(script: str) -> None:
    predicted = len(strength(examined(recorded(script)).exercised).caught)
    caught = sum(bool(found(recorded(script, fault))) for fault in FAULTS)
    assert abs(predicted - caught) <= 0.05 * len(FAULTS)
