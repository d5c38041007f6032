from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_samples import call, error, har

from conformance.cli.check_command import CheckOptions, check
from conformance.cli.evidence import EvidenceFile, run_metadata, verify
from conformance.cli.status_line import StatusLine
from conformance.facts import Settings
from conformance.http.redaction import Redactor, SecretLeakError
from conformance.interrupts import Interruption
from conformance.judging.formats.json import render
from conformance.recordings import read

WRONG = "https://other.example.com/"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A report with its evidence, of a run that fails a rule."""
    folder = tmp_path_factory.mktemp("made")
    recording = har(folder / "fails.har", WRONG)
    run_report = check(CheckOptions((recording,), rules=("explicit-is-kept",)), Interruption(), StatusLine())
    metadata = run_metadata("run-1", "url https://api.cronofy.com", ("default",), Settings(), "server")
    with EvidenceFile(folder / "e.ndjson", metadata, Redactor({})) as evidence:
        for exchange in read(recording):
            evidence.add(exchange)
        complete = replace(run_report, evidence=evidence.finish(run_report))
    return render(complete).encode(), (folder / "e.ndjson").read_bytes()


@pytest.fixture
def pair(tmp_path: Path, made: tuple[bytes, bytes]) -> tuple[Path, Path]:
    report, evidence = tmp_path / "r.json", tmp_path / "e.ndjson"
    report.write_bytes(made[0])
    evidence.write_bytes(made[1])
    return report, evidence


def test_a_report_and_its_evidence_are_the_same(pair: tuple[Path, Path]) -> None:
    result = call("verify", *pair)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "the same\n", "")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (
            lambda document: document.update(outcome="passed"),
            "/outcome of the report is passed: the evidence gives failed",
        ),
        (lambda document: document["rules"][0]["counts"].update(failed=7), "/rules/0/counts/failed of the report is 7"),
        (lambda document: document["rules"][0]["violations"].pop(), "/rules/0/violations of the report is []"),
        (lambda document: document["rules"][0].update(title="Other"), "/rules/0/title of the report is Other"),
        (lambda document: document["subject"].update(name="another"), "/subject/name of the report is another"),
        (lambda document: document["run"].update(seed=9), "/run/seed of the report is 9"),
        (lambda document: document["run"].update(more=1), "/run/more of the report was added: 1"),
        (
            lambda document: document["subject"].pop("name") and document["subject"].update(name=""),
            "/subject/name of the report is ",
        ),
        (
            lambda document: document["contract"].update(sha256="0" * 64),
            f"/contract/sha256 of the report is {'0' * 64}",
        ),
    ],
)
def test_each_change_of_the_report_is_named(pair: tuple[Path, Path], change: Callable[[Any], Any], place: str) -> None:
    report, evidence = pair
    document = json.loads(report.read_bytes())
    change(document)
    report.write_text(json.dumps(document, indent=2) + "\n")
    result = call("verify", report, evidence)
    assert result.exit_code == 1
    assert any(line.startswith(place) for line in result.stdout.splitlines()), result.stdout


def test_a_report_in_other_bytes_is_named(pair: tuple[Path, Path]) -> None:
    report, evidence = pair
    report.write_bytes(report.read_bytes().replace(b'"outcome": "failed"', b'"outcome":  "failed"', 1))
    line = report.read_bytes().partition(b'"outcome":  ')[0].count(b"\n") + 1
    assert verify(report, evidence) == (f"the report has the same content in other bytes, from line {line} on",)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda lines: [*lines[:4], lines[4].replace(b"Board", b"Bored"), *lines[5:]],
            ["line 5 of the evidence was changed"],
        ),
        (lambda lines: lines[:3] + lines[4:], ["1 lines were removed from the evidence before line 4"]),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], ["line 3 of the evidence was added"]),
        (lambda lines: lines[:-1], ["the file was cut off"]),
        (lambda lines: [line.replace(b"\n", b"\r\n") for line in lines], ["line 1 of the evidence was changed"]),
        (
            lambda lines: [lines[0].replace(b'"quiet":10.0', b'"quiet":0.0'), *lines[1:]],
            ["line 1 of the evidence was changed"],
        ),
    ],
)
def test_each_change_of_the_evidence_is_named(
    pair: tuple[Path, Path], change: Callable[[list[bytes]], list[bytes]], expected: list[str]
) -> None:
    report, evidence = pair
    evidence.write_bytes(b"".join(change(evidence.read_bytes().splitlines(keepends=True))))
    result = call("verify", report, evidence)
    assert result.exit_code == 1
    for words in expected:
        assert words in result.stdout


@pytest.mark.parametrize("place", range(0, 20_000, 1_501))
def test_one_byte_of_the_evidence_is_named_by_its_line(pair: tuple[Path, Path], place: int) -> None:
    report, evidence = pair
    data = bytearray(evidence.read_bytes())
    at = place % len(data)
    data[at] = data[at] ^ 1 if data[at] ^ 1 != 10 and data[at] != 10 else 32
    evidence.write_bytes(data)
    line = data[:at].count(b"\n") + 1
    result = call("verify", report, evidence)
    assert result.exit_code in (1, 2)
    assert f"line {line}" in result.output


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"no", "is not JSON; name a .json report"),
        (b"{}", "is not a report of this tool: $"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_no_report_is_refused(pair: tuple[Path, Path], content: bytes, expected: str) -> None:
    report, evidence = pair
    report.write_bytes(content)
    assert expected in error("verify", report, evidence)


def test_a_report_without_evidence_is_refused(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    call("check", har(tmp_path / "x.har"), "--report", tmp_path / "plain.json")
    assert error("verify", tmp_path / "plain.json", pair[1]).endswith("has no evidence: run again with --evidence")


def test_evidence_that_is_not_there_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    message = f"{os.strerror(errno.ENOENT)}; name the evidence of the report"
    assert message in error("verify", pair[0], tmp_path / "none")
    assert error("verify", pair[0], tmp_path).endswith(" is no file; name the evidence of the report")


def test_no_token_gets_into_the_last_line(tmp_path: Path) -> None:
    run_report = check(CheckOptions((har(tmp_path / "secret-token.har"),)), Interruption(), StatusLine())
    metadata = run_metadata("r", "x", (), Settings(), "server")
    redactor = Redactor({"default": "secret-token"})
    with EvidenceFile(tmp_path / "e.ndjson", metadata, redactor) as evidence, pytest.raises(SecretLeakError):
        evidence.finish(run_report)
    assert b"secret-token" not in (tmp_path / "e.ndjson").read_bytes()


def test_evidence_can_be_judged_as_a_recording(pair: tuple[Path, Path]) -> None:
    assert call("check", pair[1], "--rule", "explicit-is-kept").exit_code == 1


def test_evidence_without_an_end_is_read_to_a_limit(pair: tuple[Path, Path]) -> None:
    report, evidence = pair
    os.truncate(evidence, 2**40)  # a hole, of which nothing is on the disk
    assert error("verify", report, evidence).endswith("longer than 64 MiB; name the evidence of the report")
    evidence.write_bytes(b"{}\n" * 100)
    [line] = verify(report, evidence)
    assert line.startswith("the evidence has more than twice the ")
