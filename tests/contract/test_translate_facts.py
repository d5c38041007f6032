"""Facts documents in the words before version 0.2 can be read in today's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from translate_facts import MEMBERS, VALUES, translated

from conformance import judge
from conformance.contract import examples, schemas
from conformance.facts import Facts

WRITE = {
    "about": "write",
    "event_id": "e",
    "asks": "nothing",
    "plain": True,
    "outcome": "accepted",
    "request": {"method": "POST", "json": {"asks": "nothing", "seen": ["final"]}},
    "before": {"state": "settling", "origin": "explicit", "asked": "none"},
    "resolves": {"to": "profile", "foreign": False},
    "creates": False,
    "changes": ["summary"],
    "after": {
        "ended": "quiet",
        "readings": 2,
        "watched": True,
        "seen": [
            {
                "state": "assigned",
                "conferencing": {"join_url": "u"},
                "as_written": ["summary"],
                "location": "as_written",
            }
        ],
        "newest": {"state": "assigned", "conferencing": {"join_url": "u"}, "join_url_of_another_event": "asked"},
        "final": {"state": "assigned", "conferencing": {"join_url": "u"}, "provider_name_left_over": True},
        "stayed": True,
    },
}
WRITE_TODAY = {
    "about": "write",
    "event_id": "e",
    "requested": "omitted",
    "otherwise_valid": True,
    "outcome": "accepted",
    "request": {"method": "POST", "json": {"asks": "nothing", "seen": ["final"]}},
    "before": {"state": "in_progress", "requested_as": "explicit", "pending_request": "none"},
    "resolution": {"source": "profile", "other_account": False},
    "is_create": False,
    "changed_fields": ["summary"],
    "after": {
        "closed_by": "stable",
        "read_count": 2,
        "window_elapsed": True,
        "observed": [
            {
                "state": "assigned",
                "conferencing": {"join_url": "u"},
                "matching_fields": ["summary"],
                "location": "as_sent",
            }
        ],
        "latest": {"state": "assigned", "conferencing": {"join_url": "u"}, "join_url_shared_with": "explicit"},
        "settled": {"state": "assigned", "conferencing": {"join_url": "u"}, "provider_name_is_stale": True},
        "remained": True,
    },
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (WRITE, WRITE_TODAY),
        ({"about": "exchange", "access": "granted"}, {"about": "exchange", "token": "accepted"}),
        (
            {"about": "ask", "do": "upsert_event", "asks": "nothing", "told": {"asks": "nothing"}, "given": None},
            {"about": "call", "operation": "upsert_event", "requested": "omitted", "reported": {"asks": "nothing"},
             "returned": None},
        ),
        (
            {"about": "reading", "finished": True, "listing": [{"foreign": True}], "flags": {"windowed": False}},
            {"about": "reading", "all_pages_read": True, "listing": [{"other_account": True}],
             "flags": {"time_filtered": False}},
        ),
        ({"about": "account", "asked_for_conferencing": 3}, {"about": "account", "conferencing_requests": 3}),
        ({"about": "conferencing", "conferencing": {"to": 1}}, {"about": "conferencing", "conferencing": {"to": 1}}),
    ],
)  # fmt: skip
def test_members_and_values_get_the_words_of_today(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert translated(old) == new


def test_a_document_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="about is 'life', expected one of: write, account"):
        translated({"about": "life"})


@pytest.mark.parametrize("kind", MEMBERS)
def test_every_word_of_today_is_a_described_fact(kind: str) -> None:
    described = json.dumps(schemas.read(f"facts/{'call' if kind == 'ask' else kind}"))
    values = {new for table in VALUES.get(kind, {}).values() for new in table.values()}
    assert [word for word in {*MEMBERS[kind].values(), *values} if f'"{word}"' not in described] == []


def test_a_translated_document_is_valid() -> None:
    validator = Draft202012Validator(schemas.read("facts/write"), registry=schemas.registry())
    assert [error.message for error in validator.iter_errors(translated(WRITE))] == []


def test_the_script_prints_translated_documents(tmp_path: Path) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    files[0].write_text(json.dumps(WRITE))
    files[1].write_text('{"about": "life"}')
    script = [sys.executable, str(Path(__file__).with_name("translate_facts.py"))]
    done = subprocess.run([*script, str(files[0])], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == WRITE_TODAY
    refused = subprocess.run([*script, str(files[1])], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def test_a_document_alone_is_judged_like_one_that_was_observed() -> None:
    for example in examples.load("explicit-is-kept"):
        document = example.facts
        assert judge(document) == judge(Facts("write", ("write",), document, (), closed=True))


@pytest.mark.parametrize("about", [None, "writes", 7])
def test_a_document_of_no_kind_is_refused(about: object) -> None:
    with pytest.raises(ValueError, match="cannot be about"):
        judge({"about": about})
