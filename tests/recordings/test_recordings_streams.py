"""JSON and YAML read one value at a time hold what they hold when they are read whole."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.recordings import InvalidRecordingError, json_stream, read
from conformance.recordings.json_stream import JsonText
from conformance.recordings.yaml_stream import LIST_START, entries

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def streamed(text: str, piece: int) -> Any:
    """The object in a text, each of its lists read item by item, with `piece` bytes at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_PIECE", piece)
        reader = JsonText(io.BytesIO(text.encode()))
        found = {
            key: list(reader.items()) if reader.next_character() == "[" else reader.value() for key in reader.members()
        }
        reader.end()
        return found


@given(
    document=st.dictionaries(st.text(), values, max_size=4), piece=st.integers(1, 40), indent=st.sampled_from([None, 1])
)
@settings(max_examples=150, deadline=None)
def test_json_in_pieces_is_the_same_json(document: dict[str, Any], piece: int, indent: int | None) -> None:
    assert streamed(json.dumps(document, indent=indent), piece) == document
    assert streamed(json.dumps(document, ensure_ascii=False, indent=indent), piece) == document


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"log": {"entries": [\n{"a": 1},\n {"b" 2}]}}', "line 3 column 7"),
        ('{"log": {"entries": [\n{}\n{}]}}', "line 3 column 1"),
        ('{"log":\n\n  {"entries": [], }}', "line 3 column 19"),
        ('{"log": {"entries": [{"request": "' + "x" * 3000, "line 1 column 34"),
        ('{"log": {"entries": []}', "line 1 column 24"),
        ('{"log": {"entries": []}} x', "line 1 column 26"),
    ],
)
@pytest.mark.parametrize("piece", [2, 2**18])
def test_broken_json_is_named_where_it_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, place: str, piece: int
) -> None:
    monkeypatch.setattr(json_stream, "_PIECE", piece)
    path = tmp_path / "a.har"
    path.write_text(content)
    with pytest.raises(
        InvalidRecordingError, match=f"a.har(, entry 1)?, {place}: broken JSON|entry 1: request: expected"
    ):
        list(read(path))


def test_of_a_long_archive_a_part_is_in_memory(tmp_path: Path) -> None:
    content = {"size": 10_000, "mimeType": "text/plain", "text": "x" * 10_000}
    request = {"method": "GET", "url": "https://api.cronofy.com/v1/events", "headers": []}
    line = json.dumps({"request": request, "response": {"status": 200, "content": content}})
    path = tmp_path / "a.har"
    path.write_text('{"log": {"entries": [' + ",\n".join([line] * 4000) + "]}}")
    assert path.stat().st_size > 40 * 10**6
    tracemalloc.start()
    assert sum(1 for _ in read(path)) == 4000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20


def request(url: str, **headers: str) -> dict[str, object]:
    named = [{"name": name, "value": value} for name, value in {"Host": "a", **headers}.items()]
    return {"request": {"method": "GET", "url": url, "headers": named}, "response": {"status": 204}}


def test_an_authorization_far_behind_still_completes_an_archive(tmp_path: Path) -> None:
    here, there = "https://api.cronofy.com/v1/events", "https://elsewhere.example/"
    items = [request(there), *[request(here)] * 1500, request(here, Authorization="Bearer CRN_a-very-secret")]
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": items}}))
    assert [exchange.headers_complete for exchange in read(path)] == [False, *[True] * 1501]


def of_yaml(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in entries(io.StringIO(text), frozenset({"items"})):
        if value is LIST_START:
            found[str(key)] = []
        elif key == "items":
            found["items"].append(value)
        else:
            found[str(key)] = value
    return found


@given(document=st.dictionaries(st.text(min_size=1), values, max_size=4), flow=st.booleans())
@settings(max_examples=100, deadline=None)
def test_yaml_from_events_is_the_same_yaml(document: dict[str, Any], flow: bool) -> None:
    document = {f"a{key}": value for key, value in json.loads(json.dumps(document)).items()}
    assert of_yaml(yaml.safe_dump(document, default_flow_style=flow)) == document


def test_aliases_and_merges_are_followed() -> None:
    text = """
base: &base {a: 1, b: {c: [x]}}
other: &other {a: 2, d: 3}
items:
- &first {<<: *base, b: y}
- {<<: [*other, *base]}
- *first
- "<<"
- ! 12
- !!str 12
- !!binary YWJj
"""
    found = of_yaml(text)
    assert found["items"] == [
        {"a": 1, "b": "y"},
        {"a": 2, "b": {"c": ["x"]}, "d": 3},
        {"a": 1, "b": "y"},
        "<<",
        "12",
        "12",
        b"abc",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: *nothing", "an alias of 'nothing', which stands nowhere before it"),
        ("a: {<<: 5}", "a merge of what is no mapping"),
        ("a: {{b: 1}: 2}", "a key that is no text"),
        ("a: !!binary ü", "no base64"),
        ("a: !!python/name:os.system x", "a value of the type tag:yaml.org,2002:python/name:os.system"),
    ],
)
def test_yaml_that_has_no_value_is_refused(text: str, problem: str) -> None:
    with pytest.raises(yaml.MarkedYAMLError, match=problem):
        of_yaml(text)
