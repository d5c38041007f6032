from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from cli_samples import call

from conformance.cli import explanation as explain
from conformance.contract import examples, schemas
from conformance.contract.rules import load, load_clauses


def test_every_rule_is_listed_on_a_line_with_its_level_and_clauses() -> None:
    lines = call("rules").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [rule.id for rule in load()]
    for line, rule in zip(lines, load(), strict=True):
        assert f" {rule.level} " in line
        assert ", ".join(rule.clauses) in line
        assert line.endswith(rule.title)


def test_the_list_as_json_says_the_same() -> None:
    said = json.loads(call("rules", "--json").stdout)
    assert [(rule["id"], rule["level"], rule["applies_to"], tuple(rule["clauses"])) for rule in said] == [
        (rule.id, rule.level, rule.applies_to, rule.clauses) for rule in load()
    ]


def test_a_rule_is_explained_with_its_condition_its_demand_its_clauses_and_examples() -> None:
    said = call("rules", "explicit-is-kept").stdout
    assert "\nIt applies where:\n  " in said
    assert "\nThen this holds:\n  " in said
    assert "\nIt is conclusive once:\n  " in said
    assert f"\n  B8 ({load_clauses()['B8']['section']}): {load_clauses()['B8']['about']}\n" in said


def test_what_no_rule_carries_of_a_clause_is_told_with_it() -> None:
    part = load_clauses()["A2"]["uncarried"]
    assert f"\n    no rule carries: {part}\n" in call("rules", "requests-go-to-a-documented-host").stdout


def test_an_example_kept_and_one_broken_are_shown_where_there_are_some() -> None:
    rule = load()[0]
    said = call("rules", rule.id).stdout
    assert "\nPassed, for example: " in said
    assert "\nFailed, for example: " in said


def test_one_rule_as_json_carries_its_schema_clauses_and_examples() -> None:
    rule = load()[0]
    said = json.loads(call("rules", rule.id, "--json").stdout)
    assert said["schema"] == schemas.read(f"rules/{rule.id}")
    assert [clause["id"] for clause in said["clauses"]] == list(rule.clauses)
    assert [(one["title"], one["expect"], one["facts"]) for one in said["examples"]] == [
        (example.title, example.expect, example.facts) for example in examples.load(rule.id)
    ]


@pytest.mark.parametrize("rule", load(), ids=lambda rule: rule.id)
def test_every_rule_can_be_explained(rule) -> None:
    said = explain.explanation(rule, load_clauses())
    assert said.startswith(f"{rule.title}\n{rule.id}: for the {rule.applies_to}, level {rule.level}\n")
    assert "no such clause" not in said


def test_drift_tells_each_difference_on_a_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Create or Update Event\n\nThe `conferencing` must be an object.\n")
    result = call("drift", page)
    assert result.exit_code == 1
    assert "D3: the page does not say this any more" in result.stdout
    assert "the page now says 'The conferencing must be an object.'" in result.stdout


def test_drift_of_what_is_no_text_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.pdf"
    page.write_bytes(b"%PDF\xff\xfe")
    result = call("drift", page)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is no text in UTF-8; save the page as Markdown or HTML" in result.stderr


def test_drift_of_an_empty_page_is_refused_in_a_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("\n \n")
    result = call("drift", page)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Error: {page} is empty; save the page as Markdown or HTML\n"


def test_drift_of_a_page_that_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heading = {"id": "D1", "digest": [hashlib.sha256(b"Brew Tea").hexdigest()]}
    monkeypatch.setattr(schemas, "read", lambda _: {"page": {"outline": [["D1"]], "aside": []}, "clauses": [heading]})
    page = tmp_path / "page.md"
    page.write_text("# Brew *Tea*\n")
    result = call("drift", page)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the same\n", "")
