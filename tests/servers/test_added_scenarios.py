"""A team's own scenarios and steps in a run."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from conformance import RunOptions, Scenario, Step, run_campaign, strategies
from conformance.cli.reproductions import source
from conformance.errors import ConfigurationError
from conformance.servers.campaign import RunResult
from conformance.servers.inventory import Account, Calendar, Inventory
from conformance.servers.scenarios.added_scenarios import Source, added_scenarios, named_source

TWO = Inventory(
    (
        Account("default", (Calendar("cal_1"), Calendar("cal_2", readonly=True)), (Calendar("cal_1"),)),
        Account("other", (Calendar("cal_3"),), (Calendar("cal_3"),)),
    )
)


@dataclass(frozen=True, slots=True)
class Reminded(Step):
    """A step whose event has reminders."""

    def amend(self, body: dict[str, Any], marker: str) -> dict[str, Any]:
        return {**body, "reminders": [{"minutes": 5}]}


def mine(inventory: Inventory) -> Source:
    account, calendar = inventory.targets[0]
    return Scenario("reminded", account.name, calendar.calendar_id, (Reminded("default"), Reminded("none")))


def result_of(*sources: Source, **options: Any) -> RunResult:
    return asyncio.run(run_campaign(RunOptions(**options), small=False, scenarios=sources))


def test_a_teams_own_steps_are_sent_and_judged() -> None:
    result = result_of(mine, rules=("none-removes-conferencing",))
    writes = [one for one in result.exchanges if b"reminders" in one.request.body]
    assert [json.loads(write.request.body)["conferencing"]["profile_id"] for write in writes] == ["default", "none"]
    [tally] = result.report.tallies.values()
    [without] = result_of(rules=("none-removes-conferencing",)).report.tallies.values()
    assert tally.passed == without.passed + 1


def test_a_generated_test_imports_a_teams_own_steps() -> None:
    scenario = mine(TWO)
    assert "steps=(importlib.import_module('tests_of_ours').Reminded(kind='default')," in source(scenario).replace(
        repr(__name__), "'tests_of_ours'"
    )


def test_a_strategy_is_drawn_from_and_a_name_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "our_scenarios.py").write_text(
        "from conformance.strategies import scenarios\n\n\n"
        "def short(inventory):\n"
        "    return scenarios(inventory, longest=2)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    source = named_source("our_scenarios:short")
    found = added_scenarios(source, TWO, (), 20, 1)
    assert found == added_scenarios(source, TWO, (), 20, 1) != added_scenarios(source, TWO, (), 20, 2)
    assert len({(one.calendar_id, one.steps) for one in found}) == len({one.id for one in found}) == 20
    assert {len(one.steps) for one in found} == {1, 2}


def test_sources_nest_and_a_strategy_gives_one_where_nothing_is_explored() -> None:
    one = Scenario("a", "default", "cal_1", (Step("explicit"),))
    nested: Source = [one, [lambda _: (replace(one, id="b"),)], strategies.scenarios(TWO)]
    assert [(found.id, found.family) for found in added_scenarios(nested, TWO, (), 0, 1)] == [
        ("a", "added"), ("b", "added"), ("d001", "explored"),
    ]  # fmt: skip


GOOD = Scenario("s", "default", "cal_1", (Step("explicit"),))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (replace(GOOD, account="defualt"), "'s' is of account 'defualt': did you mean 'default'"),
        (
            replace(GOOD, calendar_id="cal_2"),
            "'cal_2', which this run does not write to; did you mean 'cal_1'",
        ),
        (replace(GOOD, steps=()), "does not begin with a POST"),
        (replace(GOOD, steps=(Step("delete"),)), "does not begin with a POST"),
        (replace(GOOD, steps=(Step("profile"),)), "names a profile, and account 'default' has none"),
        ([GOOD, GOOD], "two scenarios have the id 's': give each its own"),
        ([7], "7 is no scenario: give Scenario values"),
        (["s"], "'s' is no scenario"),
        (lambda inventory: inventory.calendar, "which is to give scenarios, raised an error .AttributeError at added_"),
    ],
)
def test_what_cannot_run_is_one_clear_error(source: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        added_scenarios(source, TWO, (), 1, 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scenarios", "names no scenarios: write --scenarios MODULE:NAME"),
        ("no_such_module:x", "'no_such_module' of '--scenarios no_such_module:x' cannot be imported"),
        ("json:scenarios", "'json' has no 'scenarios'"),
    ],
)
def test_a_name_that_is_none_is_one_clear_error(name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        named_source(name)


@pytest.mark.parametrize("wrong", [{"kind": "explict"}, {"start": "soonish"}, {"timing": "later"}])
def test_a_step_of_unknown_choices_cannot_be_made(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"a step's .* cannot be "):
        replace(Step("explicit"), **wrong)
