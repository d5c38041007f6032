"""The script of curl in a report: a real shell runs it against a real server, and shows the failure again."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import httpx
import pytest
from emulators.reference_process import ReferenceProcess, reference_process

from conformance.cli.run_command import run
from conformance.cli.status_line import StatusLine
from conformance.http.redaction import Redactor
from conformance.judging.formats.failures import Failure, failures
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import parse


def failure(fault: str, rule: str) -> Failure:
    options = RunOptions(faults=(fault,), rules=(rule,))
    subject = parse("reference", {}, faults=(fault,))
    report, _ = run(options, subject, Redactor(subject.tokens), StatusLine(shown=False))
    return failures(report)[0]


def bodies(script: str) -> str:
    """A script in lower case, without its settings and the texts of its events."""
    return re.sub(r'(?m)"(summary|description|join_url)":"[^"]*"|^EVENT.*', "", script).lower()


def pasted(script: str, served: ReferenceProcess) -> str:
    """What a POSIX shell prints for a script; every event that it wrote is gone again."""
    environment = {**served.tokens, "PATH": "/usr/bin:/bin", "API": served.url, "PAUSE": "0.3"}
    done = subprocess.run(["sh", "-eu"], input=script, capture_output=True, text=True, timeout=60, env=environment)
    assert (done.stderr, done.returncode) == ("", 0)
    for variable in re.findall(r"(?m)^: \"\$\{(CRONOFY_[A-Z_]+):", script):
        headers = {"Authorization": f"Bearer {served.tokens[variable]}"}
        listed = httpx.get(f"{served.url}/v1/events?tzid=Etc/UTC&only_managed=true", headers=headers).json()["events"]
        assert [event["event_id"] for event in listed] == []
    return done.stdout


def stopped(script: str, served: ReferenceProcess, url: str) -> str:
    """What a POSIX shell prints for a script that does not meet the server of the run, and that says so."""
    environment = {**served.tokens, "PATH": "/usr/bin:/bin", "API": url}
    done = subprocess.run(["sh"], input=script, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 2
    assert "expected:" not in done.stdout
    return done.stdout


def read_back(output: str) -> list[str]:
    """The join URLs that the script's readings show at last, in order."""
    found = re.findall(r"reads back as\n(?:\{.*\}\n)*(\{.*\})", output)
    return [(json.loads(text).get("conferencing") or {}).get("join_url", "") for text in found]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_script_shows_the_failure_on_a_broken_server_and_none_on_a_right_one() -> None:
    shown = failure("explicit-url-lower-cased", "explicit-is-kept")
    assert "/events/pages/" not in shown.script.whole
    assert "cfc-" not in bodies(shown.script.whole)
    sent = re.findall(r'"join_url":"([^"]*)"', shown.script.whole)[-1]
    with reference_process("--settle", "0.2", "--fault", "explicit-url-lower-cased") as served:
        output = pasted(shown.script.whole, served)
    [*_, broken] = read_back(output)
    expected, got = output.strip().split("\n")[-2:]
    assert expected == f"expected: {shown.rule.title}"
    assert got.endswith(f"{sent.lower()} (in the run; what came now is above)")
    with reference_process("--settle", "0.2") as served:
        [*_, right] = read_back(pasted(shown.script.whole, served))
        refused = stopped(shown.script.pasted, served, f"{served.url}/nowhere")
    told = "the failure is gone, or something else is wrong: see the answer"
    assert refused.endswith(f"stopped: answered 404, not 202 as in the run: {told}\n")
    nobody = "http://127.0.0.1:9"
    assert stopped(shown.script.pasted, served, nobody).endswith(f"stopped: no answer from {nobody}\n")
    assert right == sent != broken
    assert broken.lower() == sent.lower()


def test_the_script_has_every_write_from_the_first() -> None:
    shown = failure("omitted-removes-explicit", "omitted-keeps-explicit")
    sent = re.findall(r"(?m)^ *(send 202 POST|settle|call DELETE) ", shown.script.whole)
    assert sent == ["call DELETE", *["send 202 POST", "settle"] * 2]
    earlier = [entry for entry in shown.timeline if entry.is_earlier]
    assert earlier[0].summary == "writes the event with explicit conferencing"
    assert [entry.is_broken for entry in shown.timeline].count(True) == 1


def test_the_script_keeps_the_writes_that_only_the_server_needs_and_waits_between_them() -> None:
    shown = failure("none-ignored-second-time", "none-removes-conferencing")
    sent = re.findall(r"(?m)^ *(send 202 POST|settle|call DELETE) ", shown.script.whole)
    assert len(re.findall(r'"profile_id":"none"', shown.script.whole)) == 2
    assert sent == ["call DELETE", *["send 202 POST", "settle"] * (len(sent) // 2)]


def test_the_script_has_batches_too_with_events_of_its_own() -> None:
    shown = failure("batch-keeps-what-none-removes", "an-entry-of-a-batch-has-the-effect-of-a-single-write")
    sent = re.findall(r"(?m)^(send|settle) (.*?) \"", shown.script.whole)
    assert [kind for kind, _ in sent[:3]] == ["send", "settle", "send"]
    assert sent[2][1] == "207 POST /v1/batch"
    assert "cfc-" not in bodies(shown.script.whole)
    writes = [entry.summary for entry in shown.timeline if entry.action == "write"]
    assert writes[-1] == "writes the event with the profile_id none in a batch"
    assert any("in a batch" in line for line in (shown.reproduction.steps if shown.reproduction else ()))


#: Faults, the rule that finds each, and what its script prints of a server with it, and of one without.
READINGS = {
    "pending-as-status": ("only-pending-precedes-a-conference", r'"status":"pending"', '"pending":true'),
    "page-two-is-page-one": ("a-reading-lists-each-event-once", r"# page 2\n.*-1\n", r"# page 2\n.*-31\n\n"),
    "tzid-optional": ("a-reading-without-a-time-zone-is-refused", "HTTP/1.1 200", "HTTP/1.1 422"),
    "last-modified-ignored": ("last-modified-limits-a-reading", r'"events": \[\{', r'"events": \[\]'),
}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_the_script_shows_what_only_one_reading_shows() -> None:
    rules = tuple(rule for rule, _, _ in READINGS.values())
    subject = parse("reference", {}, faults=tuple(READINGS))
    report, _ = run(
        RunOptions(faults=tuple(READINGS), rules=rules), subject, Redactor(subject.tokens), StatusLine(shown=False)
    )
    found = {one.rule.id: one.script.whole for one in failures(report)}
    assert found.keys() == {*rules}
    alone = found["a-reading-without-a-time-zone-is-refused"]
    assert re.findall(r"(?m)^(?:send|settle|list|curl) .*", alone) == re.findall(
        r"(?m)^curl .*only_managed=true'$", alone
    )
    faults = [part for fault in READINGS for part in ("--fault", fault)]
    with reference_process("--settle", "0.5", *faults) as broken, reference_process("--settle", "0.5") as right:
        for rule, shown, instead in READINGS.values():
            assert "/events/pages/" not in found[rule]
            printed = [pasted(found[rule], served) for served in (broken, right)]
            assert [bool(re.search(shown, text)) for text in printed] == [True, False]
            assert [bool(re.search(instead, text)) for text in printed] == [False, True]
