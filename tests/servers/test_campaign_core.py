"""The core table: the same for the same inventory, with everything in it that the documentation distinguishes."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st

from conformance.facts import Settings
from conformance.reference import INVENTORY
from conformance.servers.inventory import Account, Calendar, Inventory, Profile
from conformance.servers.scenarios import RunContext, Scenario, Step, core, plan, waves, write_requests
from conformance.servers.scenarios.covering import LONGEST, connected_profiles, kinds_at, rounds_of
from conformance.servers.scenarios.sampling import sample
from conformance.servers.scenarios.scenario_strategies import explore
from conformance.servers.scenarios.scenario_values import (
    CREATION_DEFECTS,
    DEFECTS,
    KINDS,
    STARTS,
    TEXT_VARIANTS,
    TIME_FORMATS,
    TIMINGS,
    URL_VARIANTS,
)

NOW = datetime(2026, 4, 28, 23, 59, tzinfo=UTC).timestamp()


def inventory(*names: str, shows_time: bool = True) -> Inventory:
    """The reference server's inventory as the preflight finds it, or some of its accounts."""
    return Inventory(
        tuple(
            Account(
                account.name,
                calendars := tuple(
                    Calendar(c.calendar_id, c.provider_name, c.integrated is not None, c.readonly, c.deleted)
                    for c in account.calendars
                ),
                tuple(calendar for calendar in calendars if calendar.writable),
                tuple(Profile(p.profile_id, p.provider_name, p.connected) for p in account.profiles),
                account.chosen,
            )
            for account in INVENTORY.accounts
            if not names or account.name in names
        ),
        shows_time,
    )


WHOLE = inventory()
RUN = RunContext("abcdefgh", NOW, WHOLE)


def bare_inventory(integrated: bool | None, profiles: tuple[Profile, ...] | None) -> Inventory:
    calendar = Calendar("cal_1", "google", integrated)
    return Inventory((Account("default", (calendar,), (calendar,), profiles),))


INVENTORIES = {
    "whole": WHOLE,
    "timeless": inventory(shows_time=False),
    "default": inventory("default"),
    "profiles": inventory("profiles"),
    "disconnected": inventory("disconnected"),
    "bare": bare_inventory(False, ()),
    "integrated": bare_inventory(True, None),
    "unknown": bare_inventory(None, None),
    "profile": bare_inventory(False, (Profile("pro_1", "zoom", True),)),
    "apart": Inventory(
        (
            Account(
                "one", (), (Calendar("cal_1", "google", True),), (Profile("p", "zoom", False), Profile("q", "go_to"))
            ),
            Account("other", (), (Calendar("cal_2", "google", True),), ()),
        )
    ),
}


def seconds(value: Any) -> float:
    """A start or end as seconds since the epoch; a date as its midnight in UTC."""
    if isinstance(value, dict):
        value = value["time"]
    if len(value) == 10:
        return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC).timestamp()
    return datetime.fromisoformat(value).timestamp()


def wall_clock(text: str | dict[str, str]) -> float:
    """A time as seconds since the epoch, as if it had no offset from UTC; by the clock of its time zone."""
    if not isinstance(text, str):
        text = datetime.fromisoformat(text["time"]).astimezone(ZoneInfo(text["tzid"])).isoformat()
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("name", INVENTORIES)
def test_the_table_is_the_same_for_the_same_inventory(name: str) -> None:
    assert core(INVENTORIES[name]) == core(INVENTORIES[name]) != ()


def test_without_a_target_there_is_no_table() -> None:
    assert core(Inventory((Account("default"),))) == ()


def states_and_kinds(scenario: Scenario) -> list[tuple[str, str]]:
    """What the event is before each write (by the write that made it so), and the kind of the write."""
    state, pairs = "absent", []
    for step in scenario.steps:
        pairs.append((state, step.kind))
        if step.kind in ("omitted", "none") and state in ("absent", "delete", "never"):
            state = "never"
        elif step.kind != "omitted":
            state = "removed" if step.kind == "none" else step.kind
    return pairs


@pytest.mark.parametrize("name", INVENTORIES)
def test_every_kind_that_makes_a_difference_is_tried_in_every_state_that_another_leaves(name: str) -> None:
    scenarios = core(INVENTORIES[name])
    kinds = max((kinds_at(target) for target in INVENTORIES[name].targets), key=len)
    made = [kind for kind in kinds if kind not in ("none", "omitted", "8x8", "delete")]
    met = {pair for scenario in scenarios for pair in states_and_kinds(scenario)}
    assert {(state, kind) for state in (*made, "never", "removed") for kind in kinds} <= met
    assert {("delete", kind) for kind in kinds if kind != "delete"} <= met
    assert {kind for kind in kinds if kind != "delete"} <= {scenario.steps[0].kind for scenario in scenarios}


def test_every_calendar_gets_every_kind_of_conferencing() -> None:
    tried = {(scenario.account, scenario.calendar_id, step.kind) for scenario in core(WHOLE) for step in scenario.steps}
    for account, calendar in WHOLE.targets:
        for kind in ("explicit", "default", "integrated", *["profile"] * bool(account.profiles)):
            assert (account.name, calendar.calendar_id, kind) in tried


#: Starts in the future, and choices that make a write no less usual.
_COMING = ("future", "soon", "year")
_ANY = ("changed_fields", "start", "time_format", "text_variant", "url_variant", "profile", "charset")


def ways(scenario: Scenario, integrated: bool | None) -> list[tuple[str, str]]:
    """The kinds of a scenario's usual writes, each as created or updated; `none` must have something to remove."""
    found, exists, has = [], False, False
    for step in scenario.steps:
        way = "updated" if exists else "created"
        if step == replace(Step(step.kind), **{name: getattr(step, name) for name in _ANY}) and step.start in _COMING:
            found.append((step.kind, way if step.kind != "none" or has or not exists else "without effect"))
        if not step.defect and (step.kind != "integrated" or integrated is not False):
            exists = step.kind != "delete"
            has = exists and step.kind not in ("none", "8x8") and (has or step.kind != "omitted")
    return found


@pytest.mark.parametrize("name", ["whole", "default", "profiles"])
def test_every_value_is_tried_on_every_kind_of_calendar_created_and_updated(name: str) -> None:
    calendars = {calendar.calendar_id: calendar for _, calendar in INVENTORIES[name].targets}
    met = {
        (calendars[scenario.calendar_id].kind, *way)
        for scenario in core(INVENTORIES[name])
        for way in ways(scenario, calendars[scenario.calendar_id].integrated)
    }
    for kind in {calendar.kind for calendar in calendars.values()}:
        for value in ("explicit", "default", "integrated", "none", "8x8", "omitted"):
            assert {(kind, value, "created"), (kind, value, "updated")} <= met


def test_each_field_is_changed_alone() -> None:
    changed = {step.changed_fields for scenario in core(WHOLE) for step in scenario.steps if step.kind == "omitted"}
    assert {("summary",), ("start",), ("end",), ("description",), ("location",), ("time",), ()} <= changed


def test_media_types_are_sent_with_and_without_a_charset() -> None:
    for kind in ("POST", "DELETE"):
        writes = [one for scenario in core(WHOLE) for one in write_requests(scenario, RUN) if one.method == kind]
        assert {one.media_type for one in writes} == {"application/json", "application/json; charset=utf-8"}


def test_what_a_refused_write_would_have_changed_is_not_changed_by_the_next_one() -> None:
    refused = Step("invalid", defect="null-url", changed_fields=("summary", "description", "time"))
    scenario = Scenario("x", "default", "cal_1", (Step("explicit"), refused, Step("omitted", changed_fields=())))
    first, _, last = (write.body for write in write_requests(scenario, RUN))
    assert {name: value for name, value in first.items() if name != "conferencing"} == last


def test_every_choice_is_taken_somewhere() -> None:
    steps = [step for scenario in core(WHOLE) for step in scenario.steps]
    assert {step.kind for step in steps} == {*KINDS, "invalid"}
    assert {step.start for step in steps} == set(STARTS)
    assert {step.time_format for step in steps} == set(TIME_FORMATS)
    assert {step.text_variant for step in steps} == set(TEXT_VARIANTS)
    assert {step.timing for step in steps} == set(TIMINGS)
    assert {step.url_variant for step in steps if step.kind == "explicit"} == {
        *URL_VARIANTS,
        "again",
        "other-case",
        "room",
    }
    assert {step.defect for step in steps} >= set(DEFECTS)
    assert {scenario.steps[0].defect for scenario in core(WHOLE)} >= set(CREATION_DEFECTS)
    assert {step.defect for scenario in core(WHOLE) for step in scenario.steps[1:]} >= set(DEFECTS)
    assert {(step.kind, bool(step.extra_fields)) for step in steps} >= {
        (kind, True) for kind in ("default", "integrated", "profile", "none", "8x8")
    }


@pytest.mark.parametrize("name", INVENTORIES)
def test_no_scenario_is_longer_than_the_longest_or_begins_with_a_deletion(name: str) -> None:
    for scenario in core(INVENTORIES[name]):
        assert 1 <= sum(step.timing != "back-to-back" for step in scenario.steps) <= LONGEST
        assert scenario.steps[0].kind != "delete"
        assert scenario.steps[0].timing == "settled"


@pytest.mark.parametrize("name", INVENTORIES)
def test_no_profile_is_named_where_there_is_none(name: str) -> None:
    for scenario in core(INVENTORIES[name]):
        account = INVENTORIES[name].by_name[scenario.account]
        assert all(step.kind != "profile" or account.profiles for step in scenario.steps)


@pytest.mark.parametrize("name", INVENTORIES)
def test_waves_have_every_scenario_once_and_end_with_the_longest(name: str) -> None:
    scenarios = core(INVENTORIES[name])
    groups = waves(scenarios)
    assert sorted((scenario for group in groups for scenario in group), key=lambda scenario: scenario.id) == sorted(
        scenarios, key=lambda scenario: scenario.id
    )
    assert max(number + rounds_of(scenario) for number, group in enumerate(groups) for scenario in group) <= LONGEST
    assert {scenario.family for scenario in groups[0]} == {scenario.family for scenario in scenarios}


def test_event_ids_are_unique_unless_shared_on_purpose() -> None:
    scenarios = core(WHOLE)
    alone = [RUN.event_id(scenario) for scenario in scenarios if not scenario.event]
    shared = {RUN.event_id(scenario) for scenario in scenarios if scenario.event}
    assert len(set(alone)) == len(alone)
    assert len(shared) == 1
    assert len({(scenario.account, scenario.calendar_id) for scenario in scenarios if scenario.event}) == 3
    assert any(name != name.lower() for name in alone)
    assert not {*alone} & {RUN.event_id(replace(scenario, id="other")) for scenario in scenarios}


def test_writes_have_markers_and_urls_of_their_own() -> None:
    every = [write for scenario in core(WHOLE) for write in write_requests(scenario, RUN)]
    urls = [write.body["conferencing"]["join_url"] for write in every if write.step.kind == "explicit"]
    shared = [write for write in every if write.step.url_variant == "room"]
    assert len({write.body["conferencing"]["join_url"] for write in shared}) == 1
    assert len(set(urls)) == len(urls) - sum(write.step.url_variant == "again" for write in every) - (len(shared) - 1)
    assert {len(url) > 255 for url in urls} == {True, False}
    assert max(map(len, urls)) > 2000
    created = [
        write.body["summary"] for write in every if "summary" in write.body and "summary" in write.step.changed_fields
    ]
    assert len(set(created)) == len(created)
    assert json.loads(json.dumps([write.body for write in every])) == [write.body for write in every]


def test_an_update_changes_what_its_step_says_and_nothing_else() -> None:
    for scenario in core(WHOLE):
        bodies = [write for write in write_requests(scenario, RUN) if write.method == "POST" and not write.step.defect]
        for before, after in pairwise(bodies):
            if before.marker.rpartition("-")[0] != after.marker.rpartition("-")[0] or "delete" in {
                m.kind for m in scenario.steps
            }:
                continue
            moved = (STARTS[before.step.start][0][0], before.step.time_format) != (
                STARTS[after.step.start][0][0],
                after.step.time_format,
            )
            differing = {name for name in ("summary", "description") if before.body.get(name) != after.body.get(name)}
            bare = "bare" in after.step.changed_fields and "description" in before.body
            changed = {name for name in after.step.changed_fields if name in ("summary", "description")}
            assert differing == changed | ({"description"} if bare else set())
            assert ("end" in after.step.changed_fields) <= (before.body["end"] != after.body["end"])
            assert (before.body["start"] != after.body["start"]) == (
                bool({"time", "start"} & {*after.step.changed_fields}) or moved
            )


@pytest.mark.parametrize("hour", range(24))
def test_starts_are_a_day_or_some_hours_from_now_at_any_hour(hour: int) -> None:
    now = datetime(2026, 4, 28, hour, 59, 59, tzinfo=UTC).timestamp()
    day = 24 * 3600
    for scenario in core(WHOLE):
        for write in write_requests(scenario, RunContext("abcdefgh", now, WHOLE)):
            if write.method != "POST" or write.step.defect:
                continue
            start, end = seconds(write.body["start"]) - now, seconds(write.body["end"]) - now
            assert start < end or (write.step.start, start) == ("instant", end)
            if write.step.start in ("future", "year", "instant"):
                assert start > day
            elif write.step.start == "running":
                assert start < -day < day < end
            elif write.step.start == "soon":
                assert day / 6 < start < day / 2
                assert wall_clock(write.body["start"]) < now
            elif write.step.start == "lately":
                assert -day / 2 < start < end < -day / 6
                assert wall_clock(write.body["start"]) > now
            else:
                assert end < -day


def test_near_starts_are_not_tried_on_a_server_without_the_right_time() -> None:
    assert {step.start for scenario in core(INVENTORIES["timeless"]) for step in scenario.steps} == set(STARTS) - {
        "soon",
        "lately",
    }


def test_a_body_without_conferencing_leaves_the_property_out() -> None:
    scenario = Scenario(
        "x", "default", WHOLE.targets[0][1].calendar_id, (Step("omitted"), Step("delete"), Step("omitted"))
    )
    first, gone, again = write_requests(scenario, RUN)
    assert "conferencing" not in first.body | again.body
    assert (gone.method, gone.body) == ("DELETE", {"event_id": RUN.event_id(scenario)})
    assert first.path == f"/v1/calendars/{scenario.calendar_id}/events"


def test_a_disconnected_profile_is_named_once_and_not_otherwise() -> None:
    account = WHOLE.by_name["disconnected"]
    connected = connected_profiles(account)
    named = [
        step.profile
        for scenario in core(WHOLE)
        if scenario.account == account.name
        for step in scenario.steps
        if step.kind == "profile"
    ]
    assert sum(number not in connected for number in named) == 1


def test_a_plan_counts_its_requests_and_names_what_it_lacks() -> None:
    whole, bare = plan(RUN, Settings()), plan(RunContext("r", NOW, INVENTORIES["bare"]), Settings())
    assert (whole.objects, sum(whole.kinds.values())) == (
        len(core(WHOLE)),
        sum(len(scenario.steps) for scenario in core(WHOLE)),
    )
    assert whole.expected < 800 < whole.requests
    assert whole.lacking == ()
    assert len(bare.lacking) >= 5


def test_scenarios_beyond_the_core_are_the_same_for_the_same_seed() -> None:
    first, again, other = (explore(WHOLE, 30, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert all(write_requests(scenario, RUN) for scenario in first)


def test_as_many_distinct_scenarios_are_explored_as_are_asked_for() -> None:
    found = explore(WHOLE, 200, 1)
    assert len({(scenario.account, scenario.calendar_id, scenario.steps) for scenario in found}) == 200
    assert len({scenario.id for scenario in found}) == 200
    assert explore(WHOLE, 30, 1) == found[:30]


def test_some_explored_scenarios_share_an_event_id_on_two_calendars() -> None:
    shared: dict[str, list[str]] = {}
    for scenario in explore(WHOLE, 100, 1):
        if scenario.event:
            shared.setdefault(RUN.event_id(scenario), []).append(scenario.calendar_id)
    assert len(shared) > 5
    assert {len(calendars) for calendars in shared.values()} == {len(set(calendars)) for calendars in shared.values()}
    assert {len(calendars) for calendars in shared.values()} == {2}


def test_a_strategy_with_few_values_gives_each_of_them_once() -> None:
    assert sorted(sample(st.sampled_from("cab"), 10, 1, identity=str)) == ["a", "b", "c"]


def test_a_seed_gives_the_same_values_whatever_else_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hypothesis' own generation draws constants of imported modules."""
    values = st.integers(-(10**6), 10**6)
    before = sample(values, 200, 1, identity=int)
    (tmp_path / "full_of_constants.py").write_text(f"VALUES = {list(range(10_000, 10_400))}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("full_of_constants")
    assert sample(values, 200, 1, identity=int) == before


@pytest.mark.parametrize("url", ["again", "room"])
def test_only_explicit_writes_have_a_url_whatever_the_step_says(url: str) -> None:
    scenario = Scenario(
        "x", "default", WHOLE.targets[0][1].calendar_id, (Step("explicit"), Step("omitted", url_variant=url))
    )
    assert "conferencing" not in write_requests(scenario, RUN)[1].body
