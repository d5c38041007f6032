"""The state machine: green over a server that is right, and over a wrong one the smallest steps that show it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from conformance import BrokenRuleError, ConformanceMachine, Step, Subject, in_process
from conformance.clock import VirtualClock
from conformance.reference import reference_app
from conformance.servers.subject import EPOCH

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins" / "team"))

FEW = settings(
    max_examples=12,
    stateful_step_count=5,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
)
TOKENS = {"default": "reference-default-token"}


class Explicit(ConformanceMachine):
    """Explicit writes and those without conferencing, to a server that changes join URLs."""

    def make_subject(self) -> Subject:
        clock = VirtualClock(EPOCH)
        return in_process(reference_app(clock=clock, faults=("explicit-url-lower-cased",)), TOKENS, clock=clock)

    def steps(self) -> st.SearchStrategy[Step]:
        return st.builds(
            Step, st.sampled_from(("explicit", "omitted")), url_variant=st.sampled_from(("https", "query"))
        )


def failure_of(machine: type[ConformanceMachine], **more: Any) -> BrokenRuleError:
    with pytest.raises(BrokenRuleError) as caught:
        run_state_machine_as_test(machine, settings=settings(FEW, max_examples=40, **more))  # type: ignore[no-untyped-call]
    return caught.value


def test_a_teams_server_that_is_right_is_green() -> None:
    from booking import TOKEN, make_app

    run_state_machine_as_test(ConformanceMachine.of(make_app, {"default": TOKEN}), settings=FEW)  # type: ignore[no-untyped-call]


def test_a_wrong_one_fails_by_the_smallest_steps_the_same_each_time() -> None:
    first, second = (failure_of(Explicit) for _ in range(2))
    text = "\n".join(first.__notes__)
    assert "step=Step('explicit', url_variant='query')" in text
    assert text.count("state.create(") + text.count("state.write(") == 1
    assert type(first).__name__ == "BrokenRuleError[explicit-is-kept]"
    assert "explicit-is-kept (must): Explicit conferencing reads back with the join URL that was sent" in str(first)
    assert (str(first), first.__notes__) == (str(second), second.__notes__)


def test_only_the_chosen_rules_count() -> None:
    class Chosen(Explicit):
        rule_ids = ("none-removes-conferencing",)

    run_state_machine_as_test(Chosen, settings=FEW)  # type: ignore[no-untyped-call]


def test_a_subclass_adds_rules_and_invariants() -> None:
    seen = []

    class Ours(ConformanceMachine.of(lambda clock: reference_app(clock=clock), TOKENS)):  # type: ignore[misc]
        @rule()
        def list_calendars(self) -> None:
            self.run(self.session.transport.send("GET", "/v1/calendars", account="default"))
            seen.append(self.session.transport.sent)

        @invariant()
        def the_inventory_is_known(self) -> None:
            assert [account.name for account in self.inventory.accounts] == ["default"]

    run_state_machine_as_test(Ours, settings=settings(FEW, max_examples=4))  # type: ignore[no-untyped-call]
    assert seen


def test_the_users_profile_counts_and_examples_are_short_where_it_does_not_say_how_long() -> None:
    usual = settings.get_profile("default")
    try:
        settings.register_profile("a team's", max_examples=7, stateful_step_count=33, phases=[Phase.explain])
        settings.load_profile("a team's")
        chosen = ConformanceMachine.of(lambda clock: None, TOKENS).TestCase.settings
        settings.register_profile("another", usual, max_examples=8, stateful_step_count=50)
        settings.load_profile("another")
        other = ConformanceMachine.of(lambda clock: None, TOKENS).TestCase.settings
    finally:
        settings.register_profile("default", usual)
        settings.load_profile("default")
    assert (chosen.max_examples, chosen.stateful_step_count, chosen.deadline) == (7, 33, None)
    assert (other.max_examples, other.stateful_step_count) == (8, 15)
    assert chosen.phases == (Phase.explain,)
    assert set(other.phases) == set(Phase) - {Phase.explain}
