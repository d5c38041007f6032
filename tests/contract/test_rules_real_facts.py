"""The facts that real traffic gives are those that `schemas/facts/` describes."""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import cache

import pytest
from jsonschema import Draft202012Validator
from rules_knowledge import is_facts
from rules_traffic import traffic

from conformance.contract.schemas import read, registry
from conformance.facts import Facts

_CRAFTED = (
    *("pending-as-string", "assigned-without-provider", "assigned-with-null-url", "availability-as-string"),
    *("next-page-at-another-origin", "unavailable-without-body", "errors-as-text", "explicit-url-of-another-event"),
    "crash-on-8x8",
)
_SLOW = ("8x8-forbidden", "integrated-keeps-another-service-until-it-is-there")


@cache
def _facts(faults: tuple[str, ...]) -> tuple[Facts, ...]:
    return tuple(asyncio.run(traffic(faults)))


@pytest.mark.parametrize("faults", [(), _CRAFTED, _SLOW], ids=["right", "failed", "slow"])
def test_facts_of_traffic_are_as_described(faults: tuple[str, ...]) -> None:
    wrong = Counter(
        (facts.about, error.message, error.json_path)
        for facts in _facts(faults)
        if not is_facts(facts.document)
        for error in Draft202012Validator(read(f"facts/{facts.about}"), registry=registry()).iter_errors(facts.document)
    )
    assert wrong == {}


def test_the_traffic_tells_all_that_is_told_of_a_write() -> None:
    told = [facts.document for faults in ((), _CRAFTED, _SLOW) for facts in _facts(faults) if facts.about == "write"]
    schema = read("facts/write")

    def seen(name: str) -> set[str]:
        return {part for document in told for part in document.get(name, {})}

    def sights() -> set[str]:
        after = [document["after"] for document in told]
        every = [one[name] for one in after for name in ("latest", "stable", "settled") if name in one]
        return {
            part for one in [*every, *(sight for one in after for sight in one.get("observed", ()))] for part in one
        }

    assert {name for document in told for name in document} == set(schema["properties"])
    for name in ("resolution", "before", "after"):
        assert seen(name) == set(schema["properties"][name]["properties"])
    assert seen("calendar") == set(schema["$defs"]["calendar"]["properties"])
    assert sights() == set(schema["$defs"]["observation"]["properties"])


def test_the_traffic_is_about_everything_that_rules_on_servers_are_about() -> None:
    assert {facts.about for facts in _facts(())} == {
        *("write", "conferencing", "reading", "directory", "exchange", "account")
    }
