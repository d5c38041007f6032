"""What rests is packed away and comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import Traffic, event, explicit, item

from conformance.facts import Settings, observe
from conformance.facts.event import Event
from conformance.facts.observed import Before, Observation
from conformance.facts.observer import Observer
from conformance.facts.packing import Packer
from conformance.facts.values import Evidence
from conformance.facts.window import Window

A, B = "https://a.example/1", "https://b.example/2"
READ_A, READ_B = ({"join_url": url, "provider_name": None} for url in (A, B))
SETTINGS = Settings(quiet=2.0, settle_timeout=15.0)


def written(*after: tuple[float, dict[str, Any] | None]) -> Traffic:
    """A creation and its readings; None lists nothing."""
    traffic = Traffic().read(0).write(1, event(conferencing=explicit(A), location={"description": "x"}))
    for at, shown in after:
        traffic.read(at, *(() if shown is None else (item(shown),)))
    return traffic


LIVES = {
    "settled": [(2.0 + 3 * n, {"pending": True} if n == 0 else READ_A) for n in range(12)],
    "flickering": [(2.0 + 3 * n, READ_B if n == 7 else READ_A) for n in range(14)],
    "lost": [(2.0 + 3 * n, READ_A if n < 9 else None) for n in range(16)],
    "never-there": [(2.0 + 3 * n, None) for n in range(16)],
}


def resting(traffic: Traffic) -> Event:
    """The only event of the traffic, as it is after the last exchange."""
    observer = Observer(SETTINGS, revisions=False)
    for exchange in traffic.exchanges:
        observer.add(exchange)
    observer.advance()
    (account,) = observer._fold.accounts.values()
    (events,) = account.calendars.values()
    (found,) = events.values()
    return found


@pytest.mark.parametrize("unpacked", [0, 1024])
@pytest.mark.parametrize("name", LIVES)
def test_facts_are_the_same_whether_events_rest_or_not(
    name: str, unpacked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.facts.state._UNPACKED", unpacked)
    traffic = written(*LIVES[name]).write(80, event(summary="other")).read(82, item(READ_A)).read(90, item(READ_A))
    awake = {facts.key: facts.document for facts in traffic.facts(SETTINGS) if facts.closed}
    asleep = {facts.key: facts.document for facts in observe(traffic.exchanges, SETTINGS)}
    assert asleep == awake


def test_an_episode_comes_back_as_it_was() -> None:
    found = resting(written(*LIVES["settled"]))
    found.pack()
    assert found._state is None
    episode = found.state.episode
    packer = Packer()
    again = packer.unpack(packer.pack(episode))
    assert again == episode
    assert again.stable is again.streak


def test_an_event_whose_last_facts_were_given_is_let_go() -> None:
    observer = Observer(SETTINGS, revisions=False)
    for exchange in written(*LIVES["settled"]).exchanges:
        observer.add(exchange)
    held = [owner for facts in observer.drain() if facts.about == "write" for owner in observer._fold._asked.values()]
    assert [(owner.event_id, owner._state, owner._packed) for owner in held] == [("e1", None, b"")]


def test_those_that_rest_together_need_a_few_hundred_bytes_each() -> None:
    packer = Packer()
    state = resting(written(*LIVES["settled"])).state.episode
    first, *others = [len(packer.pack((state, f"https://meet.example/{number}"))) for number in range(3)]
    assert max(first, *others) < 300


def test_an_event_that_is_nested_too_deep_stays_awake() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    found = Event(("default", "cal_A"), "e1", Before(), Packer())
    evidence = Evidence("#1", written().exchanges[0].request, 200)
    for number in range(12):
        shown = {**item(READ_A), "categories": deep}
        at = 10.0 * number
        found.state.episode.observe(
            Observation("assigned", READ_A, shown, at, at, True, 0.0, evidence), SETTINGS, Window(SETTINGS)
        )
    found.state.episode.dirty = False
    assert found.state.episode.is_stable
    assert not found.rest()
    found.pack()
    assert found.state.episode.readings == 12


def test_no_more_events_are_unpacked_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.facts.state._UNPACKED", 2)
    traffic = Traffic().read(0)
    for name in "abcde":
        traffic.write(1, event(event_id=name, conferencing=explicit(f"https://{name}.example/1")))
    shown = [item({"join_url": f"https://{name}.example/1"}, event_id=name) for name in "abcde"]
    for at in range(2, 40, 3):
        traffic.read(at, *shown)
    observer = Observer(SETTINGS, revisions=False)
    for exchange in traffic.exchanges:
        observer.add(exchange)
    (account,) = observer._fold.accounts.values()
    (events,) = account.calendars.values()
    assert [found._state is None for found in events.values()] == [True, True, True, False, False]


def test_a_reading_that_is_nested_too_deep_is_not_the_same() -> None:
    found = resting(written(*LIVES["settled"]))
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert not found.shows_same(
        {**item(READ_A), "categories": deep}, 99.0, Evidence("#9", written().exchanges[0].request, 200)
    )
