"""How fast recordings are checked, from file to report, and facts and rules beside what others do with the same bodies.

Run it with ``tox -e bench``.  Absolute figures belong to the machine; compare the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml
from msgspec import structs

from conformance.contract.rules import load
from conformance.contract.schemas import folder, read, registry
from conformance.facts import Settings
from conformance.http.exchange import Exchange, Request, Response, bearer
from conformance.judging.check import examine
from conformance.recordings import NdjsonWriter, RecordingMetadata

HEADERS = (("Authorization", bearer("default")), ("Content-Type", "application/json"))
READ = "https://api.cronofy.com/v1/events?tzid=Etc%2FUTC&only_managed=true&last_modified=2026-01-01T00%3A00%3A00Z"
WRITE = "https://api.cronofy.com/v1/calendars/cal_1/events"
JSON = (("Content-Type", "application/json"),)


def written(number: int) -> dict[str, Any]:
    conferencing = {
        "profile_id": "explicit",
        "provider_description": "Custom",
        "join_url": f"https://c.example/{number}",
    }
    times = {"start": "2026-10-30T10:00:00Z", "end": "2026-10-30T11:00:00Z"}
    return {"event_id": f"event-{number}", "summary": f"Summary {number}", **times, "conferencing": conferencing}


def shown(number: int, *, pending: bool) -> dict[str, Any]:
    event = {key: value for key, value in written(number).items() if key != "conferencing"}
    value = {"pending": True} if pending else {"join_url": f"https://c.example/{number}", "provider_name": None}
    return {
        **event, "calendar_id": "cal_1", "event_uid": f"uid-{number}", "description": "", "deleted": False,
        "created": "2026-10-01T00:00:00Z", "updated": "2026-10-01T00:00:00Z", "location": {"description": ""},
        "participation_status": "accepted", "transparency": "opaque", "event_status": "confirmed", "categories": [],
        "attendees": [], "options": {"delete": True, "update": True}, "conferencing": value,
    }  # fmt: skip


def traffic(events: int, a_page: int) -> Iterator[Exchange]:
    """For each event one write and nine readings; `a_page` events share their readings."""
    now, count = 1_790_000_000.0, 0
    for first in range(0, events, a_page):
        group = range(first, min(events, first + a_page))
        for number in group:
            count += 1
            request = Request("POST", WRITE, HEADERS, json.dumps(written(number)).encode())
            yield Exchange(request, Response(202), f"#{count}", now, now + 0.1, headers_complete=True)
        for reading in range(9):
            count += 1
            now += 0.5 if reading < 2 else 10.0
            items = [shown(number, pending=reading == 0) for number in group]
            body = json.dumps({"pages": {"current": 1, "total": 1}, "events": items}).encode()
            yield Exchange(
                Request("GET", READ, HEADERS),
                Response(200, JSON, body),
                f"#{count}",
                now,
                now + 0.1,
                headers_complete=True,
            )


def of_account(name: str, exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """The traffic as that of another account, with a calendar and join URLs of its own."""
    headers = (("Authorization", bearer(name)), ("Content-Type", "application/json"))

    def own(body: bytes) -> bytes:
        return body.replace(b"cal_1", b"cal_" + name.encode()).replace(
            b"//c.example", b"//" + name.encode() + b".example"
        )

    for exchange in exchanges:
        request, response = exchange.request, exchange.response
        url = request.url.replace("cal_1", f"cal_{name}")
        yield structs.replace(
            exchange,
            label=f"{name}{exchange.label}",
            request=Request(request.method, url, headers, own(request.body)),
            response=response and structs.replace(response, body=own(response.body)),
        )


def of_accounts(number: int, events: int, a_page: int) -> Iterator[Exchange]:
    """The traffic of several accounts at once, each with so many events."""
    everybody = (of_account(f"account{one}", traffic(events, a_page)) for one in range(number))
    return (exchange for at_once in zip(*everybody, strict=True) for exchange in at_once)


#: How often each is timed; the best counts, as whatever else the machine does only takes away.
RETRIES = 5
#: Seconds of CPU after which a command is not run again.
LONG = 10.0


def rate(work: Callable[[], object], count: int) -> float:
    """How many of `count` a second of CPU `work` gets through at its best."""

    def once() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return count / min(once() for _ in range(RETRIES))


def ours(exchanges: Iterable[Exchange]) -> int:
    report = examine(exchanges, load(), Settings())
    assert not any(tally.failed for tally in report.tallies.values()), "the benchmark's traffic is conforming"
    return report.exchanges


def jsonschema_alone(bodies: list[bytes]) -> None:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(read("api/events-page"), registry=registry())
    for body in bodies:
        assert validator.is_valid(json.loads(body))


def schemathesis_alone(bodies: list[bytes]) -> None:
    import schemathesis
    from schemathesis import Response as Answer

    operation = schemathesis.openapi.from_path(folder() / "api" / "openapi.json")["/v1/events"]["GET"]
    import requests

    prepared = requests.Request("GET", "http://127.0.0.1/v1/events").prepare()
    for body in bodies:
        headers = {"content-type": ["application/json"]}
        operation.validate_response(
            Answer(200, headers, body, request=prepared, elapsed=0.0, verify=False, http_version="1.1")
        )


def openapi_core_alone(bodies: list[bytes]) -> None:
    from openapi_core import OpenAPI
    from openapi_core.testing import MockRequest, MockResponse

    api = OpenAPI.from_file_path(str(folder() / "api" / "openapi.json"))
    request = MockRequest(
        "http://127.0.0.1",
        "get",
        "/v1/events",
        args={"tzid": "Etc/UTC"},
        headers={"Authorization": "Bearer x"},
    )
    for body in bodies:
        api.unmarshal_response(request, MockResponse(data=body))


def side_by_side(a_page: int, events: int) -> None:
    """Facts and all rules on exchanges that are parsed already, beside what others do with the same bodies."""
    exchanges = list(traffic(events, a_page))
    bodies = [e.response.body for e in exchanges if e.response is not None and e.response.body]
    own = rate(lambda: ours(exchanges), len(exchanges))
    few = bodies[: max(20, 400 // a_page)]
    beside = []
    for name, peer in (
        ("jsonschema", jsonschema_alone),
        ("openapi-core", openapi_core_alone),
        ("Schemathesis", schemathesis_alone),
    ):
        try:
            theirs = rate(lambda peer=peer: peer(few), len(few))  # type: ignore[misc]
        except Exception as problem:  # noqa: BLE001 - a peer that cannot be measured is said and passed over
            beside.append(f"{name}: not measured ({type(problem).__name__})")
            continue
        beside.append(f"{name}: {own / theirs:.1f}")
    print(f"| {a_page} event(s) a page | {own:,.0f} | {' | '.join(beside)} |")


class Checked(NamedTuple):
    """One run of the command: CPU and wall time in seconds, peak memory of its largest process in MiB, its report."""

    cpu: float
    wall: float
    peak: int
    report: dict[str, Any]


def checked(path: Path, jobs: int) -> Checked:
    """What ``check PATH`` costs, from starting the command to its report."""
    output = path.with_name(f"{path.name}.report.json")
    command = [
        sys.executable,
        "-m",
        "conformance",
        "check",
        str(path),
        f"--jobs={jobs}",
        "--quiet",
        f"--report={output}",
    ]
    start = time.perf_counter()
    process = os.posix_spawn(sys.executable, command, os.environ)
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - start
    assert os.waitstatus_to_exitcode(status) == 0, "the benchmark's traffic is conforming"
    report = json.loads(output.read_text(encoding="utf-8"))
    return Checked(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss // 1024, report)


def best(path: Path, jobs: int) -> Checked:
    """The best of a few runs, as whatever else the machine does only takes away; of a long one it is the first."""
    runs = [checked(path, jobs)]
    while len(runs) < RETRIES and sum(run.cpu for run in runs) < LONG:
        runs.append(checked(path, jobs))
    return min(runs, key=lambda run: run.cpu)


def write(path: Path, exchanges: Iterable[Exchange]) -> Path:
    with NdjsonWriter(path, RecordingMetadata("bench", "1", "nowhere")) as writer:
        for exchange in exchanges:
            writer.write(exchange)
    return path


def varied(folder: Path, runs: int) -> Path:
    """A folder of runs against the reference server, which exercise nearly all rules: the same one again and again."""
    first = folder / "0.ndjson"
    command = [sys.executable, "-m", "conformance", "run", "reference", "--quiet", f"--evidence={first}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    header, _, rest = first.read_text(encoding="utf-8").partition("\n")
    for number in range(1, runs):
        named = json.loads(header)
        named["conformance"]["run"] = f"run-{number}"
        (folder / f"{number}.ndjson").write_text(f"{json.dumps(named)}\n{rest}", encoding="utf-8")
    return folder


def har(path: Path, exchanges: Iterable[Exchange]) -> Path:
    """The exchanges as a browser exports them, written one at a time."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write('{"log": {"version": "1.2", "creator": {"name": "bench", "version": "1"}, "entries": [')
        for number, exchange in enumerate(exchanges):
            stream.write((",\n" if number else "\n") + json.dumps(entry(exchange), indent=1))
        stream.write("]}}")
    return path


def entry(exchange: Exchange) -> dict[str, Any]:
    """An entry of a HAR."""
    request, response = exchange.request, exchange.response
    assert response is not None
    assert exchange.sent_at is not None
    assert exchange.answered_at is not None
    took = (exchange.answered_at - exchange.sent_at) * 1000
    posted = {"postData": {"mimeType": "application/json", "text": request.body.decode()}} if request.body else {}
    return {
        "startedDateTime": datetime.fromtimestamp(exchange.sent_at, UTC).isoformat(),
        "time": took,
        "request": {
            "method": request.method, "url": request.url, "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": named(request.headers), "queryString": [], "headersSize": -1, "bodySize": len(request.body),
            **posted,
        },
        "response": {
            "status": response.status, "statusText": "", "httpVersion": "HTTP/1.1", "cookies": [],
            "headers": named(response.headers), "redirectURL": "", "headersSize": -1, "bodySize": len(response.body),
            "content": {"size": len(response.body), "mimeType": "application/json", "text": response.body.decode()},
        },
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
    }  # fmt: skip


def named(headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def cassette(path: Path, exchanges: Iterable[Exchange]) -> Path:
    """The exchanges as vcrpy writes them, which puts the answer's time into its ``Date`` alone."""
    with path.open("w", encoding="utf-8") as stream:
        stream.write("interactions:\n")
        for exchange in exchanges:
            yaml.dump([interaction(exchange)], stream, Dumper=yaml.CDumper)
        stream.write("version: 1\n")
    return path


def interaction(exchange: Exchange) -> dict[str, Any]:
    """An interaction of a cassette."""
    request, response = exchange.request, exchange.response
    assert response is not None
    assert exchange.answered_at is not None
    shown = (*response.headers, ("Date", formatdate(exchange.answered_at, usegmt=True)))
    return {
        "request": {
            "body": request.body.decode() or None, "headers": {name: [value] for name, value in request.headers},
            "method": request.method, "uri": request.url,
        },
        "response": {
            "body": {"string": response.body.decode()}, "headers": {name: [value] for name, value in shown},
            "status": {"code": response.status, "message": ""},
        },
    }  # fmt: skip


def recordings(folder: Path, *, full: bool) -> Iterator[tuple[str, Path]]:
    """Recordings of growing size, in three formats, and of varied traffic; one takes the place of another."""
    for events in (1_000, 10_000, *((30_000, 100_000) if full else ())):
        yield "NDJSON, 1 event a page", write(folder / "1.ndjson", traffic(events, 1))
    yield "NDJSON, 20 events a page", write(folder / "20.ndjson", traffic(6_000, 20))
    yield "NDJSON, 10 accounts", write(folder / "10.ndjson", of_accounts(10, 1_000, 1))
    yield "NDJSON, 10 accounts, 20 events a page", write(folder / "10-20.ndjson", of_accounts(10, 600, 20))
    for events in (1_000, *((11_400,) if full else ())):
        yield "HAR, 1 event a page", har(folder / "1.har", traffic(events, 1))
    yield "VCR YAML, 1 event a page", cassette(folder / "1.yaml", traffic(1_000, 1))
    (folder / "runs").mkdir()
    yield "NDJSON, runs against the reference server", varied(folder / "runs", 16)


def row(what: str, path: Path) -> str:
    """What the whole command does with a recording, from file to report, as a row of the table."""
    one, two = best(path, 1), best(path, 2)
    count = one.report["run"]["exchanges"]
    rules = [rule["outcome"] != "untested" for rule in one.report["rules"] if rule["applies_to"] == "server"]
    assert one.report["rules"] == two.report["rules"]
    size = sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path])) / 1e6
    return (
        f"| {what} | {count:,} | {size:,.0f} MB | {count / one.cpu:,.0f} | {one.peak} MiB"
        f" | {one.wall / two.wall:.2f} | {two.cpu / one.cpu:.2f} | {two.peak} MiB | {sum(rules)} of {len(rules)} |"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--full", action="store_true", help="go on to a million exchanges, which takes minutes")
    full = arguments.parse_args().full
    with TemporaryDirectory() as name:
        rows = []
        for what, path in recordings(Path(name), full=full):
            rows.append(row(what, path))
            print(rows[-1], file=sys.stderr)
    print("Facts and rules, in exchanges a second of CPU, and how many times as fast that is as others check shapes\n")
    side_by_side(1, 1500)
    side_by_side(20, 3000)
    print("\ncheck, from file to report\n")
    print("| traffic | exchanges | size | a second of CPU | peak | 2 processes: times as fast | CPU | peak | rules |")
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
