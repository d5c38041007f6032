"""A reading that comes again, to the last byte, says what it would say if it were read like any other."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from facts_traffic import ASSIGNED, CALENDAR, NOW, READ, Traffic, event, explicit, item
from msgspec import structs

from conformance.contract.rules import load
from conformance.facts import Facts, Observer, Settings
from conformance.facts.forgetting import Forgetting
from conformance.facts.repeats import LastReading
from conformance.http.exchange import Exchange, Request, bearer
from conformance.judging.check import examine
from conformance.judging.exercised import ExerciseLog, Noted

SETTINGS = Settings(quiet=2.0, settle_timeout=15.0)
URLS = (
    READ,
    f"{READ}&last_modified=2026-09-01T00%3A00%3A00Z",
    f"{READ}&last_modified=2026-09-23T14%3A13%3A30Z",
    f"{READ}&from=2026-10-01",
    "http://127.0.0.1/v1/events?tzid=Etc%2FUTC&include_managed=true",
    "http://127.0.0.1/v1/events?tzid=Etc%2FUTC",
)
#: A list in the answers is taken over by the readings that follow, until something else comes.
LISTS: tuple[list[dict[str, Any]], ...] = (
    [],
    [item({"pending": True})],
    [item(ASSIGNED)],
    [item(ASSIGNED), item(event_id="e2")],
    [item(ASSIGNED), {**item(), "event_id": None, "event_uid": "u"}],
    [item(ASSIGNED), item(ASSIGNED)],
    [item(ASSIGNED, event_id="stranger")],
)


def other(name: str, exchange: Exchange) -> Exchange:
    """The exchange with another token."""
    headers = (("Authorization", bearer(name)), ("Content-Type", "application/json"))
    request = exchange.request
    return structs.replace(exchange, request=Request(request.method, request.url, headers, request.body))


def some_traffic(seed: int) -> list[Exchange]:
    """Mostly readings that repeat themselves, among all that may change what they say."""
    random = Random(seed)
    traffic, at, url, shown = Traffic(), 0.0, READ, LISTS[0]
    second = {"sub": "acc_1", "cronofy.data": {}}
    for _ in range(60):
        at += random.choice((0.05, 0.5, 3.0, 20.0))
        match random.randrange(16):
            case 0:
                body = event(event_id=random.choice(("e1", "e2")), summary=random.choice(("Board", "Staff")))
                traffic.write(
                    at, {**body, "conferencing": explicit(ASSIGNED["join_url"])}, took=random.choice((0.1, 1))
                )
            case 1:
                traffic.add(
                    at, "DELETE", f"http://127.0.0.1/v1/calendars/{CALENDAR}/events", {"event_id": "e2"}, 202, None
                )
            case 2:
                url, shown = random.choice(URLS), random.choice(LISTS)
            case 3:
                shown = random.choice(LISTS)
            case 4:
                traffic.add(at, "GET", "http://127.0.0.1/v1/userinfo", None, 200, second)
            case 5:
                traffic.add(at, "GET", "http://127.0.0.1/v1/calendars", None, 200, {"calendars": []})
            case _:
                traffic.read(at, *shown, url=url)
    return [other(random.choice(("default", "default", "default", "second")), one) for one in traffic.exchanges]


def facts_of(exchanges: list[Exchange]) -> list[Facts]:
    observer, forgetting = Observer(SETTINGS, revisions=False), Forgetting(300.0)
    found = []
    for number, exchange in enumerate(exchanges):
        observer.add(exchange)
        if number == 40:
            observer.sweep(forgetting, NOW + 1000.0)
        found += observer.closed()
    return [*found, *observer.drain()]


def test_what_is_known_does_not_depend_on_whether_a_repeated_reading_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything = [some_traffic(seed) for seed in range(80)]
    repeats = 0
    is_repeated_by = LastReading.is_repeated_by

    def counted(self: LastReading, seen: Any) -> bool:
        nonlocal repeats
        repeated = is_repeated_by(self, seen)
        repeats += repeated
        return repeated

    monkeypatch.setattr(LastReading, "is_repeated_by", counted)
    short = [facts_of(exchanges) for exchanges in everything]
    assert repeats > 150
    monkeypatch.setattr(LastReading, "is_repeated_by", lambda *_: False)
    for seed, (exchanges, found) in enumerate(zip(everything, short, strict=True)):
        assert found == facts_of(exchanges), seed


def test_a_last_modified_that_is_ahead_no_more_says_so() -> None:
    traffic = Traffic().write(0, event())
    for at in (5.0, 7.0, 9.0, 12.0, 14.0):
        traffic.read(at, item(ASSIGNED), url=URLS[2])
    flags = [facts.document["flags"] for facts in facts_of(traffic.exchanges) if facts.about == "reading"]
    assert [one["last_modified"] for one in flags] == ["ahead", "ahead", "ahead", "given", "given"]


def test_of_many_accounts_the_last_reading_of_a_few_is_held() -> None:
    observer = Observer(SETTINGS)
    for number in range(100):
        for exchange in Traffic().write(0, event()).read(1, item(ASSIGNED)).read(9, item(ASSIGNED)).exchanges:
            observer.add(other(f"account-{number}", exchange))
    observer.advance()
    held = [account for account in observer._fold.accounts.values() if account.last_reading is not None]
    assert 0 < len(held) <= 32


def test_the_facts_of_the_same_reading_again_are_one_document() -> None:
    traffic = Traffic().write(0, event())
    for number in range(8):
        traffic.read(5.0 + 5 * number, item(ASSIGNED))
    documents = [facts.document for facts in facts_of(traffic.exchanges) if facts.about == "reading"]
    assert documents[-1] is documents[-2]
    assert json.dumps(documents[-1]) != json.dumps(documents[0])


def test_documents_that_come_again_count_as_those_that_are_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rules, seen = load(), 0
    note_again = ExerciseLog.note_again

    def counted(self: ExerciseLog, noted: Noted) -> None:
        nonlocal seen
        seen += 1
        note_again(self, noted)

    monkeypatch.setattr(ExerciseLog, "note_again", counted)
    everything = [[one for seed in range(start, 24, 3) for one in some_traffic(seed)] for start in range(3)]
    short = [examine(exchanges, rules, SETTINGS) for exchanges in everything]
    assert seen > 100
    assert any(tally.failed for report in short for tally in report.tallies.values())
    monkeypatch.setattr("conformance.judging.stream.REPEATED", frozenset())
    assert short == [examine(exchanges, rules, SETTINGS) for exchanges in everything]
