"""Objects whose members come again: whatever is written in them, they are read as `json` reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.recordings.shared_members import SharedMembers

ENTRY = '{"time": 1, "request": {"url": "a"}, "response": {"status": 200}, "cache": {}}'

_TEXTS = st.sampled_from(["", "a", '"', '", "response": ', '}, "cache": {', "\\", "é"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | _TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["request", "response", "a"]), inner),
    max_leaves=6,
)
_ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"time": st.integers(0, 3)},
        optional={"request": _VALUES, "response": _VALUES, "cache": _VALUES, "timings": _VALUES},
    ),
    min_size=2,
    max_size=6,
)


@given(_ENTRIES, st.sampled_from([None, 0, 1]), st.sampled_from([(", ", ": "), (",", ":"), (" ,\n", " : ")]))
def test_objects_are_read_as_json_reads_them(
    entries: list[dict[str, Any]], indent: int | None, separators: tuple[str, str]
) -> None:
    read = SharedMembers("request", "response")
    for entry in [*entries, *entries]:
        text = json.dumps(entry, indent=indent, separators=separators)
        assert repr(read(text)) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"time": 1, "response": {"status": 200}, "request": {"url": "a"}, "cache": {}}',
        '{"time": {"request": {"url": "b"}, "response": {}, "cache": 1}, "request": {}, "response": {}, "cache": {}}',
        '{"time": 1, "request": {"url": "a", "response": {}, "cache": 2}, "response": {"status": 1}, "cache": {}}',
        '{"time": 1, "request": {"url": "a"}, "response": {"status": 200}, "cache": {}, "request": 3}',
        '{"time": 1, "request": {"url": "a"}, "response": {"status": 200}, "cache": {}, "response": 3}',
        '{"time": 1, "request": {"url": "\\"}, \\"response\\": {"}, "response": {"status": 200}, "cache": {}}',
        '{"time": 1, "request": {"url": "a"}}',
        "{}",
    ],
)
def test_an_object_that_is_written_otherwise_than_the_first_is_read_as_a_whole(text: str) -> None:
    read = SharedMembers("request", "response")
    read(ENTRY)
    assert read(text) == json.loads(text)
    assert read(ENTRY) == json.loads(ENTRY)


@pytest.mark.parametrize(
    "broken",
    [
        '{"time": 1, "request": {"url": }, "response": {"status": 200}, "cache": {}}',
        '{"time": 1, "request": {"url": "a"}, "response": {"status": 200, "cache": {}}',
        '{"time": , "request": {"url": "a"}, "response": {"status": 200}, "cache": {}}',
        '{"time": 1, "request": {"url": "a"}, "response": {"status": 200}, "cache": {}} }',
    ],
)
def test_what_is_no_json_is_refused(broken: str) -> None:
    read = SharedMembers("request", "response")
    read(ENTRY)
    with pytest.raises(ValueError):
        read(broken)
    assert read(ENTRY) == json.loads(ENTRY)


def test_members_that_come_again_are_one_object() -> None:
    read = SharedMembers("request", "response")
    first, other, again = read(ENTRY), read(ENTRY.replace('"a"', '"b"')), read(ENTRY)
    assert first["request"] is again["request"]
    assert first["response"] is other["response"] is again["response"]
    assert other["request"] == {"url": "b"}
