"""The page that a vendor publishes: the client, the contract, the level, and what was found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.rules import load
from conformance.judging.formats.certificate_page import PAGES
from conformance.judging.report import Report
from conformance.judging.summary import Policy, RunReport
from conformance.judging.verdict import Verdict, Violation

RULES = tuple(
    rule for rule in load() if rule.id in ("a-422-is-reported", "a-delete-is-sent", "conferencing-is-not-null")
)
BROKEN_DRIVERS = Path(__file__).parent / "broken" / "broken_drivers.py"


def certified(failing: str | None = None, level: str | None = "inferred", **policy: Any) -> RunReport:
    verdicts = [Verdict(rule.id, "passed", None, ()) for rule in RULES if rule.id != failing]
    if failing is not None:
        verdicts += [
            Verdict(failing, "failed", None, (), Violation("m", "", None, (), f"{failing} {cause}")) for cause in "aab"
        ]
    return RunReport(
        report=Report.empty(RULES).with_judgements([(verdicts, 1)]),
        rules=RULES,
        subject={
            "kind": "client",
            "name": "A <b> | *client* 1.0",
            "client": "A <b> | *client*",
            "version": "1.0",
            "language": "go",
            "attested_level": level,
        },
        run={"id": "r", "finished_at": "2031-04-28T15:30:00.000000Z", "requests": 9, "exchanges": 12},
        contract={"version": "0.1.0", "sha256": "ab" * 32},
        tool={"name": "cronofy-conformance", "version": "0.1.0"},
        policy=Policy("should", **policy),
    )


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_a_certificate_tells_who_when_against_what_and_which_level(suffix: str) -> None:
    page = PAGES[suffix](certified())
    text = plain(page)
    for said in (
        "go",
        "2031-04-28",
        "0.1.0, sha256 " + "ab" * 32,
        "9 calls, 12 exchanges",
        "Level inferred is attested",
    ):
        assert said in text
    assert "None." in text
    assert "<b>" not in page
    assert "*client*" not in page or suffix == ".html"


@pytest.mark.parametrize("suffix", [".html", ".md"])
def test_a_finding_is_told_with_its_defects(suffix: str) -> None:
    text = plain(PAGES[suffix](certified("a-delete-is-sent", "must")))
    assert re.search(r"should\W+a-delete-is-sent\W+A deletion is sent\W+2 defects", text)
    assert "Level must is attested: no rule of this level failed." in text


def test_without_a_level_it_is_said_why() -> None:
    assert "No level is attested: nothing came." in plain(PAGES[".md"](certified(level=None, unjudged="nothing came")))
    assert "No level is attested: a rule of level must failed" in plain(PAGES[".html"](certified(level=None)))


def plain(page: str) -> str:
    text = re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), page)
    return re.sub(r"<[^>]+>", " ", text)


def test_certify_writes_the_page_and_refuses_what_is_none(tmp_path: Path) -> None:
    page = tmp_path / "certificate.html"
    command = [sys.executable, "-m", "conformance", "certify", "--max-examples", "0", "--rule", "a-delete-is-sent"]
    driver = [sys.executable, str(BROKEN_DRIVERS), "a-delete-is-sent"]
    done = subprocess.run([*command, "--certificate", str(page), "--", *driver], capture_output=True, check=False)
    assert (done.returncode, "a-delete-is-sent" in page.read_text()) == (1, True)
    wrong = subprocess.run([*command, "--certificate", "c.pdf", "--", *driver], capture_output=True, check=False)
    assert (wrong.returncode, b"end it in .html or .md" in wrong.stderr) == (2, True)
