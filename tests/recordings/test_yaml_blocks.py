"""Cassettes are read without the events of a parser where that means the same, and by the parser everywhere else."""

from __future__ import annotations

import io
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.recordings import yaml_stream
from conformance.recordings.yaml_blocks import ShortenedList, UnfitError, read_item
from conformance.recordings.yaml_stream import entries

LISTS = frozenset({"interactions"})
TEXTS = st.one_of(
    st.sampled_from(["", "~", "null", "12", "0.5", "<<", "a: b", "# c", "- d", "it's", 'W/"1"', "-", "*/*", "\\/"]),
    st.sampled_from(["a\nb", "a\n\nb\n", " e ", "\t", "é", "\U0001f600", "\u2028", "\x07", "\\ \\\n"]),
    st.sampled_from(['{"f": "g h i", "j": [1, null]} ' * 4, "word " * 30]),
)
KEYS = st.sampled_from(["body", "Content-Type", ":status", "true", "12", "null"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.sampled_from([None, True, 1, 2.5]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
ITEMS = st.fixed_dictionaries(
    {"request": st.fixed_dictionaries({"headers": VALUES, "body": TEXTS}), "response": VALUES}
)
STYLES = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([False, False, None]),
        "default_style": st.sampled_from([None, None, '"', "'", "|"]),
        "allow_unicode": st.booleans(),
        "width": st.sampled_from([40, 80]),
        "explicit_start": st.booleans(),
        "indent": st.sampled_from([2, 4]),
    }
)
#: What is written into a cassette somewhere: a place as a share of its length, and a text.
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(
            ["\n", "\n- ", "\n  ", "\n# ", "\n\t", "\n...\n", "'", '"', "\\", ": ", "&a ", "*a ", "!", "{", "\r"]
        ),
    ),
    max_size=2,
)


def outcome(parts: Any) -> tuple[list[str], str]:
    """What comes of a cassette: its parts, and the line of the error at its end."""
    found = []
    try:
        for key, value in parts:
            found.append(repr((key if isinstance(key, str) else "", value)))
    except yaml.MarkedYAMLError as error:
        return found, f"{error.problem} {error.problem_mark and error.problem_mark.line}"
    except (yaml.YAMLError, ValueError) as error:
        return found, str(error)
    return found, ""


@settings(max_examples=150, deadline=None)
@given(st.lists(ITEMS, max_size=4), STYLES, EDITS)
def test_a_cassette_means_what_the_parser_reads_in_it(
    items: list[dict[str, Any]], style: dict[str, Any], edits: list[tuple[float, str]]
) -> None:
    text = yaml.dump({"version": 1, "interactions": items, "end": "x"}, sort_keys=False, **style)
    for share, written in edits:
        at = int(share * len(text))
        text = text[:at] + written + text[at:]
    found, error = outcome(entries(io.StringIO(text, newline=""), LISTS))
    parsed, expected = outcome(yaml_stream._entries(yaml_stream._Loader(io.StringIO(text, newline="")), LISTS))
    assert error == expected
    # The parser looks ahead: it may find an error before it gives the item in front of it.
    assert found[: len(parsed)] == parsed
    assert found == parsed or expected


@pytest.mark.parametrize("width", [40, 80, 1_000])
def test_what_vcrpy_writes_needs_no_parser(width: int) -> None:
    item = {
        "request": {"body": '{"summary": "it\'s a \\"day\\""}\n', "headers": {"Accept": ["*/*"]}, "method": "POST"},
        "response": {
            "body": {"string": '{"events": [{"summary": "a b"}]} ' * 9},
            "status": {"code": 202, "message": None},
        },
    }
    assert read_item(yaml.dump([item], width=width), yaml_stream._plain) == item


@pytest.mark.parametrize(
    "item",
    [
        "b\n  - c",
        "b\n c: d",
        "|\n    b",
        "&b c",
        "b # c",
        "'b",
        "'b'c'",
        '"\\x41"',
        '"\\ud83d"',
        '"b"c"',
        "\n  b",
        "b\n  c",
        "[b]",
        "b:",
    ],
)
def test_what_is_not_written_plainly_is_for_the_parser(item: str) -> None:
    with pytest.raises(UnfitError):
        read_item(f"- a: {item}\n", yaml_stream._plain)


def test_the_parser_is_given_a_line_for_each_line_of_an_item_that_is_read_without_it() -> None:
    items = "- request:\n    body: x\n" * 3
    shortened = ShortenedList(
        io.StringIO(f"interactions:\n{items}end: 1\n"), LISTS, yaml_stream._plain, lambda _: True, yaml_stream._alone
    )
    given = "".join(iter(shortened.read, ""))
    assert given.count("\n") == items.count("\n") + 2
    assert "body" not in given
