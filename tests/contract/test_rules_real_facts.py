"""The facts of real traffic are as `schemas/facts/` describes them."""

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
    *(
        "next-page-at-another-origin",
        "unavailable-integrated-without-body",
        "errors-as-text",
        "explicit-url-of-another-event",
    ),
    "crash-on-8x8",
)
_SLOW = ("8x8-forbidden", "integrated-keeps-another-service-until-it-is-there")
_MOVING = ("settled-url-changes-by-itself", "omitted-changes-generated-url")


@cache
def _facts(faults: tuple[str, ...]) -> tuple[Facts, ...]:
    return tuple(asyncio.run(traffic(faults)))


@pytest.mark.parametrize("faults", [(), _CRAFTED, _SLOW, _MOVING], ids=["right", "failed", "slow", "moving"])
def test_facts_of_traffic_are_as_described(faults: tuple[str, ...]) -> None:
    wrong = Counter(
        (facts.about, error.message, error.json_path)
        for facts in _facts(faults)
        if not is_facts(facts.document)
        for error in Draft202012Validator(read(f"facts/{facts.about}"), registry=registry()).iter_errors(facts.document)
    )
    assert wrong == {}


def test_the_traffic_gives_every_fact_of_a_write() -> None:
    every = (facts for faults in ((), _CRAFTED, _SLOW, _MOVING) for facts in _facts(faults))
    documents = [facts.document for facts in every if facts.about == "write"]
    schema = read("facts/write")

    def members(name: str) -> set[str]:
        return {part for document in documents for part in document.get(name, {})}

    def sights() -> set[str]:
        after = [document["after"] for document in documents]
        every = [one[name] for one in after for name in ("latest", "stable", "settled") if name in one]
        return {
            part for one in [*every, *(sight for one in after for sight in one.get("observed", ()))] for part in one
        }

    assert {name for document in documents for name in document} == set(schema["properties"])
    for name in ("resolution", "before", "after"):
        assert members(name) == set(schema["properties"][name]["properties"])
    assert members("calendar") == set(schema["$defs"]["calendar"]["properties"])
    assert sights() == set(schema["$defs"]["observation"]["properties"])


def test_the_traffic_gives_every_kind_of_facts_that_server_rules_read() -> None:
    assert {facts.about for facts in _facts(())} == {
        *("write", "batched_write", "notification", "conferencing"),
        *("reading", "directory", "exchange", "account"),
    }
