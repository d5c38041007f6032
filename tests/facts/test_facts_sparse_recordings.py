"""Recordings of ordinary test suites: a write that no reading came before, and a few readings after it."""

from __future__ import annotations

from typing import Any

import pytest
from facts_traffic import Traffic, event, explicit, item

from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.judging.judge import Judge

A, B = "https://a.example/1", "https://b.example/2"
RIGHT, WRONG = ({"join_url": url, "provider_name": None} for url in (A, B))
NONE = {"profile_id": "none"}


def _said(rule: str, asked: Any, *rows: dict[str, Any]) -> str:
    """What a rule says of a write, and of rows that were read each quarter of an hour."""
    traffic = Traffic().write(0, event(conferencing=asked))
    for number, row in enumerate(rows):
        traffic.read(1 + 900 * number, row)
    judge = Judge([one for one in load() if one.id == rule])
    [verdict] = [verdict for facts in traffic.facts(Settings()) if facts.about == "write" for verdict in judge(facts)]
    return verdict.outcome


@pytest.mark.parametrize(
    ("rule", "asked", "shown", "said"),
    [
        ("explicit-is-kept", explicit(A), WRONG, "failed"),
        ("explicit-is-kept", explicit(A), None, "failed"),
        ("explicit-is-kept", explicit(A), RIGHT, "passed"),
        ("none-removes-conferencing", NONE, WRONG, "failed"),
        ("none-removes-conferencing", NONE, None, "passed"),
    ],
)
def test_what_an_event_shows_in_the_end_is_judged_whatever_was_before(
    rule: str, asked: Any, shown: Any, said: str
) -> None:
    assert _said(rule, asked, *[item(shown)] * 4) == said


@pytest.mark.parametrize(("rule", "asked"), [("explicit-is-kept", explicit(A)), ("none-removes-conferencing", NONE)])
def test_one_reading_and_rows_without_the_write_accuse_nobody(rule: str, asked: Any) -> None:
    assert _said(rule, asked, item(WRONG)) == "inconclusive"
    assert _said(rule, asked, *[item(WRONG, summary="Before the write")] * 4) == "inconclusive"


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([()] * 4, "failed"),
        (
            [(item(WRONG, summary="Other"),), *[()] * 4],
            "inconclusive",
        ),  # it was there, and may be deleted
        ([()], "inconclusive"),
    ],
)
def test_an_accepted_event_that_is_never_listed_is_missing_whatever_was_before(rows: Any, verdict: str) -> None:
    traffic = Traffic().write(0, event(conferencing=explicit(A)))
    for number, row in enumerate(rows):
        traffic.read(2 + 900 * number, *row)
    judge = Judge([one for one in load() if one.id == "explicit-is-kept"])
    [said] = [each for facts in traffic.facts(Settings()) if facts.about == "write" for each in judge(facts)]
    assert said.outcome == verdict


def test_what_explicit_conferencing_cannot_lead_to_does_not_lengthen_the_window() -> None:
    traffic = Traffic().write(0, event(conferencing=explicit(A)))
    for second in range(1, 29):
        traffic.read(second, item(RIGHT if second < 7 else None))
    [facts] = traffic.writes(Settings())
    assert facts["after"]["settled"]["state"] == "none"
