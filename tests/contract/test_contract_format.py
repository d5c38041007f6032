"""The files of the contract are formatted, and compact."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from conformance.contract import schemas
from conformance.contract.format import COLUMNS, FormatError, files, formatted, main

FILES = files([])
ONE_STRING = re.compile(r'[\s\[{]*("(?:[^"\\]|\\.)*": ){0,9}"(?:[^"\\]|\\.)*"[\s\]},]*')

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
names = texts | st.sampled_from(["patch", "examples", "title", "$id", "properties", "required"])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5),
    max_leaves=25,
)


def lines(inside: str) -> int:
    """How many lines the files of a folder have."""
    return sum(path.read_text(encoding="utf-8").count("\n") for path in files([schemas.folder() / inside]))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text, "format it with: python -m conformance.contract.format"
    assert [line for line in text.splitlines() if len(line) > COLUMNS and not ONE_STRING.fullmatch(line)] == []


def test_rules_have_35_lines_and_examples_6_on_average() -> None:
    examples = sum(len(schemas.read(name)["examples"]) for name in schemas.names("examples"))
    assert lines("rules") <= 35 * len(schemas.names("rules"))
    assert lines("examples") <= 6 * examples


def test_an_operation_begins_a_line() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in files([schemas.folder() / "examples"]))
    assert [line for line in text.splitlines() if line.count('{"op": ') > 1] == []


@given(values)
def test_the_value_stays_the_same_and_formatting_again_changes_nothing(value: Any) -> None:
    text = formatted(json.dumps(value))
    assert exact(json.loads(text)) == exact(value)
    assert formatted(text) == text
    assert formatted(json.dumps(value, indent=3)) == text
    assert text.endswith("\n")
    assert not re.search(r"[ \t]\n", re.sub(r'"(?:[^"\\]|\\.)*"', '""', text))


def exact(value: Any) -> str:
    """A text that only the same values share: members in order, 1, 1.0 and true distinguished."""
    return json.dumps(value)


@pytest.mark.parametrize(
    "text",
    ["1.0", "1e5", "-0", "-0.0", "10000000000000000000000.50", '"é → ☎"', "null", "[]", "{}", '{"a": [], "b": {}}'],
)
def test_numbers_and_characters_stay_as_they_were_written(text: str) -> None:
    assert formatted(text) == f"{text}\n"


def test_invisible_characters_are_escaped() -> None:
    assert formatted('"\u00a0\u200b\\ud83d \\n \u2028"') == '"\\u00a0\\u200b\\ud83d \\n \\u2028"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "b": }', "line 2, column 7: this is not JSON: Expecting value"),
        ('{"a": 1, "b": 2, "a": 1}', "an object has 'a' twice: leave one of them out"),
        ("[NaN]", "NaN is not a JSON number: leave it out or write null"),
    ],
)
def test_text_that_is_not_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError) as found:
        formatted(text)
    assert str(found.value) == message


def test_members_are_laid_out_one_thought_a_line() -> None:
    rule = {
        "title": "A rule",
        "x-level": "must",
        "x-clauses": ["B8", "E5"],
        "if": {
            "required": ["asks", "start"],
            "properties": {"asks": {"const": "x" * 30}, "start": {"const": "y" * 30}},
        },
        "then": {"properties": {"after": {"properties": {"final": {"enum": ["z" * 30, "w" * 30]}}}}},
    }
    examples = [
        {"title": "It is so", "expect": "passed", "base": "usual", "patch": []},
        {"title": "It is not so " + "x" * 60, "expect": "failed", "base": "usual", "patch": [{"op": "remove"}]},
        {"title": "Two", "patch": [{"op": "remove"}, {"op": "remove"}]},
    ]
    assert formatted(json.dumps({"rule": rule, "examples": examples})).splitlines() == [
        "{",
        '  "rule": {',
        '    "title": "A rule",',
        '    "x-level": "must", "x-clauses": ["B8", "E5"],',
        '    "if": {"required": ["asks", "start"], "properties": {',
        f'      "asks": {{"const": "{"x" * 30}"}},',
        f'      "start": {{"const": "{"y" * 30}"}}',
        "    }},",
        '    "then": {"properties": {"after": {"properties": {',
        f'      "final": {{"enum": ["{"z" * 30}", "{"w" * 30}"]}}',
        "    }}}}",
        "  },",
        '  "examples": [',
        '    {"title": "It is so", "expect": "passed", "base": "usual", "patch": []},',
        f'    {{"title": "It is not so {"x" * 60}",',
        '     "expect": "failed", "base": "usual", "patch": [{"op": "remove"}]},',
        '    {"title": "Two", "patch": [',
        '      {"op": "remove"},',
        '      {"op": "remove"}',
        "    ]}",
        "  ]",
        "}",
    ]


def test_the_command_formats_files_and_names_them(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.json", tmp_path / "inner" / "wrong.json"
    wrong.parent.mkdir()
    right.write_text('{"a": 1}\n', encoding="utf-8")
    wrong.write_text('{"a":1}', encoding="utf-8")
    call = CliRunner().invoke

    checked = call(main, ["--check", str(tmp_path)])
    assert (checked.exit_code, checked.stdout) == (1, f"{wrong} is not formatted\n")
    assert wrong.read_text(encoding="utf-8") == '{"a":1}'

    written = call(main, [str(tmp_path)])
    assert (written.exit_code, written.stdout) == (0, f"{wrong} formatted\n")
    assert wrong.read_text(encoding="utf-8") == '{"a": 1}\n'

    again = call(main, ["--check", str(tmp_path)])
    assert (again.exit_code, again.output) == (0, "")


def test_the_command_refuses_a_file_that_is_not_json(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    ran = CliRunner().invoke(main, [str(tmp_path)])
    assert ran.exit_code == 2
    assert f"{tmp_path / 'a.json'}: line 1, column 2: this is not JSON" in ran.output
