"""An exchange that this tool cannot judge is a finding about the tool, by its label, and the rest is judged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.cli.main import cli
from conformance.clients.cases.driver_call import DriverCall
from conformance.clients.facts.call import CallRecord
from conformance.clients.held_exchanges import HeldExchanges
from conformance.clients.transcript import as_exchanges, judge_calls
from conformance.contract.rules import load
from conformance.facts import Facts, Settings
from conformance.http.exchange import Exchange
from conformance.http.redaction.collecting import SecretCollector
from conformance.judging.check import examine
from conformance.judging.judge import Judge
from conformance.judging.report import KEPT_UNJUDGED, Report
from conformance.judging.unending import UnendingJudge
from conformance.recordings import paths, read_all
from conformance.servers.campaign import run
from conformance.servers.run_options import RunOptions

RULES = tuple(rule for rule in load() if rule.applies_to == "server")
SETTINGS = Settings(quiet=2.0)
RECORDING = Path("cassettes/reference")
RECORDED = tuple(read_all(paths([RECORDING])))
PLACE = [place for place, one in enumerate(RECORDED) if one.request.method == "POST"][20]
LABEL = RECORDED[PLACE].label


def raising(name: str, of: Callable[[Any], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a function raise for the arguments that are meant."""
    original = resolve_name(name)

    def sometimes(*arguments: Any, **options: Any) -> Any:
        if any(map(of, arguments)):
            raise KeyError("a-secret")
        return original(*arguments, **options)

    monkeypatch.setattr(name, sometimes)


def is_of(label: str) -> Callable[[Any], bool]:
    return lambda value: getattr(getattr(value, "exchange", value), "label", None) == label


def failed(report: Report) -> set[str]:
    return {rule for rule, tally in report.tallies.items() if tally.failed}


def labels(report: Report) -> list[str]:
    return [one.exchange for one in report.unjudged]


def test_what_cannot_be_observed_is_named_and_the_rest_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    raising("conformance.facts.observer.exchange_document", is_of(LABEL), monkeypatch)
    report = examine(RECORDED, RULES, SETTINGS)
    assert labels(report) == [LABEL]
    assert report.exchanges == len(RECORDED)
    assert sum(tally.passed for tally in report.tallies.values()) > 20
    assert failed(report) <= failed(examine(RECORDED, RULES, SETTINGS))


def test_what_a_rule_cannot_be_asked_of_is_named_and_the_rest_is_judged() -> None:
    judge = Judge(RULES)

    def picky(facts: Facts) -> Any:
        if facts.about == "write":
            raise RecursionError
        return judge(facts)

    report = examine(RECORDED, RULES, SETTINGS, judge=picky)  # type: ignore[arg-type]
    assert 1 <= len(report.unjudged) <= KEPT_UNJUDGED
    assert set(labels(report)) <= {one.label for one in RECORDED}
    assert report.tally("explicit-is-kept").outcome == "untested"
    assert any(tally.passed for tally in report.tallies.values())


def test_an_event_that_cannot_be_closed_keeps_back_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = examine(RECORDED, RULES, SETTINGS)
    event_id = json.loads(RECORDED[PLACE].request.body)["event_id"]
    raising(
        "conformance.facts.observer.Observer._end",
        lambda value: getattr(value, "key", ("",))[-1] == event_id,
        monkeypatch,
    )
    report = examine(RECORDED, RULES, SETTINGS)
    assert len(report.unjudged) == 1
    counted = [sum(tally.passed for tally in one.tallies.values()) for one in (report, whole)]
    assert 0.5 * counted[1] < counted[0] < counted[1]


def test_traffic_without_an_end_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    raising("conformance.facts.observer.exchange_document", is_of(LABEL), monkeypatch)
    judge = UnendingJudge(RULES, SETTINGS, 600.0, lambda verdict: None)
    for exchange in RECORDED:
        judge.add(exchange)
    assert labels(judge.close()) == [LABEL]


def test_a_run_goes_on_and_is_inconclusive(monkeypatch: pytest.MonkeyPatch) -> None:
    raising("conformance.facts.observer.exchange_document", is_of("#9"), monkeypatch)
    result = asyncio.run(run(RunOptions(max_requests=60), small=False))
    assert labels(result.report) == ["#9"]
    assert len(result.exchanges) > 30
    assert any(tally.passed for tally in result.report.tallies.values())


def test_a_call_of_a_driver_that_cannot_be_judged_is_named_and_the_others_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    call = DriverCall("delete_event", {"calendar_id": "cal_1", "event_id": "e"})
    records = [CallRecord(f"call {number}", call, {"result": {}}) for number in range(3)]
    exchanges = [exchange for record in records for exchange in as_exchanges(record)]
    rules = tuple(rule for rule in load() if rule.applies_to == "client")
    raising("conformance.clients.transcript.call_facts", lambda value: value.name == "call 1", monkeypatch)
    report = judge_calls(exchanges, rules)
    assert labels(report) == ["call 1"]
    assert sum(tally.failed for tally in report.tallies.values()) == 2, "none of the two others was sent"


def test_what_cannot_be_concealed_is_kept_nowhere_and_the_rest_is(monkeypatch: pytest.MonkeyPatch) -> None:
    raising("conformance.clients.held_exchanges.scrub", is_of(LABEL), monkeypatch)
    delivered: list[Exchange] = []
    held = HeldExchanges(delivered.append, SecretCollector({}))
    for exchange in RECORDED:
        held.add(exchange)
    held.close()
    assert [one.label for one in delivered] == [one.label for one in RECORDED]
    stand_in = delivered[PLACE]
    assert (stand_in.request.url, stand_in.request.body, stand_in.response) == ("http://redacted/", b"", None)
    assert labels(examine(delivered, RULES, SETTINGS)) == [LABEL]


@pytest.mark.parametrize(
    ("where", "options"),
    [
        ("conformance.facts.observer.exchange_document", ()),
        ("conformance.http.redaction.scrubbing.Scrubber.__call__", ()),
        ("conformance.http.redaction.personal.PersonalData.exchange", ("--redact-personal",)),
    ],
)
def test_check_says_which_it_is_and_ends_with_3(
    where: str, options: Iterable[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(where, is_of(LABEL), monkeypatch)
    made = CliRunner().invoke(
        cli, ["check", str(RECORDING), "--report", str(tmp_path / "r.json"), "--report", "-", *options]
    )
    assert made.exit_code == 3, made.output
    document = json.loads((tmp_path / "r.json").read_text())
    assert [one["exchange"] for one in document["unjudged_exchanges"]] == [LABEL]
    assert document["outcome"] == "inconclusive"
    assert not document["fully_covered"]
    assert f"{LABEL} could not be judged" in made.output
    assert "a limit of this tool" in made.output
    assert "a-secret" not in made.output
