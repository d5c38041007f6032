"""The cassettes are what the reference server says today, and judged as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr
import yaml

from conformance.cli.check_command import CheckOptions, check
from conformance.cli.run_command import run, subject_of
from conformance.cli.status_line import StatusLine
from conformance.http.redaction import Redactor
from conformance.interrupts import Interruption
from conformance.judging.formats import renderer
from conformance.recordings import header, paths, read
from conformance.servers.run_options import RunOptions

CASSETTES = Path(__file__).parents[2] / "cassettes"
RECORDED = CASSETTES / "reference"
BY_HAND = CASSETTES / "by-hand"
RECORD = "rm -r cassettes/reference && cronofy-conformance run --record cassettes/reference --quiet"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """The recording of a run by today's code, and its statement."""
    folder = tmp_path_factory.mktemp("recorded")
    options = RunOptions(record=folder)
    subject = subject_of(options)
    statement, _ = run(options, subject, Redactor(subject.tokens), StatusLine(shown=False))
    return folder, statement


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths([folder])}


def verdicts(statement: Any) -> Any:
    """What a JSON report says rule by rule."""
    return yaml.safe_load(renderer(".json")(statement))["rules"]


def judged(path: Path) -> Any:
    return check(CheckOptions((path,)), Interruption(), lambda text: None)


def test_recording_again_gives_the_same_bytes(recorded: tuple[Path, Any]) -> None:
    now, committed = contents(recorded[0]), contents(RECORDED)
    stale = sorted(name for name in now.keys() | committed.keys() if now.get(name) != committed.get(name))
    assert stale == [], f"the cassettes are not what the reference server says today; record them again: {RECORD}"


def test_cassettes_are_judged_as_the_run_that_recorded_them(recorded: tuple[Path, Any]) -> None:
    assert verdicts(judged(recorded[0])) == verdicts(recorded[1])


@pytest.mark.parametrize("path", paths([BY_HAND]), ids=lambda path: path.stem)
def test_what_is_written_by_hand_keeps_the_rules_and_leaves_nothing_open(path: Path) -> None:
    statement = judged(path)
    outcomes = {statement.report.tally(rule.id).outcome for rule in statement.rules}
    assert (statement.exit_code, outcomes) == (0, {"passed", "untested"})


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("default", "default-falls-back-to-integrated"),
        ("explicit", "explicit-is-kept"),
        ("assigned", "a-named-profile-is-used"),
        ("integrated-not-available", "the-422-has-the-documented-key"),
    ],
)
def test_an_example_by_hand_decides_its_rule(name: str, rule: str) -> None:
    assert judged(BY_HAND / f"{name}.yaml").report.tally(rule).outcome == "passed"


def test_each_cassette_says_where_it_comes_from() -> None:
    sources = {
        path.parent.name if path.is_relative_to(BY_HAND) else "recorded": header(path) for path in paths([CASSETTES])
    }
    assert {name: known and known.recorded_from for name, known in sources.items()} == {
        "by-hand": "the documentation's examples, written by hand",
        "recorded": "reference reference",
    }


def test_no_cassette_is_too_large_to_read() -> None:
    sizes = {path: path.stat().st_size for path in paths([CASSETTES])}
    assert max(sizes.values()) < 150_000
    assert sum(sizes.values()) < 2_500_000


def test_no_cassette_holds_a_token() -> None:
    tokens = [token.encode() for token in subject_of(RunOptions()).tokens.values()]
    assert [path for path in paths([CASSETTES]) if any(token in path.read_bytes() for token in tokens)] == []


@pytest.mark.parametrize(
    "path", [RECORDED / "nobody" / "access.yaml", BY_HAND / "explicit.yaml"], ids=lambda path: path.stem
)
def test_vcrpy_replays_a_cassette_as_it_was_recorded(path: Path) -> None:
    replay = vcr.use_cassette(str(path), record_mode="none", match_on=["method", "uri", "body"])
    exchanges = [exchange for exchange in read(path) if exchange.response is not None]
    with replay, httpx.Client() as client:
        answers = [
            client.request(
                each.request.method,
                each.request.url,
                content=each.request.body,
                headers=[(name, value) for name, value in each.request.headers if name.lower() != "content-length"],
            )
            for each in exchanges
        ]
    assert [(answer.status_code, answer.content) for answer in answers] == [
        (each.response.status, each.response.body) for each in exchanges if each.response
    ]
