"""JSON is read as Python's own reader reads it: what is quicker changes no value, and accepts nothing else."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from conformance.http.json_text import parsed
from conformance.recordings import json_stream
from conformance.recordings.json_stream import JsonText

ODD = [
    "NaN", "-Infinity", "1e999", "-0.0", "123456789012345678901234567890", '"\\ud800"', '"é\\u0000"',
    '{"a": 1, "a": 2}', " 1 ", "", "01", "1.", "[1,]", '{"a": 1,}', '"\x01"', "1 2", "1" * 5_000, "[" * 100_000,
]  # fmt: skip


def outcome(read: Any, text: str | bytes) -> str:
    try:
        return repr(read(text))
    except (ValueError, RecursionError) as error:
        return type(error).__name__


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_text_is_read_as_by_json(text: str) -> None:
    assert outcome(parsed, text) == outcome(json.loads, text)
    assert outcome(parsed, text.encode()) == outcome(json.loads, text)


def test_bytes_are_read_as_utf_8_alone() -> None:
    assert outcome(parsed, b'"\xff"') == "UnicodeDecodeError"
    assert outcome(parsed, "[1]".encode("utf-16")) == "UnicodeDecodeError"


#: Items whose texts and parts look like what stands between two of them.
ITEMS: list[Any] = [
    {"a": 1, "b": '}, {"a"'},
    {"a": '},{"a": 2}, {"a"', "b": [{"a": 1}, {"a": [{"a": 2}, {"a": 3}]}]},
    {"a": {"a": "\\"}, "c": "é\ud800"},
    {"b": [], "a": 12345678901234567890123},
    [{"a": 1}, {"a": 2}],
    "} , {",
    {"a": None},
    {"a": 2.5},
]


@pytest.mark.parametrize("piece", [1, 7, 64, 2**18])
@pytest.mark.parametrize("how", [{}, {"indent": 1}, {"separators": (",", ":")}], ids=["plain", "indented", "dense"])
@pytest.mark.parametrize("first", range(len(ITEMS)))
def test_items_are_told_apart_wherever_a_piece_ends(
    piece: int, how: dict[str, Any], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_stream, "_PIECE", piece)
    items = (ITEMS[first:] + ITEMS[:first]) * 2
    text = JsonText(io.BytesIO(json.dumps(items, **how).encode()))
    assert list(text.items()) == items
    text.end()


def test_a_list_that_is_cut_off_is_no_list() -> None:
    whole = json.dumps(ITEMS[:3]).encode()
    for end in range(1, len(whole)):
        with pytest.raises(json.JSONDecodeError):
            list(JsonText(io.BytesIO(whole[:end])).items())
