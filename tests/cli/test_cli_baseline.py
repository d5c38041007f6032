"""Known failures: they do not count, new ones do, and entries whose failures are gone fail until they are deleted."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli_samples import EXPLICIT, call, error, har

from conformance.contract import schemas

RULE = "explicit-is-kept"
OTHER_URL = "https://other.example.com/"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    return har(tmp_path / "broken.har", shown_url=OTHER_URL)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return har(tmp_path / "sound.har")


@pytest.fixture
def baseline(broken: Path, tmp_path: Path) -> Path:
    path = tmp_path / "baseline.toml"
    result = call("check", broken, "--baseline", path, "--write-baseline")
    assert result.exit_code == 0, result.output
    return path


def entries(path: Path) -> list[dict[str, Any]]:
    known: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["known"]
    return known


def test_what_fails_is_written_and_does_not_count_any_more(broken: Path, baseline: Path) -> None:
    assert call("check", broken).exit_code == 1
    assert RULE in {entry["rule"] for entry in entries(baseline)}
    assert {entry["reason"] for entry in entries(baseline)} == {"not explained yet"}
    result = call("check", broken, "--baseline", baseline)
    assert result.exit_code == 0
    assert result.stdout.endswith("Outcome: passed. Exit code 0: nothing failed but what baseline.toml knows.\n")
    assert f"Known failure: {RULE} " in result.stdout
    assert "\nFailures\n" not in result.stdout


def test_an_entry_whose_failure_is_gone_fails_with_its_own_sentence(sound: Path, baseline: Path) -> None:
    result = call("check", sound, "--baseline", baseline, "--report", "json:-")
    assert result.exit_code == 1
    count = len(entries(baseline))
    subject = "1 entry of baseline.toml is stale" if count == 1 else f"{count} entries of baseline.toml are stale"
    assert (
        f"Outcome: failed. Exit code 1: {subject}, because the failure is gone ({entries(baseline)[0]['cause']}"
        in result.stderr
    )
    document = json.loads(result.stdout)
    jsonschema.Draft202012Validator(schemas.read("report")).validate(document)
    assert [entry["cause"] for entry in document["baseline"]["stale"]] == [one["cause"] for one in entries(baseline)]


def test_a_stale_entry_goes_when_the_file_is_written_again_and_reasons_stay(
    broken: Path, sound: Path, baseline: Path
) -> None:
    baseline.write_text(baseline.read_text().replace("not explained yet", 'Ticket \\"7\\", é\\u007f'))
    written = baseline.read_text()
    call("check", broken, "--baseline", baseline, "--write-baseline")
    assert (baseline.read_text(), entries(baseline)[0]["reason"]) == (written, 'Ticket "7", é\x7f')
    assert call("check", sound, "--baseline", baseline, "--write-baseline").exit_code == 0
    assert "known" not in tomllib.loads(baseline.read_text())


def test_an_entry_that_was_not_exercised_is_left_alone(sound: Path, baseline: Path) -> None:
    assert call("check", sound, "--baseline", baseline, "--rule", "requests-carry-a-bearer-token").exit_code == 0
    baseline.write_text(baseline.read_text().replace("cases = [", 'cases = ["back-to-back", '))
    assert call("check", sound, "--baseline", baseline, "--rule", RULE).exit_code == 0


def test_a_new_cause_of_a_known_rule_counts_and_alone_is_shown(broken: Path, baseline: Path) -> None:
    text = baseline.read_text()
    baseline.write_text(text.replace(f'cause = "{RULE} ', f'cause = "{RULE} another '))
    result = call("check", broken, "--baseline", baseline, "--report", "json:-")
    assert result.exit_code == 1
    failed = [rule for rule in json.loads(result.stdout)["rules"] if rule["outcome"] == "failed"]
    new = {rule["id"] for rule in failed for violation in rule["violations"] if "known" not in violation}
    assert new == {RULE}
    assert f"error title={RULE}" in workflow_commands(broken, baseline)


def workflow_commands(recording: Path, baseline: Path) -> str:
    """The annotations that a check leaves, which are of what counts alone."""
    return call("check", recording, "--baseline", baseline, "--report", "json:-", env={"GITHUB_ACTIONS": "true"}).stderr


def test_after_its_last_day_an_entry_counts_again(broken: Path, baseline: Path) -> None:
    text = baseline.read_text()
    baseline.write_text(text.replace("[[known]]", "[[known]]\nuntil = 2001-01-01"))
    result = call("check", broken, "--baseline", baseline)
    assert result.exit_code == 1
    assert f"Known until 2001-01-01, and counts again: {RULE} " in result.stdout
    call("check", broken, "--baseline", baseline, "--write-baseline")
    assert "until = 2001-01-01" in baseline.read_text()
    baseline.write_text(text.replace("[[known]]", "[[known]]\nuntil = 2999-01-01"))
    assert call("check", broken, "--baseline", baseline).exit_code == 0


def test_a_known_failure_is_skipped_in_junit_and_marked_in_json(broken: Path, baseline: Path) -> None:
    xml = call("check", broken, "--baseline", baseline, "--report", "junit:-").stdout
    assert 'message="known failure: the baseline has its reason"' in xml
    assert "<failure" not in xml
    document = json.loads(call("check", broken, "--baseline", baseline, "--report", "json:-").stdout)
    jsonschema.Draft202012Validator(schemas.read("report")).validate(document)
    failed = [rule for rule in document["rules"] if rule["outcome"] == "failed"]
    assert {violation.get("known") for rule in failed for violation in rule["violations"]} == {True}
    assert document["warnings"] == []


def test_the_evidence_of_a_run_gives_the_same_report_and_no_example_of_what_is_known_is_looked_for(
    tmp_path: Path,
) -> None:
    report, evidence, known = tmp_path / "r.json", tmp_path / "e.ndjson", tmp_path / "b.toml"
    faulty = (
        "run", "--max-examples", "0", "--fault", "explicit-url-lower-cased", "--rule", RULE, "--baseline", known,
    )  # fmt: skip
    result = call(*faulty, "--write-baseline", "--report", report, "--evidence", evidence)
    assert result.exit_code == 0, result.output
    assert json.loads(report.read_text())["baseline"]["known"][0]["rule"] == RULE
    assert call("verify", report, evidence).stdout == "the same\n"
    again = json.loads(call(*faulty, "--report", "json:-").stdout)
    first = json.loads(report.read_text())
    assert again["run"]["exchanges"] == first["run"]["exchanges"]
    assert again["run"]["requests"] < first["run"]["requests"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[known]]\nrule = 1\n", "entry 1: rule is 1, expected the id of a rule"),
        (
            f'[[known]]\nrule = "{RULE}"\n',
            "entry 1 has no cause, expected the cause of a violation, as a report has it",
        ),
        (f'[[known]]\nrule = "{RULE}"\ncause = "c"\nreason = " "\n', "entry 1 has no reason, expected a sentence"),
        ('[[known]]\nrule = "explicit-is-kep"\ncause = "c"\nreason = "r"\n', "did you mean 'explicit-is-kept'"),
        (f'[[known]]\nrule = "{RULE}"\nresaon = "r"\n', "entry 1: unknown key 'resaon'; did you mean 'reason'?"),
        (
            f'[[known]]\nrule = "{RULE}"\nuntil = "soon"\n',
            "entry 1: until is 'soon', expected a date, as in 2026-12-31",
        ),
        (f'[[known]]\nrule = "{RULE}"\ncases = [1]\n', "entry 1: cases has an item that is no text"),
        (f'[[known]]\nrule = "{RULE}"\ncause = "c"\nreason = "r"\n' * 2, "entry 2 knows the same cause as one before"),
        ("known = 1\n", "known is no list of tables; begin each entry with [[known]]"),
        ("rules = []\n", "unknown key 'rules'; each entry begins with [[known]]"),
        ("[[known\n", "is not TOML: "),
        ("known = " + 5000 * "[", "is not TOML: "),
    ],
)
def test_a_file_that_is_no_baseline_is_refused_in_a_line(text: str, message: str, sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "baseline.toml"
    path.write_text(text)
    assert message in error("check", sound, "--baseline", path)


def test_a_missing_file_is_refused_unless_it_is_written(sound: Path, tmp_path: Path) -> None:
    assert error("check", sound, "--baseline", tmp_path / "b.toml").endswith(
        "b.toml: there is no such file; write it with --write-baseline"
    )
    assert error("check", sound, "--write-baseline") == "--write-baseline names no file; add --baseline FILE"


def test_a_run_that_ended_early_neither_finds_stale_entries_nor_writes(baseline: Path) -> None:
    before = baseline.read_text()
    result = call("run", "--max-requests", "250", "--baseline", baseline, "--write-baseline")
    assert result.exit_code == 3, result.output
    assert baseline.read_text() == before
    assert "stale" not in result.output.lower()


def test_the_url_that_was_sent_is_not_in_the_file(baseline: Path) -> None:
    assert EXPLICIT["join_url"] not in baseline.read_text()
    assert OTHER_URL not in baseline.read_text()
