from __future__ import annotations

import hashlib
import io
import json
import sys
from pathlib import Path

import jsonschema
import pytest
from cli_samples import call, error
from referencing import Registry, Resource

from conformance.cli import explanation
from conformance.contract import examples, schemas
from conformance.contract.rules import load, load_clauses
from conformance.contract.selection import contract


def test_every_rule_is_listed_on_a_line_with_its_level_and_clauses() -> None:
    lines = call("rules").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [rule.id for rule in load()]
    for line, rule in zip(lines, load(), strict=True):
        assert f" {rule.level} " in line
        assert ", ".join(rule.clauses) in line
        assert line.endswith(rule.title)


def test_on_a_terminal_every_rule_is_a_row_of_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    explanation.print_table(load())
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 120
    assert {rule.id for rule in load()} <= {line.split()[0] for line in lines}
    text = " ".join(" ".join(lines).split())
    assert [rule.title for rule in load() if len(rule.title) < 60 and rule.title not in text] == []


def test_a_table_is_shown_where_the_terminal_has_no_such_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream, "ascii"))
    explanation.print_table(load())
    assert b"explicit-is-kept" in stream.getvalue()


def test_the_contract_is_one_document_that_a_program_can_judge_by() -> None:
    document = json.loads(call("rules", "--format", "json").stdout)
    assert document["contract"] == contract()
    assert [(rule["id"], rule["level"], rule["applies_to"], tuple(rule["clauses"])) for rule in document["rules"]] == [
        (rule.id, rule.level, rule.applies_to, rule.clauses) for rule in load()
    ]
    assert set(document["clauses"]) == set(load_clauses())
    registry = Registry().with_resources(
        [(uri, Resource.from_contents(shared)) for uri, shared in document["schemas"].items()]
    )
    for rule in document["rules"][::10]:  # by the document alone, its examples come out as they say
        for example in rule["examples"]:
            holds = [
                jsonschema.Draft202012Validator({"$id": rule["schema"]["$id"], **part}, registry=registry).is_valid(
                    example["facts"]
                )
                for part in (rule["schema"]["if"], rule["schema"]["then"], rule["schema"].get("x-conclusive-when", {}))
            ]
            expected = {
                (False,): "inapplicable",
                (True, False): "failed",
                (True, True, False): "inconclusive",
                (True, True, True): "passed",
            }
            ends = next((tuple(holds[: n + 1]) for n, held in enumerate(holds) if not held), tuple(holds))
            assert expected[ends] == example["expect"], (rule["id"], example["title"])


def test_a_rule_is_explained_with_its_three_schemas_and_its_clauses() -> None:
    output = call("rules", "explicit-is-kept").stdout
    assert "\nIt applies if:\n  " in output
    assert "\nThen this holds:\n  " in output
    assert "\nA pass is conclusive if:\n  " in output
    assert f"\n  B8 ({load_clauses()['B8']['section']}): {load_clauses()['B8']['about']}\n" in output


def test_the_part_of_a_clause_that_no_rule_carries_is_shown_with_it() -> None:
    part = load_clauses()["A2"]["uncarried"]
    assert f"\n    no rule carries: {part}\n" in call("rules", "requests-go-to-a-documented-host").stdout


def test_a_passed_and_a_failed_example_are_shown() -> None:
    rule = load()[0]
    output = call("rules", rule.id).stdout
    assert "\nPassed, for example: " in output
    assert "\nFailed, for example: " in output


def test_one_rule_is_the_same_document_with_that_rule_alone() -> None:
    rule = load()[0]
    document = json.loads(call("rules", rule.id, "--format", "json").stdout)
    assert [one["schema"] for one in document["rules"]] == [schemas.read(f"rules/{rule.id}")]
    assert set(document["clauses"]) == set(rule.clauses)
    assert [(one["title"], one["expect"], one["facts"]) for one in document["rules"][0]["examples"]] == [
        (example.title, example.expect, example.facts) for example in examples.load(rule.id)
    ]


def test_an_unknown_format_is_answered_with_the_known_ones() -> None:
    assert error("rules", "--format", "yaml").startswith("Invalid value for '--format': 'yaml' is unknown; there is")


@pytest.mark.parametrize("rule", load(), ids=lambda rule: rule.id)
def test_every_rule_can_be_explained(rule) -> None:
    output = explanation.explanation(rule, load_clauses())
    assert output.startswith(f"{rule.title}\n{rule.id}: applies to the {rule.applies_to}, level {rule.level}\n")
    assert "no such clause" not in output


def test_drift_has_a_line_for_each_difference(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Create or Update Event\n\nThe `conferencing` must be an object.\n")
    result = call("drift", page)
    assert result.exit_code == 1
    assert "D3: the page does not say this any more" in result.stdout
    assert "the page now says 'The conferencing must be an object.'" in result.stdout


def test_drift_of_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.pdf"
    page.write_bytes(b"%PDF\xff\xfe")
    result = call("drift", page)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is not UTF-8 text; save the page as Markdown or HTML" in result.stderr


def test_drift_of_an_empty_page_is_refused_in_a_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("\n \n")
    result = call("drift", page)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: {page} is empty; save the page as Markdown or HTML\n"


def test_drift_of_an_unchanged_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heading = {"id": "D1", "digest": [hashlib.sha256(b"Brew Tea").hexdigest()]}
    monkeypatch.setattr(schemas, "read", lambda _: {"page": {"outline": [["D1"]], "aside": []}, "clauses": [heading]})
    page = tmp_path / "page.md"
    page.write_text("# Brew *Tea*\n")
    result = call("drift", page)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the same\n", "")
