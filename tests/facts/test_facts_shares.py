"""Facts of shares of the accounts, made apart, are those of all of them made at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from facts_traffic import ASSIGNED, CALENDAR, Traffic, event, explicit, item
from msgspec import structs

from conformance.facts import Facts, Observer, Settings, observe
from conformance.facts.share import Crossing, Share, are_entangled, unmet
from conformance.http.exchange import Exchange, Request, bearer

SETTINGS = Settings(quiet=2.0, settle_timeout=60.0)
USERINFO = "http://127.0.0.1/v1/userinfo"
#: What an event is booked as, and what a hook is told.
HOOK = "https://app.example.io/conformance/hook/1"
SUBSCRIBED = [{"type": "webhook", "uri": HOOK, "interactions": [{"type": "conferencing_assigned"}]}]


def of(name: str, traffic: Traffic) -> list[Exchange]:
    """The traffic as that of another account, on a calendar of its own."""
    return [
        structs.replace(
            exchange,
            label=f"{name}{exchange.label}",
            request=Request(
                exchange.request.method,
                exchange.request.url.replace(CALENDAR, f"cal_{name}"),
                tuple(
                    (key, bearer(name) if key == "Authorization" else value) for key, value in exchange.request.headers
                ),
                exchange.request.body,
            ),
            response=exchange.response
            and structs.replace(
                exchange.response, body=exchange.response.body.replace(CALENDAR.encode(), f"cal_{name}".encode())
            ),
        )
        for exchange in traffic.exchanges
    ]


def booked(at: float, settles: float, url: str, **fields: Any) -> Traffic:
    """One event with a generated conference, which comes after some seconds and is read for a while."""
    shown = {**ASSIGNED, "join_url": url}
    traffic = Traffic().read(at - 5).write(at, event(conferencing={"profile_id": "default"}, **fields))
    for number in range(12):
        after = 0.5 + 1.5 * number
        traffic.read(at + after, item({"pending": True} if after < settles else shown))
    return traffic


def together(*accounts: list[Exchange]) -> list[Exchange]:
    return sorted((one for exchanges in accounts for one in exchanges), key=lambda one: one.sent_at or 0.0)


def whole(exchanges: Sequence[Exchange]) -> list[Facts]:
    return list(observe(exchanges, SETTINGS))


def shared(exchanges: Sequence[Exchange], share: Share, settings: Settings = SETTINGS) -> tuple[list[Facts], Crossing]:
    observer = Observer(settings, revisions=False, share=share)
    found = []
    for exchange in exchanges:
        observer.add(exchange)
        found += observer.closed()
    return [*found, *observer.drain()], observer.crossing


def apart(exchanges: Sequence[Exchange], *names: str) -> tuple[list[Facts], list[Crossing], int]:
    """The facts of each account made apart and put in order, what they told each other, and how many were repeated."""
    everybody = frozenset(names)
    shares = [Share(frozenset({name}), everybody - {name}, number == 0) for number, name in enumerate(names)]
    told = [shared(exchanges, share) for share in shares]
    found, crossings = [facts for facts, _ in told], [crossing for _, crossing in told]
    again = unmet(crossings, SETTINGS)
    for number, settled in again.items():
        found[number], _ = shared(exchanges, replace(shares[number], settled=settled))
    ordered = sorted((one for facts in found for one in facts), key=lambda one: one.place)
    return [structs.replace(one, place=()) for one in ordered], crossings, len(again)


def test_facts_that_are_made_apart_are_those_that_are_made_at_once() -> None:
    exchanges = together(
        of("a", booked(0.0, 1.0, "https://zoom.example/a")),
        of("b", booked(0.7, 1.0, "https://zoom.example/b")),
        of(
            "c",
            Traffic().write(0.3, event(conferencing=explicit("https://zoom.example/a"))).read(9.0, item(explicit("x"))),
        ),
    )
    facts, crossings, repeated = apart(exchanges, "a", "b", "c")
    assert facts == whole(exchanges)
    assert (are_entangled(crossings), repeated) == (False, 0)


def test_a_share_that_relied_on_a_shorter_window_is_repeated() -> None:
    slow, quick = booked(0.0, 4.0, "https://zoom.example/a"), booked(10.0, 1.0, "https://zoom.example/b")
    exchanges = together(of("a", slow), of("b", quick))
    facts, _, repeated = apart(exchanges, "a", "b")
    assert repeated == 1
    assert facts == whole(exchanges)


def test_a_setting_asks_for_no_repetition() -> None:
    exchanges = together(
        of("a", booked(0.0, 4.0, "https://zoom.example/a")), of("b", booked(10.0, 1.0, "https://zoom.example/b"))
    )
    settings = replace(SETTINGS, window=3.0)
    shares = [Share(frozenset({mine}), frozenset({others}), mine == "a") for mine, others in (("a", "b"), ("b", "a"))]
    crossings = [shared(exchanges, share, settings)[1] for share in shares]
    assert unmet(crossings, settings) == {}


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_generated_url_of_two_shares_entangles_them(first: str) -> None:
    same = "https://zoom.example/same"
    exchanges = together(of("a", booked(0.0 if first == "a" else 3.0, 1.0, same)), of("b", booked(1.0, 1.0, same)))
    _, crossings, _ = apart(exchanges, "a", "b")
    assert are_entangled(crossings)


def test_an_explicit_url_of_two_accounts_is_known_in_both_shares() -> None:
    url = "https://meet.example/room"
    asked = event(conferencing=explicit(url))
    shown = item({"join_url": url, "provider_name": None})
    exchanges = together(
        of("a", Traffic().write(0.0, asked).read(1.0, shown).read(9.0, shown)),
        of("b", booked(2.0, 1.0, url)),
    )
    facts, crossings, _ = apart(exchanges, "a", "b")
    assert facts == whole(exchanges)
    assert not are_entangled(crossings)
    assert "join_url_shared_with" in repr([one.document for one in facts if one.evidence and one.key[1] == "b"])


def test_two_tokens_of_one_account_entangle_their_shares() -> None:
    body = {"sub": "acc_1", "cronofy.data": {"profiles": []}}
    tokens = [of(name, Traffic().add(float(at), "GET", USERINFO, None, 200, body)) for at, name in enumerate("ab")]
    _, crossings, _ = apart(together(*tokens), "a", "b")
    assert are_entangled(crossings)


def test_notifications_find_their_event_in_its_share() -> None:
    exchanges = together(
        of("a", booked(0.0, 1.0, "https://zoom.example/a", subscriptions=SUBSCRIBED)),
        of("b", booked(0.2, 1.0, "https://zoom.example/b", subscriptions=SUBSCRIBED)),
    )
    told = Request("POST", HOOK, (("Content-Type", "application/json"),), b"{}")
    middle = exchanges[len(exchanges) // 2]
    exchanges = together(exchanges, [structs.replace(middle, label="hook", request=told)])
    facts, _, _ = apart(exchanges, "a", "b")
    assert facts == whole(exchanges)


def test_what_is_of_no_account_is_of_the_first_share() -> None:
    bare = [
        structs.replace(one, request=structs.replace(one.request, headers=())) for one in Traffic().read(0.0).exchanges
    ]
    exchanges = together(bare, of("b", booked(0.2, 1.0, "https://zoom.example/b")))
    facts, _, _ = apart(exchanges, "a", "b")
    assert facts == whole(exchanges)
