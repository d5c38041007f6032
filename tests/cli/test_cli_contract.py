"""Rules that are new in a release can be held back: --contract VERSION."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cli_samples import call, error, har

from conformance.contract import selection
from conformance.contract.rules import load
from conformance.errors import UsageError

NEW = "explicit-is-kept"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later release, in which one rule is new."""
    rules = tuple(
        replace(rule, schema={**rule.schema, "x-since": "0.10.0"}) if rule.id == NEW else rule for rule in load()
    )
    monkeypatch.setattr(selection, "load", lambda: rules)
    monkeypatch.setattr(selection, "VERSION", "0.10.0")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return har(tmp_path / "broken.har", shown_url="https://other.example.com/")


def test_a_rule_that_is_newer_than_the_contract_does_not_fail_anybody(later: None, broken: Path) -> None:
    ours, held = (
        json.loads(call("check", broken, *version, "--report", "json:-").stdout)
        for version in ((), ("--contract", "0.9.3"))
    )
    failed = [{rule["id"] for rule in report["rules"] if rule["outcome"] == "failed"} for report in (ours, held)]
    assert failed[0] - failed[1] == {NEW}
    assert failed[1] < failed[0]
    assert (ours["contract"]["version"], held["contract"]["version"]) == ("0.10.0", "0.9.3")
    assert ours["contract"]["sha256"] != held["contract"]["sha256"]


def test_naming_a_rule_that_is_newer_is_refused(later: None, broken: Path) -> None:
    assert error("check", broken, "--contract", "0.2.0", "--rule", NEW) == (
        f"--rule {NEW} is new in the contract 0.10.0; leave out --contract 0.2.0"
    )


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("9.0.0", "--contract 9.0.0 is newer than this tool, which is 0.1.0; install 9.0.0"),
        ("0.0.9", "--contract 0.0.9 is older than the first version, 0.1.0"),
        ("v1", "--contract 'v1' is no version; give one such as 0.1.0"),
        ("1.0.0\n", "--contract '1.0.0\\n' is no version; give one such as 0.1.0"),
    ],
)
def test_a_version_that_is_not_known_is_refused_in_a_line(version: str, message: str, broken: Path) -> None:
    assert error("check", broken, "--contract", version) == message


def test_the_contract_as_of_this_release_is_this_release() -> None:
    assert selection.contract(selection.VERSION) == selection.contract()
    with pytest.raises(UsageError):
        selection.contract("9.0.0")


def test_evidence_that_was_judged_by_a_held_contract_is_verified_by_it(tmp_path: Path) -> None:
    report, evidence = tmp_path / "r.json", tmp_path / "e.ndjson"
    call("run", "--max-examples", 0, "--contract", "0.1.0", "--rule", NEW, "--report", report, "--evidence", evidence)
    assert call("verify", report, evidence).stdout == "the same\n"
