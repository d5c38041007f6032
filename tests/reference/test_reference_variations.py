"""Legal variations keep the documented rules, alone and in pairs."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

import pytest
from reference_probe import DAY, Probe, calendar_of, event, explicit

from conformance.reference import INVENTORY, VARIATIONS
from conformance.reference.calls import Answer
from conformance.reference.variations.generation import normalised

PAIRS = random.Random(7).sample(sorted(combinations(VARIATIONS, 2)), 150)
SERVICES = {"zoom", "whereby"}


class PatientProbe(Probe):
    """Repeats a call that is answered with 429 or 503."""

    def call(self, *args: Any, **more: Any) -> Answer:
        while True:
            answer = super().call(*args, **more)
            if answer.status not in (429, 503):
                return answer


def join_url(conferencing: Any) -> str | None:
    return conferencing.get("join_url") if isinstance(conferencing, dict) else None


def keeps_the_rules(*variations: str) -> None:
    probe = PatientProbe(variations=variations)
    work, bare = calendar_of("profiles", "Work"), calendar_of("profiles", "Without Meet")
    url = "https://Meet.example.com/Room/A?x=%2F"
    profile = {"profile_id": INVENTORY.by_name["profiles"].profiles[0].profile_id}
    requested = {
        "explicit": explicit(url),
        "default": {"profile_id": "default"},
        "integrated": {"profile_id": "integrated"},
        "named": profile,
        "8x8": {"profile_id": "8x8"},
        "none": {"profile_id": "none"},
    }
    for name, conferencing in requested.items():
        assert probe.write("profiles", work, event(name, conferencing)).status // 100 == 2
    probe.write("profiles", work, event("past", {"profile_id": "default"}, starts_in=-3 * DAY))
    refused = probe.write("profiles", bare, event("refused", {"profile_id": "integrated"}))
    probe.wait(20)
    first = {each["event_id"]: each for each in probe.read("profiles")}

    assert normalised(join_url(first["explicit"]["conferencing"]) or "") == normalised(url)
    assert first["default"]["conferencing"]["provider_name"] in SERVICES
    assert first["named"]["conferencing"]["provider_name"] in SERVICES
    assert first["integrated"]["conferencing"]["provider_name"] == "google_meet"
    assert {name for name, each in first.items() if join_url(each.get("conferencing"))} == {
        "explicit",
        "default",
        "integrated",
        "named",
    }
    assert "refused" not in first
    assert refused.status == 422
    keys = {each["key"] for each in refused.body["errors"]["conferencing.profile_id"]}
    assert "errors.integrated_conferencing_not_available" in keys

    for name in ("explicit", "default", "integrated"):
        probe.write("profiles", work, event(name, description="Another"))
    probe.write("profiles", work, event("named", {"profile_id": "none"}))
    probe.wait(20)
    second = {each["event_id"]: each for each in probe.read("profiles")}

    for name in ("explicit", "default", "integrated"):
        assert join_url(second[name]["conferencing"]) == join_url(first[name]["conferencing"])
    assert join_url(second["named"].get("conferencing")) is None

    for name in first:
        assert probe.delete("profiles", work, name).status // 100 == 2
    probe.wait(20)
    assert probe.read("profiles") == []


def test_the_server_without_variations_keeps_the_rules() -> None:
    keeps_the_rules()


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_variation_keeps_the_rules(name: str) -> None:
    keeps_the_rules(name)


def test_random_pairs_of_variations_keep_the_rules() -> None:
    for pair in PAIRS:
        keeps_the_rules(*pair)


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_variation_loses_and_repeats_no_event(name: str) -> None:
    probe = PatientProbe(variations=(name,), page_size=3)
    work = calendar_of("default", "Work")
    for number in range(7):
        probe.write("default", work, event(f"Event-{number}", starts_in=number * DAY + DAY))
    probe.wait(20)
    listed = [each["event_id"] for each in probe.read("default")]

    assert sorted(listed) == [f"Event-{number}" for number in range(7)]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://meet.example.com", "https://meet.example.com/"),
        ("HTTPS://User@Meet.Example.COM:443/A", "https://User@meet.example.com/A"),
        ("http://meet.example.com:80/%7euser/%2F?q=%41", "http://meet.example.com/~user/%2F?q=A"),
        ("http://meet.example.com:8080/a#B%2d", "http://meet.example.com:8080/a#B-"),
    ],
)
def test_equivalent_urls_have_one_normal_form(url: str, expected: str) -> None:
    assert normalised(url) == expected


def test_pending_is_never_shown_without_pending() -> None:
    probe = Probe(variations=("no-pending",))
    work = calendar_of("default", "Work")
    probe.write("default", work, event("a", {"profile_id": "default"}))
    assert "conferencing" not in probe.event("a")
    probe.wait(2)
    assert probe.event("a")["conferencing"]["provider_name"] == "google_meet"


def test_a_stale_read_is_right_in_the_end() -> None:
    probe = Probe(variations=("stale-reads",))
    work = calendar_of("default", "Work")
    probe.write("default", work, event("a", explicit("https://meet.example.com/1")))
    assert probe.read() == []
    probe.wait(1)
    assert probe.event("a")["conferencing"] == {"pending": True}
    probe.wait(1)
    assert probe.event("a")["conferencing"]["join_url"] == "https://meet.example.com/1"
