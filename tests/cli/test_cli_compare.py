"""Reports side by side: what differs by rule and cause, and the first exchange where two servers part."""

from __future__ import annotations

import asyncio
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cli_samples import call, error, har

from conformance.contract import schemas
from conformance.facts import observe
from conformance.judging.partings import Trace, partings, traces
from conformance.servers.campaign import run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import parse

RULE = "explicit-is-kept"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of three recordings: one is sound, two are broken in different ways."""
    folder = tmp_path_factory.mktemp("judged")
    shown = {
        "sound": {},
        "broken": {"shown_url": "https://rooms.example.com/room-1?pwd=a"},
        "other": {"shown_url": "https://elsewhere.example.com/"},
    }
    for name, how in shown.items():
        recording = har(folder / f"{name}.har", **how)
        call("check", recording, "--rule", RULE, "--rule", "8x8-is-accepted", "--report", folder / f"{name}.json")
    return folder


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports and evidence of two runs: of the reference server, and of one with a fault."""
    folder = tmp_path_factory.mktemp("ran")
    for name, options in {"right": ("--seed", "1"), "wrong": ("--seed", "2", "--fault", "8x8-refused")}.items():
        call(
            "run", "--max-examples", "0", *options, "--no-shrink", "--report", folder / f"{name}.json",
            "--evidence", folder / f"{name}.ndjson", "--quiet",
        )  # fmt: skip
    return folder


def compared(folder: Path, *names: str, evidence: bool = False) -> dict[str, Any]:
    """The comparison as JSON, which is valid."""
    reports = [folder / f"{name}.json" for name in names]
    recorded = [word for name in names for word in ("--evidence", folder / f"{name}.ndjson")] if evidence else []
    document: dict[str, Any] = json.loads(call("compare", *reports, *recorded, "--report", "json:-").stdout)
    jsonschema.Draft202012Validator(schemas.read("comparison")).validate(document)
    return document


def test_a_rule_that_one_keeps_and_one_breaks_differs(judged: Path) -> None:
    document = compared(judged, "sound", "broken")
    assert document["differs"] is True
    (row,) = [rule for rule in document["rules"] if rule["relation"] == "differs"]
    assert (row["id"], [cell["outcome"] for cell in row["cells"]]) == (RULE, ["passed", "failed"])
    assert len(row["cells"][1]["causes"]) == 1


def test_a_rule_that_is_broken_for_another_cause_differs(judged: Path) -> None:
    rows = {rule["id"]: rule for rule in compared(judged, "broken", "other")["rules"]}
    assert (rows[RULE]["relation"], rows["8x8-is-accepted"]["relation"]) == ("differs", "undecided")
    assert rows[RULE]["cells"][0]["causes"] != rows[RULE]["cells"][1]["causes"]


def test_the_same_failure_is_alike_and_exit_1_is_for_differences(judged: Path) -> None:
    sound, broken = judged / "sound.json", judged / "broken.json"
    assert compared(judged, "broken", "broken")["differs"] is False
    assert [call("compare", broken, broken, "--fail-on-difference").exit_code for _ in range(1)] == [0]
    assert call("compare", sound, broken).exit_code == 0
    assert call("compare", sound, broken, "--fail-on-difference").exit_code == 1


def test_text_names_both_and_says_what_differs(judged: Path) -> None:
    lines = call("compare", judged / "sound.json", judged / "broken.json", judged / "other.json").stdout.splitlines()
    assert lines[0].startswith("  sound  recording ")
    assert "Rules that differ" in lines
    assert "  sound: passed" in lines
    assert [line for line in lines if line.startswith("  broken: failed: ")]
    assert lines[-1] == "Rules: 1 different, 0 alike, 1 decided by none."


def test_markdown_and_html_are_written_and_hostile_names_stay_text(judged: Path, tmp_path: Path) -> None:
    document = json.loads((judged / "broken.json").read_text())
    for rule in document["rules"]:
        for violation in rule["violations"]:
            violation["message"] = violation["cause"] = "</td><script>x</script> | `y` \x1b[2J @someone"
    hostile = tmp_path / "a&b |`x`.json"
    hostile.write_text(json.dumps(document))
    files = tmp_path / "c.md", tmp_path / "c.html"
    told = call("compare", judged / "sound.json", hostile, *(arg for file in files for arg in ("--report", file)))
    assert told.stdout == call("compare", judged / "sound.json", hostile).stdout != ""
    page = (tmp_path / "c.html").read_text()
    tags: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            tags.add(tag)

    Tags().feed(page)
    assert "script" not in tags
    assert {"table", "svg"} <= tags
    assert "\x1b" not in page
    summary = (tmp_path / "c.md").read_text()
    assert "<script" not in summary
    assert "\\@<!-- -->someone" in summary  # an escape alone would still call them


def test_the_first_exchange_where_two_servers_part_is_shown(ran: Path) -> None:
    document = compared(ran, "right", "wrong", evidence=True)
    (found,) = document["partings"]
    assert found["labels"] == ["right", "wrong"]
    assert found["compared"] > 60
    first = found["found"][0]
    assert '{"profile_id": "8x8"}' in first["sent"]
    assert [side["values"]["status"] for side in first["sides"]] == [202, 422]
    assert all("8x8" in one["sent"] for one in found["found"]), "nothing else parts them"
    text = call(
        "compare", ran / "right.json", ran / "wrong.json", "--evidence", ran / "right.ndjson",
        "--evidence", ran / "wrong.ndjson",
    ).stdout  # fmt: skip
    assert "\nThe first exchange:\n\nScenario " in text
    assert f" of {found['compared']} scenarios that both were sent part between right and wrong.\n" in text


def _traces(settle: float, seed: int) -> tuple[Trace, ...]:
    subject = parse("reference", {}, settle=settle)
    result = asyncio.run(run(RunOptions(seed=seed), subject=subject, rules=(), small=False))
    return traces(observe(result.exchanges, result.settings), result.run["id"])


def test_ids_times_and_patience_make_no_difference() -> None:
    found = partings(("fast", "slow"), _traces(0.15, 1), _traces(1.5, 2))
    assert found.compared > 60
    assert found.found == ()


def test_where_no_scenario_was_sent_to_both_it_is_said_what_to_do(ran: Path, tmp_path: Path) -> None:
    recorded, evidence = tmp_path / "recorded.json", ran / "right.ndjson"
    call("check", har(tmp_path / "r.har"), "--report", recorded)
    shown = call("compare", ran / "right.json", recorded, "--evidence", evidence, "--evidence", evidence).stdout
    assert shown.endswith(
        "No scenario was sent to both right and recorded: run both with one seed, and on calendars of the same kinds.\n"
    )


def test_what_cannot_be_compared_is_refused_in_a_line(ran: Path, judged: Path, tmp_path: Path) -> None:
    right, wrong = ran / "right.json", ran / "wrong.json"
    assert error("compare", right).startswith("compare takes two reports or more")
    assert "is given 1 times for 2 reports" in error("compare", right, wrong, "--evidence", ran / "right.ndjson")
    swapped = error("compare", right, wrong, "--evidence", ran / "wrong.ndjson", "--evidence", ran / "right.ndjson")
    assert swapped == f"--evidence {ran / 'wrong.ndjson'} is not that of {right}, or was changed; see `verify`"
    other = tmp_path / "other.json"
    other.write_text("{}")
    assert "other.json is not a report of this tool" in error("compare", right, other)
    assert "name a .json report" in error("compare", right, tmp_path / "none.json")
    assert "a comparison is written as json, markdown, html, or as text to -" in error(
        "compare", right, wrong, "--report", "junit:x"
    )
    missing = error("compare", right, wrong, "--evidence", tmp_path / "e", "--evidence", tmp_path / "e")
    assert missing.endswith(f"No such file or directory; name the evidence of {right}")
