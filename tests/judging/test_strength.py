"""The strength of a report: which known faults would have been shown by what was exercised."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.facts import Facts
from conformance.judging.circumstances import SETTLED, circumstances
from conformance.judging.exercised import Exercised, ExerciseLog
from conformance.judging.strength import KnownFault, Way, strength
from conformance.judging.verdict import Verdict


def facts(about: str = "write", *, number: str = "1", account: str = "default", **document: Any) -> Facts:
    key = (about, account, "cal", "e1", number)
    return Facts(about, key, {"about": about, "account": account, **document}, (), closed=True)


def verdict(rule: str, outcome: Any = "passed") -> Verdict:
    return Verdict(rule, outcome, None, ())


@pytest.mark.parametrize(
    ("about", "document", "said"),
    [
        ("write", {"requested": "none"}, "requested=none"),
        ("write", {"is_create": False}, "is_create=False"),
        ("write", {"profiles": 7}, "profiles=several"),
        ("write", {"changed_fields": ["start"]}, "changes start"),
        ("write", {"before": {"state": "assigned"}}, "before.state=assigned"),
        ("write", {"before": {"conferencing": {"provider_name": "zoom"}}}, "before.conferencing.provider_name=zoom"),
        ("write", {"calendar": {"provider_name": "apple"}}, "calendar.provider_name=apple"),
        ("write", {"request": {"json": {"end": "2026-12-01T10:00:00+02:00"}}}, "event.end is a time with an offset"),
        ("write", {"request": {"json": {"start": "2026-12-01"}}}, "event.start is a time"),
        ("write", {"request": {"json": {"summary": "Zoë's"}}}, "event.summary is not ASCII"),
        ("write", {"request": {"json": {"description": "a" * 300 + " b"}}}, "event.description is long"),
        ("write", {"request": {"json": {"conferencing": None}}}, "event.conferencing=None"),
        ("write", {"request": {"json": {"conferencing": {"join_url": "https://a.example:8/B"}}}},
         "event.conferencing.join_url has a port"),
        ("write", {"request": {"json": {"conferencing": {"join_url": "https://a.example/B#c"}}}},
         "event.conferencing.join_url has '#'"),
        ("write", {"request": {"headers": {}}}, "no authorization"),
        ("reading", {"flags": {"managed": "only"}, "pages": [{}, {}]}, "several pages"),
        ("reading", {"request": {"query": [["from", "2026-12-01"]]}}, "query from"),
        ("exchange", {"operation": "write", "response": {"status": 422}}, "status=422"),
        ("conferencing", {"conferencing": {"join_url": "ftp://a.example/"}}, "conferencing.join_url is ftp:"),
        ("directory", {"calendars": {"calendars": [{}, {}]}}, "calendars.calendars has several"),
        ("notification", {"interactions": ["conferencing_failing"]}, "interactions has conferencing_failing"),
        ("account", {"defaults": {"conferences": 3}}, "defaults.conferences=several"),
    ],
)  # fmt: skip
def test_circumstances_say_what_was_requested_and_what_was_there(
    about: str, document: dict[str, Any], said: str
) -> None:
    assert said in circumstances(facts(about, **document))


def test_circumstances_say_nothing_of_ids_and_of_what_was_observed() -> None:
    one = facts(event_id="e1", request={"json": {"event_id": "e1"}}, after={"settled": {"state": "none"}})
    other = facts(event_id="e2", request={"json": {"event_id": "e2"}}, after={"settled": {"state": "assigned"}})
    assert circumstances(one) == circumstances(other)
    assert circumstances(one) - circumstances(facts()) == {SETTLED, "event is an object"}


def test_kinds_of_facts_on_clients_have_no_circumstances() -> None:
    assert circumstances(facts("call", operation="read_events")) == frozenset()


def test_a_log_takes_the_circumstances_of_what_was_decided_and_of_what_stayed_open() -> None:
    log = ExerciseLog()
    log.note(facts(requested="none"), (verdict("a"), verdict("b", "inconclusive"), verdict("c", "failed")))
    log.note(facts(requested="default"), ())
    said = frozenset({circumstances(facts(requested="none"))})
    assert (dict(log.taken.decided), dict(log.taken.open)) == ({"a": said, "c": said}, {"b": said})


def test_what_is_taken_of_one_account_does_not_depend_on_others() -> None:
    def taken(*accounts: str) -> Exercised:
        log = ExerciseLog()
        for number in range(300):
            for account in accounts:
                log.note(facts(account=account, changed_fields=[f"{account}{number}"]), (verdict("a"),))
        return log.taken

    assert taken("one", "two") == taken("one") + taken("two") == taken("two") + taken("one")
    assert taken("one") + Exercised() == Exercised() + taken("one") == taken("one")


@pytest.mark.parametrize("about", ["write", "exchange"])
def test_many_that_look_alike_hide_nothing_that_comes_after_them(about: str) -> None:
    log = ExerciseLog()
    for _ in range(200):
        log.note(facts(about, operation="read", requested="none"), (verdict("a"),))
    last = facts(about, operation="read", requested="none", response={"status": 422})
    log.note(last, (verdict("a"),))
    assert circumstances(last) in log.taken.decided["a"]


FAULTS = (
    KnownFault("lost", "It is lost", "B", (Way("a", frozenset({"requested=none"}), "create an event"),)),
    KnownFault("late", "It is late", "B", (Way("b", frozenset({"requested=none"}), "update an event"),)),
    KnownFault("odd", "It is odd", "F", (Way("b", frozenset({"requested=default"}), "update an event"),)),
    KnownFault("long", "It is long", "F", (Way("c", frozenset({"requested=default"}), "update an event"),)),
)  # fmt: skip


def test_a_fault_is_caught_where_a_rule_was_decided_in_the_circumstances_that_show_it() -> None:
    log = ExerciseLog()
    log.note(facts(requested="none", is_create=True), (verdict("a"), verdict("b", "inconclusive")))
    found = strength(log.taken, FAULTS)
    assert [fault.name for fault in found.caught] == ["lost"]
    assert found.sections == {"B": (1, 2), "F": (0, 2)}
    assert [(one.text.split(" ")[0], one.gain) for one in found.additions] == [("update", 2), ("read", 1)]


def test_a_run_waits_until_what_is_wrong_is_settled_and_a_recording_does_not() -> None:
    fault = KnownFault("late", "It is late", "B", (Way("a", frozenset({SETTLED}), "update an event"),))
    log = ExerciseLog()
    log.note(facts(), (verdict("a"),))
    assert strength(log.taken, [fault]).caught == ()
    assert strength(log.taken, [fault]).additions[0].text.startswith("read events")
    assert strength(log.taken, [fault], waits=True).caught == (fault,)
