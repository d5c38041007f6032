"""The script of curl in a report: a real shell runs it against a real server, and shows the failure again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import httpx
import pytest
from emulators.reference_process import reference_process

from conformance.cli.run_command import run
from conformance.cli.status_line import StatusLine
from conformance.http.redaction import Redactor
from conformance.judging.formats.failures import Failure, failures
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import parse

TOKEN = "reference-default-token"


def failure(fault: str, rule: str) -> Failure:
    options = RunOptions(faults=(fault,), rules=(rule,))
    subject = parse("reference", {}, faults=(fault,))
    report, _ = run(options, subject, Redactor(subject.tokens), StatusLine(shown=False))
    return failures(report)[0]


def bodies(script: str) -> str:
    """A script in lower case, without its settings and the texts of its events."""
    return re.sub(r'(?m)"(summary|description|join_url)":"[^"]*"|^EVENT.*', "", script).lower()


def pasted(script: str, url: str) -> str:
    """What a POSIX shell prints for a script; every event that it wrote is gone again."""
    environment = {
        "PATH": "/usr/bin:/bin", "API": url, "PAUSE": "0.3",
        **dict.fromkeys(re.findall(r"(?m)^: \"\$\{([A-Z_]+):", script), TOKEN),
    }  # fmt: skip
    done = subprocess.run(["sh", "-eu"], input=script, capture_output=True, text=True, timeout=60, env=environment)
    assert done.stderr == ""
    assert done.returncode == 0
    query = "tzid=Etc/UTC&only_managed=true"
    listed = httpx.get(f"{url}/v1/events?{query}", headers={"Authorization": f"Bearer {TOKEN}"}).json()["events"]
    assert [event["event_id"] for event in listed] == []
    return done.stdout


def read_back(output: str) -> list[str]:
    """The join URLs that the script's readings show, in order."""
    found = re.findall(r"reads back as\n(\{.*\})", output)
    return [(json.loads(text).get("conferencing") or {}).get("join_url", "") for text in found]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_script_shows_the_failure_on_a_broken_server_and_none_on_a_right_one() -> None:
    shown = failure("explicit-url-lower-cased", "explicit-is-kept")
    assert "/events/pages/" not in shown.script.whole
    assert "cfc-" not in bodies(shown.script.whole)
    [sent] = re.findall(r'"join_url":"([^"]*)"', shown.script.whole)
    with reference_process("--settle", "0.2", "--fault", "explicit-url-lower-cased") as served:
        output = pasted(shown.script.whole, served.url)
    [broken] = read_back(output)
    expected, got = output.strip().split("\n")[-2:]
    assert expected == f"expected: {shown.rule.title}"
    assert got.startswith("got:      {")
    assert broken in got
    with reference_process("--settle", "0.2") as served:
        [right] = read_back(pasted(shown.script.whole, served.url))
    assert right == sent != broken
    assert broken.lower() == sent.lower()


def test_the_script_has_every_write_from_the_first() -> None:
    shown = failure("omitted-removes-explicit", "omitted-keeps-explicit")
    sent = re.findall(r"(?m)^(send POST|settle|call DELETE) ", shown.script.whole)
    assert sent[:2] == ["send POST", "settle"]
    assert sent[-2:] == ["settle", "call DELETE"]
    assert sent.count("send POST") == 2
    earlier = [entry for entry in shown.timeline if entry.is_earlier]
    assert earlier[0].summary == "writes the event with explicit conferencing"
    assert [entry.is_broken for entry in shown.timeline].count(True) == 1


def test_the_script_keeps_the_writes_that_only_the_server_needs_and_waits_between_them() -> None:
    shown = failure("none-ignored-second-time", "none-removes-conferencing")
    sent = re.findall(r"(?m)^(send POST|settle|call DELETE) ", shown.script.whole)
    assert len(re.findall(r'"profile_id":"none"', shown.script.whole)) == 2
    assert sent == ["send POST", "settle"] * (len(sent) // 2) + ["call DELETE"]


def test_the_script_has_batches_too_with_events_of_its_own() -> None:
    shown = failure("batch-keeps-what-none-removes", "an-entry-of-a-batch-has-the-effect-of-a-single-write")
    sent = re.findall(r"(?m)^(send POST|settle|call DELETE) (\S*)", shown.script.whole)
    assert [kind for kind, _ in sent[:3]] == ["send POST", "settle", "send POST"]
    assert sent[2][1] == "/v1/batch"
    assert "cfc-" not in bodies(shown.script.whole)
    writes = [entry.summary for entry in shown.timeline if entry.action == "write"]
    assert writes[-1] == "writes the event with the profile_id none in a batch"
    assert any("in a batch" in line for line in (shown.reproduction.steps if shown.reproduction else ()))
