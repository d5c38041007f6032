"""What the evidence of an episode tells beside its facts."""

from __future__ import annotations

from facts_traffic import NOW, READ, Traffic, event, item

from conformance.facts import Evidence


def last_evidence(traffic: Traffic) -> Evidence:
    [facts] = [one for one in traffic.facts() if one.about == "write"][-1:]
    return facts.evidence[-1]


def test_the_last_value_says_until_when_readings_showed_it() -> None:
    traffic = Traffic().read(0).write(1, event())
    for at in (2, 4, 6, 8):
        traffic.read(at, item())
    found = last_evidence(traffic)
    assert (found.at, found.until, found.otherwise) == (NOW + 2, NOW + 8, None)


def test_a_reading_tells_the_fields_that_are_not_as_written() -> None:
    traffic = Traffic().read(0).write(1, event()).read(2, item(description="x", summary="Boards"))
    assert last_evidence(traffic).otherwise == {"summary": "Boards"}


def test_after_a_refusal_it_tells_the_fields_that_are_not_as_before() -> None:
    traffic = Traffic().read(0).write(1, event())
    for at in range(2, 30, 2):
        traffic.read(at, item())
    traffic.write(31, event(summary="Lunch"), status=422).read(32, item(summary="Lunch"))
    assert last_evidence(traffic).otherwise == {"summary": "Lunch"}


def test_a_later_page_names_the_reading_that_it_continues() -> None:
    page = "http://127.0.0.1/v1/events/pages/2"
    first = {"pages": {"current": 1, "total": 2, "next_page": page}, "events": []}
    traffic = Traffic().read(0).write(1, event()).add(2, "GET", f"{READ}&localized_times=true", None, 200, first)
    traffic.add(3, "GET", page, None, 200, {"pages": {"current": 2, "total": 2}, "events": [item()]})
    assert last_evidence(traffic).continues == f"{READ}&localized_times=true"
