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
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

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
        yield replace(
            exchange,
            label=f"{name}{exchange.label}",
            request=Request(request.method, url, headers, own(request.body)),
            response=response and replace(response, body=own(response.body)),
        )


def of_accounts(number: int, events: int, a_page: int) -> Iterator[Exchange]:
    """The traffic of several accounts at once, each with so many events."""
    everybody = (of_account(f"account{one}", traffic(events, a_page)) for one in range(number))
    return (exchange for at_once in zip(*everybody, strict=True) for exchange in at_once)


#: How often each is timed; the best counts, as whatever else the machine does only takes away.
RETRIES = 5


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
    exchanges = list(traffic(events, a_page))
    bodies = [e.response.body for e in exchanges if e.response is not None and e.response.body]
    own = rate(lambda: ours(exchanges), len(exchanges))
    print(f"\n{a_page} event(s) a page, {len(exchanges)} exchanges")
    print(f"  facts and all rules            {own:>9.0f} exchanges/s")
    few = bodies[: max(20, 400 // a_page)]
    for name, peer in (
        ("jsonschema, shape only", jsonschema_alone),
        ("Schemathesis, shape only", schemathesis_alone),
        ("openapi-core, shape only", openapi_core_alone),
    ):
        try:
            theirs = rate(lambda peer=peer: peer(few), len(few))  # type: ignore[misc]
        except Exception as problem:  # noqa: BLE001 - a peer that cannot be measured is said and passed over
            print(f"  {name:<30} not measured: {type(problem).__name__}: {str(problem)[:120]}")
            continue
        print(f"  {name:<30} {theirs:>9.0f} bodies/s      we are {own / theirs:.1f} times as fast")


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


def command(*, million: bool) -> None:
    """The whole command, over recordings of growing size and over varied traffic."""
    print("\ncheck, from file to report (NDJSON)")
    print(
        f"  {'':<22} {'exchanges':>9} {'one process':>14} {'peak':>8} {'two processes':>16} {'peak':>8}   server rules"
    )
    with TemporaryDirectory() as name:
        folder = Path(name)
        sizes = (1_000, 10_000, *((100_000,) if million else ()))
        for events in sizes:
            show("1 event a page", write(folder / f"{events}.ndjson", traffic(events, 1)))
        show("20 events a page", write(folder / "pages.ndjson", traffic(6_000, 20)))
        show("10 accounts, 1 a page", write(folder / "accounts.ndjson", of_accounts(10, 1_000, 1)))
        show("10 accounts, 20 a page", write(folder / "full.ndjson", of_accounts(10, 600, 20)))
        (folder / "varied").mkdir()
        show("varied", varied(folder / "varied", 16))


def show(what: str, path: Path) -> None:
    one, two = checked(path, 1), checked(path, 2)
    count = one.report["run"]["exchanges"]
    rules = [rule["outcome"] != "untested" for rule in one.report["rules"] if rule["applies_to"] == "server"]
    assert one.report["rules"] == two.report["rules"]
    print(
        f"  {what:<22} {count:>9} {count / one.cpu:>9.0f} a s {one.peak:>4} MiB"
        f" {one.wall / two.wall:>9.2f} x as fast {two.peak:>4} MiB   {sum(rules)} of {len(rules)}"
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--full", action="store_true", help="go on to a million exchanges, which takes minutes")
    million = arguments.parse_args().full
    print(Path(__file__).name, "(CPU time; wall time where processes are compared)")
    command(million=million)
    side_by_side(1, 1500)
    side_by_side(20, 3000)


if __name__ == "__main__":
    main()
