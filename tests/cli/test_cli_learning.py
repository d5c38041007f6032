"""What is learnt of the lines of a recording: a share that passes over those of others makes the same facts."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

import pytest

from conformance.cli.dividing import parts_of
from conformance.cli.learning import learn
from conformance.cli.opened_runs import OneRun
from conformance.facts import Facts, Observer, Settings, observe
from conformance.http.exchange import Exchange, Request, Response, bearer
from conformance.recordings import NdjsonWriter, RecordingMetadata, read

NOW = 1_790_000_000.0
SETTINGS = Settings(quiet=2.0, window=3.0)


def asked(name: str, method: str, path: str, body: object = None) -> Request:
    headers = (("Authorization", bearer(name)), ("Content-Type", "application/json"))
    return Request(method, f"http://127.0.0.1/v1{path}", headers, b"" if body is None else json.dumps(body).encode())


def written(name: str, number: int, version: int) -> Request:
    link = {"profile_id": "explicit", "provider_description": "x", "join_url": f"https://meet.example/{name}/{version}"}
    event = {"event_id": f"e{number}", "start": "2026-12-01T10:00:00Z", "end": "2026-12-01T11:00:00Z"}
    return asked(name, "POST", f"/calendars/cal_{name}/events", {**event, "summary": "s", "conferencing": link})


def shown(name: str, versions: dict[int, int]) -> Response:
    events = [
        {**json.loads(written(name, number, version).body), "calendar_id": f"cal_{name}"}
        for number, version in versions.items()
    ]
    return Response(200, (), json.dumps({"pages": {"current": 1, "total": 1}, "events": events}).encode())


def traffic(seed: int, steps: int) -> list[Exchange]:
    """Accounts that write events and read them, of which answers overtake each other, and some come very late."""
    chance, now, versions = random.Random(seed), NOW, {name: dict[int, int]() for name in "abc"}
    exchanges = []
    for step in range(steps):
        now += chance.choice((0.0, 0.01, 0.3, 2.0))
        took = chance.choice((0.0, 0.1, 0.1, 1.0, 5.0)) if step != 3 else steps / 2
        name = chance.choice("abbccc")
        if step < 3 or chance.random() < 0.1:
            number = chance.randrange(3)
            versions[name][number] = step
            request, response = written(name, number, step), Response(202)
        else:
            request, response = (
                asked(name, "GET", f"/events?tzid=UTC&only_managed=true&n={step % 7}"),
                shown(name, versions[name]),
            )
        exchanges.append(Exchange(request, response, f"#{step}", now, now + took, headers_complete=True))
    return exchanges


def saved(path: Path, exchanges: Iterable[Exchange]) -> OneRun:
    with NdjsonWriter(path, RecordingMetadata("test", "1", "nowhere")) as writer:
        for exchange in exchanges:
            writer.write(exchange)
    return OneRun((path,), RecordingMetadata("test", "1", "nowhere"), frozenset(), SETTINGS)


def made_apart(run: OneRun, jobs: int) -> list[Facts]:
    """The facts of all shares of a run, in the order of their places."""
    (part,) = parts_of([run], jobs)
    assert len(part.shares) == jobs
    found = []
    for (own,), share in part.given:
        observer = Observer(SETTINGS, revisions=False, share=share)
        for exchange in read(own.files[0], selection=own.selection):
            observer.add(exchange)
            found += observer.closed()
        found += observer.drain()
    return sorted(found, key=lambda one: one.place)


def told(facts: Iterable[Facts]) -> list[tuple[object, ...]]:
    return [(one.about, one.key, one.document, one.evidence, one.earlier) for one in facts]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("in_order", [True, False])
def test_facts_of_shares_come_where_they_come_in_the_whole(tmp_path: Path, seed: int, in_order: bool) -> None:
    exchanges = traffic(seed, 900)
    lines = exchanges if in_order else [one for at in range(0, 900, 5) for one in exchanges[at : at + 5][::-1]]
    run = saved(tmp_path / "run.ndjson", lines)
    whole = told(observe(read(run.files[0]), SETTINGS))
    assert [told(made_apart(run, jobs)) == whole for jobs in (2, 3)] == [True, True]


def test_lines_of_others_who_write_otherwise_are_not_learnt(tmp_path: Path) -> None:
    path = tmp_path / "other.ndjson"
    path.write_bytes(b'{"request":{"method":"GET","url":"http://127.0.0.1/v1/events"}}\n' * 200)
    assert learn(path, is_ours=False) is None
