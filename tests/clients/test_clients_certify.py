"""Certifying: a client that does as it is told passes, every broken one is caught by what it breaks."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "broken"))

from broken_drivers import BROKEN
from matrix import InProcess, failed, judged

from conformance.clients.cases.driver_call import Case
from conformance.clients.cases.generated_cases import KINDS, generated_cases
from conformance.clients.cases.generated_cases import cases as cases_of
from conformance.clients.cases.optional_cases import optional_cases
from conformance.clients.cases.standard_cases import standard_cases
from conformance.clients.certificate import Certificate, CertifyOptions
from conformance.clients.certify import certify
from conformance.clients.driver import adapters as drivers
from conformance.clients.driver.adapters.driver_httpx import HttpxAdapter as Driver
from conformance.clients.driver.driver_check import check_driver
from conformance.clients.driver.driver_session import CurrentStub, fixture, gateway_with, session
from conformance.clients.driver.process import DriverError
from conformance.clients.transcript import call_records, is_driver_call, judge_calls
from conformance.contract.rules import load
from conformance.http.exchange import Exchange
from conformance.judging.summary import RunReport

CLIENTS = tuple(rule for rule in load() if rule.applies_to == "client")

#: What no client on loopback shows.
ELSEWHERE = frozenset({"requests-go-to-a-documented-host"})

#: What a client on loopback that reads no userinfo does not show.
UNSHOWN = frozenset({"a-profile-id-is-built-in-or-listed", *ELSEWHERE})

FOLDER = Path(str(drivers.__path__[0]))
BROKEN_DRIVERS = Path(__file__).parent / "broken" / "broken_drivers.py"

#: Cases among which every broken client shows itself; the whole table is for ``broken/matrix.py``.
TELLING = (
    "calendars",
    "the lifecycle of an event with default",
    "the lifecycle of an event with explicit",
    "the lifecycle of an event with integrated",
    "explicit, then an update that leaves conferencing out",
    "two kinds, then an update that leaves conferencing out",
    "one event id on two calendars",
    "a delete that is answered 404",
    "omitted with an empty description",
    "omitted with a description",
    "omitted with no privacy",
    "omitted with subscriptions",
    "explicit with a location",
    "the URL 2, https://example.com/j/1?pwd=AbC%2Fd%3D%3D&x=a+b&x=2&empty=",
    "the URL 4, https://example.com/J/UpperCase/MixedCase",
    "the URL 10, https://example.com/long/long/long/long/long/long/long/long/",
    "the provider description '会议室 🚀'",
    "omitted with times in Europe/London",
    "omitted with offsets",
    "the event id qTtZdczOccgaPncGJaCiLg",
    "integrated where it is not available",
    "a 422 with several fields",
    "a write that is answered 403",
    "a read that is answered 403",
    "a delete that is answered 403",
    "a 429, then success",
    "pending is read",
    "no conferencing is read",
    "a conference without a provider name is read",
    "a conference by zoom is read",
    "a conference by 'whereby', unknown to clients is read",
    "pending is read on the third page",
    "the second of four pages is empty",
    "omitted with a description of 4,096 characters",
    "omitted with five attendees",
    "omitted with three subscriptions",
    "omitted with empty objects and arrays",
    "omitted with a time in the far future",
    "a read that is answered 502",
    "a write that is answered 503",
    "a write that is answered 404",
)


def telling() -> tuple[Case, ...]:
    by_name = {case.name: case for case in standard_cases(fixture())}
    return (*(by_name[name] for name in TELLING), by_name["calendars"], *optional_cases(fixture()))


def certified(*command: str, max_examples: int = 0) -> tuple[Certificate, list[Exchange]]:
    seen: list[Exchange] = []
    options = CertifyOptions(command, max_examples=max_examples)
    return asyncio.run(certify(options, load(), sink=seen.append)), seen


def outcomes(certificate: Certificate) -> dict[str, str]:
    return {rule.id: certificate.report.tally(rule.id).outcome for rule in certificate.rules}


def passed_but_for(untested: frozenset[str]) -> dict[str, str]:
    return {rule.id: "untested" if rule.id in untested else "passed" for rule in CLIENTS}


@pytest.fixture(scope="module")
def minimal() -> tuple[Certificate, list[Exchange]]:
    """The minimal client, certified."""
    return certified(sys.executable, str(FOLDER / "driver_httpx.py"), max_examples=10)


def test_the_minimal_client_passes_every_rule_and_its_evidence_says_the_same(
    minimal: tuple[Certificate, list[Exchange]],
) -> None:
    certificate, seen = minimal
    assert outcomes(certificate) == passed_but_for(UNSHOWN)
    assert (certificate.counterexamples, certificate.blocked_requests, certificate.interrupted) == ((), (), False)
    assert certificate.subject["name"].startswith("httpx example 0.")
    again = judge_calls(seen, load())
    assert again == certificate.report
    assert len([exchange for exchange in seen if not is_driver_call(exchange)]) == certificate.run["exchanges"]
    assert "reference-profiles-token" not in repr(seen)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_client_is_caught_by_the_rules_that_it_breaks(name: str) -> None:
    run = asyncio.run(judged(BROKEN[name].driver(), telling()))
    assert failed(run) == BROKEN[name].rules


def test_every_rule_for_clients_is_alone_in_catching_a_broken_one() -> None:
    alone = {rule for broken in BROKEN.values() if len(broken.rules) == 1 for rule in broken.rules}
    assert alone == {rule.id for rule in CLIENTS} - ELSEWHERE


def test_a_failure_shrinks_to_the_smallest_event_that_shows_it() -> None:
    certificate, _ = certified(sys.executable, str(BROKEN_DRIVERS), "join-url-is-sent-as-requested", max_examples=30)
    assert [name for name, outcome in outcomes(certificate).items() if outcome == "failed"] == [
        "join-url-is-sent-as-requested"
    ]
    (found,) = certificate.counterexamples
    (only,) = found.calls
    event = only.record.call.params["event"]
    assert sorted(event) == ["conferencing", "end", "event_id", "start", "summary"]
    assert event["conferencing"] == {
        "profile_id": "explicit",
        "provider_description": "0",
        "join_url": event["conferencing"]["join_url"],
    }
    url = event["conferencing"]["join_url"]
    assert (url.lower() != url, len(url) < 30) == (True, True)
    text = found.text()
    call, request, response, reported, expected = text.splitlines()[1:]
    assert call.startswith("  call      upsert_event")
    assert f'"join_url":"{url.lower()}"' in request.replace('": "', '":"')
    assert (response.split(), reported.split()) == (["response", "202"], ["reported", "ok", "{}"])
    assert f'"join_url":"{url}"' in expected
    assert expected.endswith("request changed /conferencing/join_url")


def test_what_is_reported_wrong_shrinks_to_one_reading() -> None:
    name = "an-unknown-provider-name-is-returned"
    certificate, _ = certified(sys.executable, str(BROKEN_DRIVERS), name, max_examples=30)
    (found,) = certificate.counterexamples
    (only,) = found.calls
    assert only.record.call.method == "read_events"
    shown = [line for line in found.text().splitlines() if line.startswith(("  response", "  reported"))]
    assert ['"conferencing"' in line and " more" in line and '"summary"' not in line for line in shown] == [True] * 2
    assert len(only.record.call.params["event_ids"]) == 1


def test_what_needs_two_calls_shrinks_to_two() -> None:
    name = "unrequested-conferencing-is-not-repeated-on-update"
    certificate, _ = certified(sys.executable, str(BROKEN_DRIVERS), name)
    (found,) = certificate.counterexamples
    assert [judged.record.call.method for judged in found.calls] == ["upsert_event", "upsert_event"]
    assert found.text().splitlines()[1].startswith("  earlier   upsert_event")


@given(st.sampled_from(KINDS).flatmap(lambda kind: cases_of(fixture(), kind)))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_client_that_sends_what_it_is_called_for_is_never_accused(case: Case) -> None:
    run = asyncio.run(judged(Driver(), (dataclasses.replace(case, name="generated"),)))
    assert failed(run) == frozenset()


class FormDriver(Driver):
    """A client that sends forms, with its own spelling of true."""

    def upsert_event(self, params: Any) -> dict[str, Any]:
        fields = [pair for name, value in params["event"].items() for pair in _pairs(name, value)]
        body = {name: [value for key, value in fields if key == name] for name, _ in fields}
        self.client.request("POST", f"/v1/calendars/{params['calendar_id']}/events", data=body)
        return {}


def _pairs(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key, inner in value.items() for pair in _pairs(f"{name}[{key}]", inner)]
    if isinstance(value, list):
        return [pair for inner in value for pair in _pairs(f"{name}[]", inner)]
    return [(name, {True: "True", False: "False"}.get(value, str(value)) if isinstance(value, bool) else str(value))]


def test_a_client_that_sends_forms_is_not_accused() -> None:
    run = asyncio.run(judged(FormDriver(), tuple(case for case in telling() if "subscriptions" not in case.name)))
    assert failed(run) == frozenset()


class TypedDriver(Driver):
    """A client with types: it gives back nulls, empty texts and false for what is absent, and moves times to UTC."""

    def upsert_event(self, params: Any) -> dict[str, Any]:
        event = {"tzid": "Etc/UTC", "location": None, **params["event"]}
        for name in ("start", "end"):
            if isinstance(event[name], str) and event[name].endswith("Z"):
                event[name] = event[name].replace("Z", "+00:00")
        return super().upsert_event({**params, "event": event})

    def read_events(self, params: Any) -> dict[str, Any]:
        events = super().read_events(params)["events"]
        return {
            "events": [
                {
                    "event_id": event.get("event_id"),
                    "conferencing": {"pending": False, "join_url": "", "provider_name": None}
                    | (event.get("conferencing") or {}),
                }
                for event in events
            ]
        }


def test_a_client_with_types_is_not_accused() -> None:
    run = asyncio.run(judged(TypedDriver(), telling()))
    assert failed(run) == {"null-is-not-an-empty-text"}  # inferred: some languages have no null


class EarlyDriver(Driver):
    """A client that looks at the account before it has answered start."""

    def start(self, params: Any) -> dict[str, Any]:
        started = super().start(params)
        assert self.client.request("GET", "/v1/userinfo").json()["sub"]
        calendars = self.client.list_calendars()
        self.client.request("GET", "/v1/events", params={"from": "2030-01-01"} | {"tzid": "Etc/UTC"})
        assert calendars
        return started


def test_what_a_client_sends_while_it_starts_is_answered_and_left_aside() -> None:
    seen: list[Exchange] = []
    run = asyncio.run(judged(EarlyDriver(), telling()[:1], seen.append))
    assert failed(run) == frozenset()
    assert len([exchange for exchange in seen if not is_driver_call(exchange)]) == 1


def test_what_a_client_sends_between_two_calls_is_answered() -> None:
    async def between() -> bool:
        driver, current = Driver(), CurrentStub()
        async with gateway_with(current) as gateway:
            played = await session(InProcess(driver), gateway, current)
            first = await asyncio.to_thread(driver.client.list_calendars)
            await gateway.take()
            assert [record.answer async for record in played.play(telling()[0])]
            again = await asyncio.to_thread(driver.client.list_calendars)
        driver.client.close()
        return bool(first) and first == again

    assert asyncio.run(between())


class UnableDriver(Driver):
    """A client that has no means for conferencing at all."""

    def answer(self, method: str, params: Any) -> dict[str, Any]:
        if method != "start":
            return {"error": {"code": -32601, "message": "not yet"}}
        return super().answer(method, params)


def test_a_client_without_the_means_is_not_accused_and_proves_nothing() -> None:
    run = asyncio.run(judged(UnableDriver(), telling()))
    report = run.judge.report
    assert {report.tally(rule.id).outcome for rule in CLIENTS} == {"untested"}


def test_the_same_seed_generates_the_same_cases() -> None:
    here = fixture()
    first = generated_cases(here, 8, 7)
    assert (len(first), first) == (8, generated_cases(here, 8, 7))
    assert first != generated_cases(here, 8, 8)
    assert generated_cases(here, 0, 7) == ()


def test_the_names_of_the_standard_cases_are_unique() -> None:
    names = [case.name for case in standard_cases(fixture())]
    assert len(set(names)) == len(names)


def test_evidence_in_another_order_is_refused(minimal: tuple[Certificate, list[Exchange]]) -> None:
    _, seen = minimal
    assert [record.name for record in call_records(seen)][:1] == ["calendars (1.1)"]
    first = next(exchange for exchange in seen if not is_driver_call(exchange))
    with pytest.raises(ValueError, match="the order of the evidence was changed"):
        list(call_records([first, *seen]))


@pytest.mark.parametrize(
    ("error", "why"),
    [
        ({"code": 1, "message": "no such data center"}, "no such data center"),
        ({"code": -32000, "message": "who?", "data": {"status": 401}}, "status 401, who?"),
        ({"code": 1, "message": ""}, "its error has no message"),
        ({"code": -32601, "message": "x"}, "it answers that start is unsupported: x"),
    ],
    ids=str,
)
def test_a_driver_that_cannot_start_its_client_is_an_error(error: dict[str, Any], why: str) -> None:
    line = json.dumps({"jsonrpc": "2.0", "id": 1, "error": error})
    program = f"import sys\nfor line in sys.stdin:\n  print('no licence', file=sys.stderr); print({line!r}, flush=True)"
    with pytest.raises(DriverError) as raised:
        certified(sys.executable, "-c", program)
    assert str(raised.value).startswith(f"the driver {sys.executable!r:.5}")
    assert str(raised.value).endswith(f" could not start its client: {why}; its last lines on stderr: no licence")


class LeakyDriver(Driver):
    """A client whose errors repeat its token, with half a surrogate pair."""

    def start(self, params: Any) -> dict[str, Any]:
        self.token = params["access_token"]
        return super().start(params)

    def upsert_event(self, _params: Any) -> dict[str, Any]:
        raise ValueError(f"{self.token} \ud800")


def test_a_token_in_what_a_client_reports_is_not_kept() -> None:
    seen: list[Exchange] = []
    run = asyncio.run(judged(LeakyDriver(), telling()[8:9], seen.append))
    assert failed(run) == {"a-write-is-sent"}
    assert "reference-profiles-token" not in repr(seen)
    (record,) = call_records(seen)
    assert record.answer == {"error": {"code": -32000, "message": r"ValueError('<profiles> \ud800')"}}


def test_ctrl_c_leaves_the_certificate_so_far() -> None:
    async def interrupted() -> Certificate:
        options = CertifyOptions((sys.executable, str(FOLDER / "driver_httpx.py")), max_examples=0)
        enough = asyncio.Event()
        seen = 0

        def progress(_: str) -> None:
            nonlocal seen
            seen += 1
            if seen > 20:
                enough.set()

        run = asyncio.create_task(certify(options, load(), progress=progress))
        await enough.wait()
        run.cancel()
        return await run

    certificate = asyncio.run(interrupted())
    assert certificate.interrupted
    assert certificate.report.tally("a-write-is-sent").outcome == "passed"


@pytest.mark.skipif(find_spec("pycronofy") is None, reason="pycronofy is not installed")
def test_pycronofy_keeps_every_rule() -> None:
    certificate, _ = certified(sys.executable, str(FOLDER / "driver_pycronofy.py"))
    assert outcomes(certificate) == passed_but_for(UNSHOWN)
    assert certificate.subject["client"] == "pycronofy"


def _node_finds_cronofy() -> bool:
    node = shutil.which("node")
    if node is None:
        return False
    found = subprocess.run([node, "-e", "require('cronofy')"], cwd=FOLDER, capture_output=True, check=False)
    return found.returncode == 0


@pytest.mark.skipif(not _node_finds_cronofy(), reason="node does not find the package cronofy (NODE_PATH)")
def test_cronofy_for_node_keeps_every_rule_over_its_own_hosts() -> None:
    certificate, seen = certified("node", str(FOLDER / "driver_cronofy.js"))
    assert outcomes(certificate) == passed_but_for(UNSHOWN - ELSEWHERE)
    assert certificate.subject["client"] == "cronofy"
    sent = {exchange.request.url.split("/v1")[0] for exchange in seen if not is_driver_call(exchange)}
    assert sent == {"https://api.cronofy.com"}


def _has(*command: str) -> bool:
    program = shutil.which(command[0])
    return program is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _has("ruby", "-e", "require 'cronofy'"), reason="ruby does not find the gem cronofy (RUBYLIB)")
def test_cronofy_for_ruby_keeps_every_rule() -> None:
    certificate, _ = certified("ruby", str(FOLDER / "driver_cronofy.rb"))
    assert outcomes(certificate) == passed_but_for(UNSHOWN)
    assert (certificate.subject["client"], certificate.subject["language"]) == ("cronofy", "ruby")


@pytest.mark.skipif(not (_has("curl", "--version") and _has("jq", "--version")), reason="there is no curl, or no jq")
def test_curl_in_a_shell_script_speaks_the_protocol() -> None:
    told: list[str] = []
    options = CertifyOptions(("sh", str(FOLDER / "driver_curl.sh")))
    assert asyncio.run(check_driver(options, lambda finding: told.append(str(finding))))
    assert (told[0].startswith("ok       start"), len(told)) == (True, 11)


@pytest.mark.skipif(not (_has("curl", "--version") and _has("jq", "--version")), reason="there is no curl, or no jq")
def test_one_jq_reads_all_requests_of_the_shell_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = tmp_path / "started"
    wrapper = tmp_path / "jq"
    wrapper.write_text(f'#!/bin/sh\necho >>{started}\nexec {shutil.which("jq")} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    options = CertifyOptions(("sh", str(FOLDER / "driver_curl.sh")))
    assert asyncio.run(check_driver(options, lambda _: None))
    # Beside it one each for the page that is read, the list of calendars, and the errors of the 422.
    assert len(started.read_text().splitlines()) == 4


def test_the_readme_says_what_the_minimal_client_shows(minimal: tuple[Certificate, list[Exchange]]) -> None:
    certificate, _ = minimal
    found = Counter(outcomes(certificate).values())
    line = f"{found['passed']} of {found.total()} rules passed, {found['untested']} untested, over … exchanges"
    assert line in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_a_certificate_speaks_of_no_faults_of_servers(minimal: tuple[Certificate, list[Exchange]]) -> None:
    certificate, _ = minimal
    run_report = RunReport(certificate.report, certificate.rules, certificate.subject, certificate.run, {}, {})
    assert run_report.strength is None


def test_the_protocol_of_a_run_is_what_schemas_driver_describes(tmp_path: Path) -> None:
    import jsonschema_rs

    from conformance.contract.schemas import read, rs_registry

    schema = read("driver")
    lines = tmp_path / "lines"
    program = (
        "import sys,subprocess\n"
        f"out=open({str(lines)!r},'w')\n"
        f"client=subprocess.Popen([sys.executable,{str(FOLDER / 'driver_httpx.py')!r}],stdin=-1,stdout=-1,text=True)\n"
        "for line in sys.stdin:\n"
        "  out.write(line); client.stdin.write(line); client.stdin.flush()\n"
        "  answer=client.stdout.readline(); out.write(answer); out.flush()\n"
        "  sys.stdout.write(answer); sys.stdout.flush()\n"
    )
    wrapped = tmp_path / "wrapped.py"
    wrapped.write_text(program)
    options = CertifyOptions((sys.executable, str(wrapped)), max_examples=20)
    asyncio.run(certify(options, load()))
    parts = {
        kind: jsonschema_rs.validator_for({"$ref": f"{schema['$id']}#/$defs/{kind}"}, registry=rs_registry())
        for kind in ("request", "response")
    }
    kinds = ("request", "response")
    for number, line in enumerate(lines.read_text().splitlines()):
        assert parts[kinds[number % 2]].is_valid(json.loads(line)), line
