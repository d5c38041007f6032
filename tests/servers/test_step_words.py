"""Steps in words: nothing that a step can be is left to a legend."""

from __future__ import annotations

import pytest

from conformance.servers.scenarios import Scenario, Step
from conformance.servers.scenarios.scenario import _KNOWN
from conformance.servers.scenarios.step_words import steps_in_words, unusual


def test_a_scenario_is_numbered_and_says_what_is_unusual() -> None:
    steps = (
        Step("explicit", text_variant="minimal", url_variant="http"),
        Step("omitted", changed_fields=("description",), timing="back-to-back"),
        Step("delete"),
        Step("default", subscriptions="two", start="past"),
        Step("explicit"),
    )
    assert list(steps_in_words([Scenario("s", "default", "cal_1", steps)])) == [
        "1. create the event with explicit conferencing on calendar cal_1 (no description, an http: join URL)",
        "2. update the event by a request that omits conferencing, at once (another description)",
        "3. delete the event, once it no longer changes",
        "4. create the event with the profile_id default, once it no longer changes (it is over, two subscriptions)",
        "5. update the event with explicit conferencing, once it no longer changes (another join URL than before)",
        "6. read the event until it no longer changes",
    ]


@pytest.mark.parametrize(
    "name", ["start", "time_format", "text_variant", "url_variant", "extra_fields", "subscriptions"]
)
def test_every_choice_but_the_usual_one_has_words(name: str) -> None:
    usual = getattr(Step("explicit"), name)
    silent = [value for value in _KNOWN[name] if not unusual(Step("explicit", **{name: value}))]
    assert silent == [usual]
