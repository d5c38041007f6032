"""Whatever a server or a recording says, observing it raises nothing and accuses nobody by accident."""

from __future__ import annotations

import pickle
from typing import Any

from facts_traffic import Traffic, event, explicit, item
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.contract.rules import load
from conformance.facts import Observer, Settings
from conformance.facts.seen import UNREADABLE
from conformance.judging.judge import Judge

JUDGE = Judge(load())
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(
        [
            "",
            "e1",
            "cal_A",
            "explicit",
            "default",
            "https://a.example/1",
            "http://[",
            "0001-01-01",
            "\ud800",
            "https://a.example/\ud800",
            "9999-12-31T23:59:59Z",
            "x",
        ]
    )
)
names = st.sampled_from(
    [
        "events", "pages", "next_page", "current", "total", "event_id", "calendar_id", "conferencing", "pending",
        "join_url",
        "provider_name", "start", "end", "time", "tzid", "summary", "location", "description", "deleted", "calendars",
        "calendar_integrated_conferencing_available", "cronofy.data", "profiles", "profile_calendars",
        "conferencing_profiles", "profile_id", "profile_connected", "errors",
    ]
)  # fmt: skip
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)
pages = st.fixed_dictionaries(
    {"events": st.lists(st.dictionaries(names, values, max_size=6) | values, max_size=4)}, optional={"pages": values}
)
URLS = ("http://127.0.0.1/v1/events?only_managed=true", "http://127.0.0.1/v1/calendars", "http://127.0.0.1/v1/userinfo")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(("write", *URLS)), values | pages, st.sampled_from((200, 202, 404, 422, 500, None))),
        max_size=8,
    )
)
def test_any_answer_and_any_body_can_be_observed_and_judged(steps: list[tuple[str, Any, int | None]]) -> None:
    traffic = Traffic().read(0)
    for number, (what, value, status) in enumerate(steps):
        at = 1.0 + number
        if what == "write":
            body = event(**{k: v for k, v in value.items() if k != "event_id"}) if isinstance(value, dict) else value
            traffic.write(at, body, status)
        else:
            traffic.add(at, "GET", what, None, status, value)
    for facts in traffic.facts():
        JUDGE(facts)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 9), st.sampled_from(("write", "read", "other"))), min_size=1, max_size=14))
def test_rests_and_revisions_change_no_facts(steps: list[tuple[float, str]]) -> None:
    """ObserverState may pack lives away, and a live run asks for revisions: what closes is the same."""
    traffic, at = Traffic().read(0).write(1, event(conferencing=explicit("https://a.example/1"))), 2.0
    shown = item({"join_url": "https://a.example/1", "provider_name": None})
    for wait, what in steps:
        at += wait
        if what == "write":
            traffic.write(at, event(summary=str(at)))
        else:
            traffic.read(at, shown if what == "read" else item())
    documents = []
    for revisions in (False, True):
        observer = Observer(Settings(quiet=2.0, window=3.0, settle_timeout=15.0), revisions=revisions)
        closed = []
        for exchange in traffic.exchanges:
            observer.add(exchange)
            closed += [facts for facts in (observer.changed() if revisions else observer.closed()) if facts.closed]
        closed += list(observer.drain())
        documents.append([(facts.key, facts.document) for facts in closed])
    assert documents[0] == documents[1]


def test_what_cannot_be_read_is_that_in_another_process_too() -> None:
    assert pickle.loads(pickle.dumps(UNREADABLE)) is UNREADABLE
