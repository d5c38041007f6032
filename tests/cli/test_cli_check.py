from __future__ import annotations

import errno
import json
import os
import signal
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from cli_samples import call, error, har

from conformance.cli import check_command
from conformance.facts import Settings
from conformance.http.exchange import Exchange
from conformance.recordings import RecordingMetadata

WRONG = "https://other.example.com/"


def test_a_recording_that_passes_exits_with_0(tmp_path: Path) -> None:
    result = call("check", har(tmp_path / "passes.har"), "--rule", "explicit-is-kept", "-v")
    assert result.exit_code == 0, result.output
    assert "passed       explicit-is-kept" in result.stdout
    assert result.stdout.endswith("Outcome: passed. Exit code 0: nothing failed.\n")
    assert result.stderr == ""


def test_a_recording_that_fails_exits_with_1_and_shows_how(tmp_path: Path) -> None:
    result = call("check", har(tmp_path / "fails.har", WRONG))
    assert result.exit_code == 1
    assert "rule       explicit-is-kept (must): " in result.stdout
    assert ': "${CRONOFY_ACCESS_TOKEN' in result.stdout
    assert "\nsend 202 POST /v1/calendars/" in result.stdout


@pytest.mark.parametrize(("level", "code"), [("must", 1), ("should", 1), ("inferred", 1)])
def test_a_failed_must_rule_counts_at_every_level(tmp_path: Path, level: str, code: int) -> None:
    assert call("check", har(tmp_path / "b.har", WRONG), "--fail-on", level).exit_code == code


def test_a_must_rule_that_stays_inconclusive_exits_with_3(tmp_path: Path) -> None:
    result = call("check", har(tmp_path / "short.har", seconds=0.0), "--rule", "explicit-is-kept", "-v")
    assert result.exit_code == 3, result.output
    assert "inconclusive explicit-is-kept" in result.stdout


def test_a_recording_whose_writes_were_all_refused_proves_nothing_of_the_server(tmp_path: Path) -> None:
    recording = tmp_path / "refused.ndjson"
    wrote = {
        "method": "POST", "url": "https://api.cronofy.com/v1/calendars/cal_1/events",
        "headers": {"Content-Type": "application/json"},
    }  # fmt: skip
    lines = [
        {
            "request": {**wrote, "body": json.dumps({"event_id": f"e{number}", "summary": "a", "description": "b"})},
            "response": {"status": 403, "headers": {}, "body": "no scope"},
        }
        for number in range(3)
    ]
    recording.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    result = call("check", recording)
    assert result.exit_code == 2, result.output
    assert "every write was refused with 403: no scope" in result.stdout
    assert call("check", recording, "--side", "client").exit_code != 2


def test_a_check_by_a_rule_that_nothing_exercised_is_no_pass(tmp_path: Path) -> None:
    passes = har(tmp_path / "passes.har")
    assert call("check", passes, "--rule", "none-is-accepted").exit_code == 3
    assert call("check", passes).exit_code == 0
    assert call("check", passes, "--require-coverage").exit_code == 3


def test_a_recording_of_something_else_is_untested_and_no_pass(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(
        "version: 1\ninteractions:\n- request: {method: GET, uri: 'https://example.com/', body: null, headers: {}}\n"
        "  response: {status: {code: 200, message: OK}, headers: {}, body: {string: hello}}\n"
    )
    result = call("check", other, "--report", tmp_path / "r.json", "--quiet")
    warned = f"Warning: {other}: other APIs, left out: example.com\n"
    assert (result.exit_code, result.stdout, result.stderr) == (3, "", warned)
    document = json.loads((tmp_path / "r.json").read_text())
    assert {rule["outcome"] for rule in document["rules"]} == {"untested"}
    assert (document["outcome"], document["fully_covered"]) == ("inconclusive", False)


@pytest.mark.parametrize(
    "content",
    [
        "interactions: []\n",
        "interactions:\n",
        '{"log": {"entries": []}}',
        '{"log": {"entries": [{"request": {"method": "GET", "url": "wss://a.example/"}}]}}',
    ],
)
def test_nothing_recorded_is_nothing_judged(tmp_path: Path, content: str) -> None:
    empty = tmp_path / "empty"
    empty.write_text(content)
    nothing = "no exchange: there is nothing to judge"
    assert error("check", empty, "--report", tmp_path / "r.json") == f"{empty} holds {nothing}"
    assert error("check", empty, empty) == f"{empty}, {empty} hold {nothing}"
    assert not (tmp_path / "r.json").exists()
    assert call("check", empty, har(tmp_path / "passes.har"), "--rule", "explicit-is-kept").exit_code == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.yml", "services: {}\n"),
        ("playbook.yaml", "- hosts: all\n"),
        ("pods.yaml", "kind: Pod\n---\nkind: Pod\n"),
        ("word.YML", "word\n"),
        ("package.json", '{"name": "x"}'),
        ("list.json", "[1]"),
        ("empty.json", ""),
        ("tsconfig.json", '{\n  // strict\n  "compilerOptions": {},\n}'),
        ("mkdocs.yml", "emoji: !!python/name:emoji.twemoji\n"),
        ("chart.yaml", "{{- if .Values.a }}\nkind: Pod\n{{- end }}\n"),
        ("log.ndjson", '{"level": 30, "msg": "a"}\n{"level": 30, "msg": "b"}\n'),
        ("prompts.jsonl", '{"prompt": "a"}\n'),
    ],
)
def test_what_is_plainly_no_recording_is_skipped_in_a_folder_and_named(tmp_path: Path, name: str, content: str) -> None:
    har(tmp_path / "passes.har")
    (tmp_path / name).write_text(content)
    result = call("check", tmp_path, "--rule", "explicit-is-kept")
    assert result.exit_code == 0, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith((f"Warning: {tmp_path / name}: ", f"Warning: {tmp_path / name}, line "))
    assert line.endswith("; left out")
    assert error("check", tmp_path / "passes.har", tmp_path / name).startswith(str(tmp_path / name))


@pytest.mark.parametrize("part", ["request", "response"])
def test_bodies_that_were_not_recorded_are_named_once(tmp_path: Path, part: str) -> None:
    path = har(tmp_path / "a.har")
    document = json.loads(path.read_text())
    for entry in document["log"]["entries"]:
        entry["request"].pop("postData", None) if part == "request" else entry["response"].pop("content", None)
        entry[part] |= {"bodySize": 90}
    document["log"]["entries"].append(json.loads(json.dumps(document["log"]["entries"][0]).replace("/v1/", "/logo/")))
    path.write_text(json.dumps(document))
    (line,) = call("check", path, "--rule", "explicit-is-kept").stderr.splitlines()
    assert line == f"Warning: {path}: {part}s without their bodies were recorded, and prove nothing; record bodies too"


def test_many_files_that_are_no_recordings_are_named_together(tmp_path: Path) -> None:
    har(tmp_path / "passes.har")
    for number in range(4):
        (tmp_path / f"{number}.json").write_text("[]")
    (line,) = call("check", tmp_path, "--rule", "explicit-is-kept").stderr.splitlines()
    assert line.startswith(f"Warning: {tmp_path}: 4 files, such as 0.json: no recording: ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.yaml", "interactions:\n- request: {"),
        ("broken.json", '{"log": {"entries": [{"request": '),
        ("tape.json5", "{meta: {}, req: {"),
        ("other.har", '{"name": "x"}'),
    ],
)
def test_a_broken_file_in_a_folder_is_an_error(tmp_path: Path, name: str, content: str) -> None:
    har(tmp_path / "passes.har")
    (tmp_path / name).write_text(content)
    assert error("check", tmp_path).startswith(str(tmp_path / name))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "an empty file"),
        (b"\x00\x01\x02\xff", "a binary file"),
        (b"interactions:\n- request: {method: GET, uri: 'http", "c"),
        (b'{"log": {"entries": 3}}', "entries"),
        (b'{"a": 1}', "no recording"),
    ],
)
def test_what_is_no_recording_is_one_line_and_2(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "odd.bin"
    file.write_bytes(content)
    line = error("check", file)
    assert line.startswith(str(file))
    assert expected in line


def test_nothing_is_written_and_nothing_judged_where_the_input_is_refused(tmp_path: Path) -> None:
    error("check", tmp_path / "missing.har", "--report", tmp_path / "r.json")
    error("check", har(tmp_path / "passes.har"), "--rule", "explicit-is-keptt", "--report", tmp_path / "r.json")
    assert not (tmp_path / "r.json").exists()


def test_every_format_is_written_by_its_suffix_and_named_after_the_text_report(tmp_path: Path) -> None:
    files = [tmp_path / f"r{suffix}" for suffix in (".json", ".xml", ".md", ".html", ".XML")]
    result = call("check", har(tmp_path / "passes.har"), *(arg for file in files for arg in ("--report", file)))
    assert result.stdout.splitlines()[-1].startswith("Outcome: passed")
    assert result.stderr.splitlines()[-5:] == [f"Written: {file}" for file in files]
    assert json.loads(files[0].read_text())["subject"]["kind"] == "recording"
    assert ET.parse(files[1]).getroot().tag == "testsuites"
    assert files[2].read_text().startswith("# ")
    assert files[3].read_text().startswith("<!doctype html>")
    assert files[4].read_text() == files[1].read_text()


def test_a_report_on_standard_output_leaves_the_failures_to_standard_error(tmp_path: Path) -> None:
    result = call("check", har(tmp_path / "passes.har"), "--report", "json:-")
    assert json.loads(result.stdout)["outcome"] == "passed"
    assert result.stderr.splitlines()[-1].startswith("Outcome: passed")


def test_a_dash_is_text_on_standard_output_beside_files(tmp_path: Path) -> None:
    result = call("check", har(tmp_path / "passes.har"), "--report", "-", "--report", tmp_path / "r.json", "--quiet")
    assert result.stdout.startswith("recording ")
    assert result.stderr == ""
    assert (tmp_path / "r.json").exists()


def test_a_report_that_cannot_be_written_is_one_line_and_2(tmp_path: Path) -> None:
    (tmp_path / "r.json").mkdir()
    line = error("check", har(tmp_path / "passes.har"), "--report", tmp_path / "r.json")
    why = os.strerror(errno.EISDIR)
    assert line == f"--report {tmp_path / 'r.json'} cannot be written: {why}; choose another place"


def test_a_suffix_without_a_format_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    assert "'r.pdf' names no format: end it in .json .xml .md .html .py" in error(
        "check", tmp_path / "missing", "--report", "r.pdf"
    )


def test_the_report_of_a_recording_is_the_same_each_time(tmp_path: Path) -> None:
    file = har(tmp_path / "passes.har")
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    call("check", file, "--report", first, "--report", second)
    call("check", file, "--report", second)
    assert first.read_bytes() == second.read_bytes()


def test_recordings_of_others_are_runs_of_their_own(tmp_path: Path) -> None:
    har(tmp_path / "a.har")
    har(tmp_path / "b.har", WRONG)
    (tmp_path / "b.har").rename(tmp_path / "fails.har")
    alone = call("check", tmp_path / "a.har", "--report", tmp_path / "a.json")
    both = call("check", tmp_path / "a.har", tmp_path / "fails.har", "--report", tmp_path / "both.json")
    assert (alone.exit_code, both.exit_code) == (0, 1)
    counts = {rule["id"]: rule["counts"] for rule in json.loads((tmp_path / "both.json").read_text())["rules"]}
    assert counts["explicit-is-kept"] == {"passed": 1, "failed": 1, "inconclusive": 0}


def test_a_recording_is_judged_with_its_own_settings_unless_options_override_them(tmp_path: Path) -> None:
    recorded = {"quiet": 2.0, "window": 5, "settle_timeout": 15.0, "default_profiles": {"default": "pro_1"}}
    header = RecordingMetadata("t", "1", "x", settings=recorded)
    assert check_command.settings_from(header) == Settings(2.0, 5.0, 15.0, {"default": "pro_1"})
    assert (
        check_command.settings_from(RecordingMetadata("t", "1", "x")) == check_command.settings_from(None) == Settings()
    )
    options = check_command.CheckOptions((), default_profiles={"a": "b"}, settle_timeout=1.0, window=0.0)
    assert check_command.settings_of(options, header) == Settings(2.0, 0.0, 1.0, {"a": "b"})
    complete = Settings(complete_recording=True)
    assert check_command.settings_of(check_command.CheckOptions((), complete_recording=True), None) == complete
    header = RecordingMetadata("t", "1", "x", settings={"complete_recording": True})
    assert check_command.settings_from(header) == complete


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"quiet": 10**400}, f"the recording's setting quiet is {10**400}, expected seconds; record it again"),
        ({"quiet": "2"}, "the recording's setting quiet is '2', expected seconds; record it again"),
        ({"window": -1}, "the recording's setting window is -1, expected seconds; record it again"),
        ({"settle_timeout": True}, "the recording's setting settle_timeout is True, expected seconds; record it again"),
        (
            {"default_profiles": {"a": 1}},
            "the recording's default_profiles are not profile ids by account; record it again",
        ),
    ],
)
def test_invalid_settings_are_refused(tmp_path: Path, settings: dict[str, object], expected: str) -> None:
    file = tmp_path / "odd.ndjson"
    header = RecordingMetadata("t", "1", "x", settings=settings).document()
    file.write_text(json.dumps({"conformance": header}) + "\n")
    assert error("check", file) == expected


def test_ctrl_c_ends_with_130_and_the_report_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_all = check_command.recordings.read_all

    def interrupted(files: Iterable[Path], collect: Callable[[str], None]) -> Iterator[Exchange]:
        for number, exchange in enumerate(read_all(files, collect)):
            if number == 5:
                os.kill(os.getpid(), signal.SIGINT)
            yield exchange

    monkeypatch.setattr(check_command.recordings, "read_all", interrupted)
    before = signal.getsignal(signal.SIGINT)
    result = call("check", har(tmp_path / "passes.har"), "--report", tmp_path / "r.json")
    assert result.exit_code == 130
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["run"]["exchanges"], document["outcome"], document["fully_covered"]) == (5, "inconclusive", False)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_recordings_in_a_zip_are_judged(tmp_path: Path) -> None:
    """How many processes judge follows from the size of the files, and a member of a ZIP is none."""
    packed = tmp_path / "ours.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(har(tmp_path / "a.har"), "one/a.json")
        archive.write(har(tmp_path / "b.har", WRONG), "/b.json")
    result = call("check", packed, "--rule", "explicit-is-kept")
    assert result.exit_code == 1, result.output
    assert f"{packed}/b.json" in result.stdout
