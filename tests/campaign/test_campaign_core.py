"""The core table: the same for the same world, and everything in it that the documentation tells apart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest

from conformance.facts import Settings
from conformance.reference import WORLD
from conformance.scenarios import Life, Move, Run, core, plan, waves, writes
from conformance.scenarios.core import LONGEST
from conformance.scenarios.model import CREATION_FLAWS, FLAWS, FORMS, KINDS, STARTS, TEXTS, URLS
from conformance.scenarios.strategies import explore
from conformance.scenarios.table import connected_profiles, kinds_at
from conformance.world import Account, Calendar, Profile, World

NOW = datetime(2026, 4, 28, 23, 59, tzinfo=UTC).timestamp()


def world(*names: str, tells_time: bool = True) -> World:
    """The reference's world as a preflight sees it, or some of its accounts."""
    return World(
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
            for account in WORLD.accounts
            if not names or account.name in names
        ),
        tells_time,
    )


WHOLE = world()
RUN = Run("abcdefgh", NOW, WHOLE)


def bare_world(integrated: bool | None, profiles: tuple[Profile, ...] | None) -> World:
    calendar = Calendar("cal_1", "google", integrated)
    return World((Account("default", (calendar,), (calendar,), profiles),))


WORLDS = {
    "whole": WHOLE,
    "timeless": world(tells_time=False),
    "default": world("default"),
    "profiles": world("profiles"),
    "disconnected": world("disconnected"),
    "bare": bare_world(False, ()),
    "integrated": bare_world(True, None),
    "unknown": bare_world(None, None),
    "profile": bare_world(False, (Profile("pro_1", "zoom", True),)),
}


def seconds(value: Any) -> float:
    """A start or end as seconds since the epoch; a date as its midnight in UTC."""
    if isinstance(value, dict):
        value = value["time"]
    if len(value) == 10:
        return datetime.combine(date.fromisoformat(value), datetime.min.time(), UTC).timestamp()
    return datetime.fromisoformat(value).timestamp()


def wall_clock(text: str) -> float:
    """A time as seconds since the epoch, as if it told no offset from UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("name", WORLDS)
def test_the_table_is_the_same_for_the_same_world(name: str) -> None:
    assert core(WORLDS[name]) == core(WORLDS[name]) != ()


def test_without_a_place_to_write_there_is_no_table() -> None:
    assert core(World((Account("default"),))) == ()


def states_and_kinds(life: Life) -> list[tuple[str, str]]:
    """What the event is before each write (by the write that made it so), and the kind of the write."""
    state, pairs = "absent", []
    for move in life.moves:
        pairs.append((state, move.kind))
        if move.kind in ("nothing", "none") and state in ("absent", "delete", "never"):
            state = "never"
        elif move.kind != "nothing":
            state = "removed" if move.kind == "none" else move.kind
    return pairs


@pytest.mark.parametrize("name", WORLDS)
def test_every_kind_that_makes_a_difference_follows_every_state_that_another_brings_about(name: str) -> None:
    lives = core(WORLDS[name])
    kinds = max((kinds_at(place) for place in WORLDS[name].places), key=len)
    made = [kind for kind in kinds if kind not in ("none", "nothing", "8x8", "delete")]
    met = {pair for life in lives for pair in states_and_kinds(life)}
    assert {(state, kind) for state in (*made, "never", "removed") for kind in kinds} <= met
    assert {("delete", kind) for kind in kinds if kind != "delete"} <= met
    assert {kind for kind in kinds if kind != "delete"} <= {life.moves[0].kind for life in lives}


def test_every_calendar_is_asked_in_every_way() -> None:
    asked = {(life.account, life.calendar_id, move.kind) for life in core(WHOLE) for move in life.moves}
    for account, calendar in WHOLE.places:
        for kind in ("explicit", "default", "integrated", *["profile"] * bool(account.profiles)):
            assert (account.name, calendar.calendar_id, kind) in asked


def test_every_choice_is_taken_somewhere() -> None:
    moves = [move for life in core(WHOLE) for move in life.moves]
    assert {move.kind for move in moves} == {*KINDS, "invalid"}
    assert {move.start for move in moves} == set(STARTS)
    assert {move.form for move in moves} == set(FORMS)
    assert {move.text for move in moves} == set(TEXTS)
    assert {move.url for move in moves if move.kind == "explicit"} == {*URLS, "again", "room"}
    assert {move.flaw for move in moves} >= set(FLAWS)
    assert {life.moves[0].flaw for life in core(WHOLE)} >= set(CREATION_FLAWS)
    assert {move.flaw for life in core(WHOLE) for move in life.moves[1:]} >= set(FLAWS)
    assert {(move.kind, bool(move.stray)) for move in moves} >= {
        (kind, True) for kind in ("default", "integrated", "profile", "none", "8x8")
    }


@pytest.mark.parametrize("name", WORLDS)
def test_no_life_is_longer_than_the_longest_or_begins_with_a_deletion(name: str) -> None:
    for life in core(WORLDS[name]):
        assert 1 <= len(life.moves) <= LONGEST
        assert life.moves[0].kind != "delete"
        assert not life.moves[0].hasty


@pytest.mark.parametrize("name", WORLDS)
def test_no_profile_is_named_where_there_is_none(name: str) -> None:
    for life in core(WORLDS[name]):
        account = WORLDS[name].by_name[life.account]
        assert all(move.kind != "profile" or account.profiles for move in life.moves)


@pytest.mark.parametrize("name", WORLDS)
def test_waves_have_every_life_once_and_end_with_the_longest(name: str) -> None:
    lives = core(WORLDS[name])
    groups = waves(lives)
    assert sorted((life for group in groups for life in group), key=lambda life: life.id) == sorted(
        lives, key=lambda life: life.id
    )
    assert max(number + len(life.moves) for number, group in enumerate(groups) for life in group) <= LONGEST
    assert {life.theme for life in groups[0]} == {life.theme for life in lives}


def test_event_ids_are_unique_but_for_those_that_are_shared_on_purpose() -> None:
    lives = core(WHOLE)
    alone = [RUN.event_id(life) for life in lives if not life.event]
    shared = {RUN.event_id(life) for life in lives if life.event}
    assert len(set(alone)) == len(alone)
    assert len(shared) == 1
    assert len({(life.account, life.calendar_id) for life in lives if life.event}) == 3
    assert any(name != name.lower() for name in alone)
    assert not {*alone} & {RUN.event_id(replace(life, id="other")) for life in lives}


def test_writes_carry_marks_and_urls_of_their_own() -> None:
    every = [write for life in core(WHOLE) for write in writes(life, RUN)]
    urls = [write.body["conferencing"]["join_url"] for write in every if write.move.kind == "explicit"]
    shared = [write for write in every if write.move.url == "room"]
    assert len({write.body["conferencing"]["join_url"] for write in shared}) == 1
    assert len(set(urls)) == len(urls) - sum(write.move.url == "again" for write in every) - (len(shared) - 1)
    assert {len(url) > 255 for url in urls} == {True, False}
    assert max(map(len, urls)) > 2000
    created = [write.body["summary"] for write in every if "summary" in write.body and "summary" in write.move.changes]
    assert len(set(created)) == len(created)
    assert json.loads(json.dumps([write.body for write in every])) == [write.body for write in every]


def test_an_update_changes_what_its_move_says_and_nothing_else() -> None:
    for life in core(WHOLE):
        bodies = [write for write in writes(life, RUN) if write.method == "POST" and not write.move.flaw]
        for before, after in pairwise(bodies):
            if before.n.rpartition("-")[0] != after.n.rpartition("-")[0] or "delete" in {m.kind for m in life.moves}:
                continue
            moved = (before.move.start, before.move.form) != (after.move.start, after.move.form)
            differing = {name for name in ("summary", "description") if before.body.get(name) != after.body.get(name)}
            bare = "bare" in after.move.changes and "description" in before.body
            changed = {name for name in after.move.changes if name in ("summary", "description")}
            assert differing == changed | ({"description"} if bare else set())
            assert ("end" in after.move.changes) <= (before.body["end"] != after.body["end"])
            assert (before.body["start"] != after.body["start"]) == ("time" in after.move.changes or moved)


@pytest.mark.parametrize("hour", range(24))
def test_starts_keep_a_day_or_some_hours_from_now_at_any_hour(hour: int) -> None:
    now = datetime(2026, 4, 28, hour, 59, 59, tzinfo=UTC).timestamp()
    day = 24 * 3600
    for life in core(WHOLE):
        for write in writes(life, Run("abcdefgh", now, WHOLE)):
            if write.method != "POST" or write.move.flaw:
                continue
            start, end = seconds(write.body["start"]) - now, seconds(write.body["end"]) - now
            assert start < end
            if write.move.start in ("future", "year"):
                assert start > day
            elif write.move.start == "running":
                assert start < -day < day < end
            elif write.move.start == "soon":
                assert day / 6 < start < day / 2
                assert wall_clock(write.body["start"]) < now
            elif write.move.start == "lately":
                assert -day / 2 < start < end < -day / 6
                assert wall_clock(write.body["start"]) > now
            else:
                assert end < -day


def test_what_is_soon_is_not_tried_on_a_server_that_does_not_tell_the_time() -> None:
    assert {move.start for life in core(WORLDS["timeless"]) for move in life.moves} == set(STARTS) - {"soon", "lately"}


def test_a_body_without_conferencing_leaves_the_property_out() -> None:
    life = Life("x", "default", WHOLE.places[0][1].calendar_id, (Move("nothing"), Move("delete"), Move("nothing")))
    first, gone, again = writes(life, RUN)
    assert "conferencing" not in first.body | again.body
    assert (gone.method, gone.body) == ("DELETE", {"event_id": RUN.event_id(life)})
    assert first.path == f"/v1/calendars/{life.calendar_id}/events"


def test_a_disconnected_profile_is_named_once_and_not_otherwise() -> None:
    account = WHOLE.by_name["disconnected"]
    connected = connected_profiles(account)
    named = [
        move.profile
        for life in core(WHOLE)
        if life.account == account.name
        for move in life.moves
        if move.kind == "profile"
    ]
    assert sum(number not in connected for number in named) == 1


def test_a_plan_counts_what_it_does_and_says_what_it_lacks() -> None:
    whole, bare = plan(RUN, Settings()), plan(Run("r", NOW, WORLDS["bare"]), Settings())
    assert (whole.objects, sum(whole.kinds.values())) == (
        len(core(WHOLE)),
        sum(len(life.moves) for life in core(WHOLE)),
    )
    assert whole.expected < 520 < whole.requests
    assert whole.lacking == ()
    assert len(bare.lacking) >= 5


def test_lives_beyond_the_core_are_drawn_the_same_for_the_same_seed() -> None:
    first, again, other = (explore(WHOLE, 30, number) for number in (1, 1, 2))
    assert first == again != other
    assert len(first) > 10
    assert len({life.id for life in first}) == len(first)
    assert all(writes(life, RUN) for life in first)


@pytest.mark.parametrize("url", ["again", "room"])
def test_what_is_not_explicit_has_no_url_whatever_its_move_says(url: str) -> None:
    life = Life("x", "default", WHOLE.places[0][1].calendar_id, (Move("explicit"), Move("nothing", url=url)))
    assert "conferencing" not in writes(life, RUN)[1].body
