"""What is written is read back as it was, and replayed by vcrpy."""

from __future__ import annotations

import asyncio
import json
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import httpx
import pytest
import vcr
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from conformance.http.exchange import Exchange, Request, Response
from conformance.http.redaction import Redactor, SecretLeakError, scrub
from conformance.recordings import NdjsonWriter, RecordingMetadata, TruncatedWarning, header, read, read_all
from conformance.recordings.vcr_writer import write_vcr

HEADER = RecordingMetadata(
    "cronofy-conformance",
    "0.1.0",
    "the reference server",
    "run-1",
    ("default", "profiles"),
    {"quiet": 0.0, "window": None, "settle_timeout": 15.0, "default_profiles": {"profiles": "pro_1"}},
)
BASE = "http://127.0.0.1:8080"
START = 1795363000.0
EVENT = b'{"event_id":"a","summary":"Caf\xc3\xa9: #1","conferencing":{"profile_id":"explicit"}}'
WRITE = Exchange(
    Request(
        "POST",
        f"{BASE}/v1/calendars/cal_1/events",
        (("Authorization", "Bearer <default>"), ("Content-Type", "application/json")),
        EVENT,
    ),
    Response(202, (("Date", "Sun, 22 Nov 2026 15:57:37 GMT"), ("Content-Length", "0"))),
    "#1",
    1795363057.6975613,
    1795363057.7,
    headers_complete=True,
)
READ = Exchange(
    Request("GET", f"{BASE}/v1/events?tzid=Etc/UTC&only_managed=true", (("Authorization", "Bearer <default>"),)),
    Response(
        200,
        (("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("transfer-encoding", "chunked")),
        b'{"events":[' + EVENT + b"]}",
    ),
    "#2",
    1795363058.0,
    1795363058.5,
    headers_complete=True,
    notes=(("call", "1"),),
)
LOST = structs.replace(READ, response=None, answered_at=None, label="#3", sent_at=1795363058.25, notes=())

Write = Callable[[Path, list[Exchange]], None]


def as_vcr(path: Path, exchanges: list[Exchange]) -> None:
    write_vcr(path, exchanges, HEADER)


def as_ndjson(path: Path, exchanges: list[Exchange]) -> None:
    with NdjsonWriter(path, HEADER) as writer:
        for exchange in exchanges:
            writer.write(exchange)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
headers = st.lists(
    st.tuples(st.sampled_from(["Content-Type", "content-type", "X-A", "Content-Encoding", "x"]), texts), max_size=4
).map(tuple)
bodies = (
    st.binary(max_size=20) | texts.map(str.encode) | st.sampled_from([EVENT, b"12:30", b"1e5", b"null", b"~", b"\r\n"])
)
times = st.none() | st.floats(172_800.0, 1e10, allow_nan=False)
requests = st.builds(
    Request,
    st.sampled_from(["GET", "POST", "DELETE"]),
    texts.map(lambda text: f"{BASE}/v1/{text.encode().hex()}?q={text.encode().hex()}"),
    headers,
    bodies,
)
exchanges = st.builds(
    Exchange,
    requests,
    st.none() | st.builds(Response, st.integers(200, 599), headers, bodies),
    texts,
    times,
    times,
    st.sampled_from([0.0, 0.5, 1.0]),
    st.booleans(),
    st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
).map(scrub)


def by_time(recorded: list[Exchange]) -> list[Exchange]:
    """Stable, by time; what has no exact time stays behind the one before it."""
    keys: list[float] = []
    for exchange in recorded:
        exact = exchange.sent_at is not None and exchange.time_resolution < 1
        keys.append(exchange.sent_at if exact and exchange.sent_at is not None else keys[-1] if keys else -1.0)
    return [recorded[i] for i in sorted(range(len(recorded)), key=keys.__getitem__)]


@pytest.mark.parametrize("write", [as_vcr, as_ndjson])
@given(recorded=st.lists(exchanges, max_size=5))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_back_in_the_order_of_sending(write: Write, recorded: list[Exchange]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording"
        write(path, recorded)
        if write is as_vcr:
            assert list(read(path)) == by_time(recorded)
        else:
            assert sorted(read(path), key=repr) == sorted(recorded, key=repr)
        assert header(path) == HEADER


@pytest.mark.parametrize("write", [as_vcr, as_ndjson])
def test_what_was_answered_late_is_read_where_it_was_sent(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "a", [READ, LOST, WRITE])
    assert list(read(tmp_path / "a")) == [WRITE, READ, LOST]


def test_more_than_a_window_out_of_order_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = [structs.replace(WRITE, sent_at=START + at) for at in (3, 5, 4, 1)]
    as_vcr(tmp_path / "a", recorded)
    monkeypatch.setattr("conformance.recordings._WINDOW", 2)
    assert [exchange.sent_at for exchange in read(tmp_path / "a")] == [START + 3, START + 1, START + 4, START + 5]


@pytest.mark.parametrize("write", [as_vcr, as_ndjson])
def test_what_a_driver_was_asked_is_kept_too(tmp_path: Path, write: Write) -> None:
    call = structs.replace(WRITE, request=Request("POST", "driver:///upsert_event", (), EVENT))
    write(tmp_path / "a", [call])
    assert list(read(tmp_path / "a")) == [call]


def test_a_cassette_reads_well(tmp_path: Path) -> None:
    write_vcr(tmp_path / "a.yaml", [WRITE], replace(HEADER, settings={}, accounts=("default",)))
    assert (tmp_path / "a.yaml").read_text() == (
        "conformance:\n"
        "  tool: cronofy-conformance\n"
        "  version: 0.1.0\n"
        "  recorded_from: the reference server\n"
        "  run: run-1\n"
        "  accounts:\n"
        "  - default\n"
        "  settings: {}\n"
        "  applies_to: server\n"
        "version: 1\n"
        "interactions:\n"
        "- label: '#1'\n"
        "  recorded_at:\n"
        "    sent: 1795363057.6975613\n"
        "    answered: 1795363057.7\n"
        "  request:\n"
        "    method: POST\n"
        f"    uri: {BASE}/v1/calendars/cal_1/events\n"
        "    headers:\n"
        "      Authorization:\n"
        "      - Bearer <default>\n"
        "      Content-Type:\n"
        "      - application/json\n"
        f"    body: '{EVENT.decode()}'\n"
        "  response:\n"
        "    status:\n"
        "      code: 202\n"
        "      message: Accepted\n"
        "    headers:\n"
        "      Date:\n"
        "      - Sun, 22 Nov 2026 15:57:37 GMT\n"
        "      Content-Length:\n"
        "      - '0'\n"
        "    body:\n"
        "      string: ''\n"
    )


def test_vcrpy_replays_a_cassette_of_ours(tmp_path: Path) -> None:
    binary = structs.replace(
        READ, response=Response(200, (("X", "1"), ("x-b", "2"), ("X", "3")), bytes(range(256))), label="#4"
    )
    write_vcr(tmp_path / "a.yaml", [LOST, WRITE, READ, binary], HEADER)
    recorder = vcr.VCR(record_mode="none", match_on=["method", "uri", "body"], decode_compressed_response=True)
    with recorder.use_cassette(str(tmp_path / "a.yaml")) as cassette, httpx.Client() as client:
        written = client.post(WRITE.request.url, content=EVENT, headers={"Content-Type": "application/json"})
        first, second = client.get(READ.request.url), client.get(READ.request.url)
        assert cassette.all_played
    assert (written.status_code, written.content) == (202, b"")
    assert READ.response is not None
    assert (first.status_code, first.content) == (200, READ.response.body)
    assert (second.content, second.headers.get_list("x")) == (bytes(range(256)), ["1", "3"])


def test_an_ndjson_is_on_the_disk_before_the_writer_is_closed(tmp_path: Path) -> None:
    writer = NdjsonWriter(tmp_path / "a", HEADER)
    writer.write(WRITE)
    assert list(read(tmp_path / "a")) == [WRITE]
    writer.close()


def test_an_ndjson_tells_the_digest_of_each_line_and_of_the_file(tmp_path: Path) -> None:
    from hashlib import sha256

    with NdjsonWriter(tmp_path / "a", HEADER) as writer:
        digests = [writer.write(WRITE), writer.write(LOST)]
    lines = (tmp_path / "a").read_bytes().splitlines()
    assert digests == [sha256(line).hexdigest() for line in lines[1:]]
    assert writer.sha256 == sha256((tmp_path / "a").read_bytes()).hexdigest()


def test_a_last_line_that_was_cut_off_is_left_out_with_a_warning(tmp_path: Path) -> None:
    as_ndjson(tmp_path / "a", [WRITE, READ])
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:-30])
    with pytest.warns(TruncatedWarning, match="line 3: cut off") as caught:
        assert list(read_all([tmp_path / "a"])) == [WRITE]
    assert len(caught) == 1


def test_a_surrogate_survives_in_ndjson_and_becomes_a_question_mark_in_yaml(tmp_path: Path) -> None:
    odd = structs.replace(WRITE, response=Response(200, (("X", "\udcff"),)))
    as_ndjson(tmp_path / "a", [odd])
    as_vcr(tmp_path / "b", [odd])
    assert list(read(tmp_path / "a")) == [odd]
    assert list(read(tmp_path / "b")) == [structs.replace(WRITE, response=Response(200, (("X", "?"),)))]


@pytest.mark.parametrize("write", [as_vcr, as_ndjson])
def test_tokens_never_reach_a_file(tmp_path: Path, write: Write) -> None:
    bare = structs.replace(WRITE.request, headers=(("Authorization", "Bearer CRN_secret-token"),))
    write(tmp_path / "a", [structs.replace(WRITE, request=bare)])
    assert b"CRN_secret-token" not in (tmp_path / "a").read_bytes()


def test_a_writer_refuses_what_holds_a_token_and_leaves_no_file(tmp_path: Path) -> None:
    redactor = Redactor({"default": "CRN_secret-token"})
    leaking = structs.replace(READ, response=Response(200, (), b"echo CRN_secret%2Dtoken"))
    with pytest.raises(SecretLeakError, match=r"a\.yaml, exchange 2: .*'default'"):
        write_vcr(tmp_path / "a.yaml", [WRITE, leaking], HEADER, redactor)
    assert list(tmp_path.iterdir()) == []
    with NdjsonWriter(tmp_path / "b", HEADER, redactor) as writer:
        writer.write(WRITE)
        with pytest.raises(SecretLeakError, match=r"b, line 3: .*'default'"):
            writer.write(leaking)
        writer.write(redactor.exchange(leaking))
    assert [exchange.response and exchange.response.body for exchange in read(tmp_path / "b")] == [
        b"",
        b"echo <default>",
    ]


def test_a_binary_body_in_yaml_passes_the_same_gate(tmp_path: Path) -> None:
    leaking = structs.replace(READ, response=Response(200, (), b"\xff" * 70 + b"CRN_secret-token" + b"\xff" * 70))
    with pytest.raises(SecretLeakError):
        write_vcr(tmp_path / "a", [leaking], HEADER, Redactor({"default": "CRN_secret-token"}))


def test_files_of_one_run_are_merged_by_time_and_others_follow(tmp_path: Path) -> None:
    write_vcr(tmp_path / "b.yaml", [WRITE, LOST], HEADER)
    write_vcr(tmp_path / "c.yaml", [structs.replace(WRITE, sent_at=START)], replace(HEADER, run="run-2"))
    as_ndjson(tmp_path / "d.ndjson", [READ])
    (tmp_path / ".hidden.yaml").write_text("hidden")
    (tmp_path / "README.md").write_text("no recording")
    assert list(read_all([tmp_path])) == [WRITE, READ, LOST, structs.replace(WRITE, sent_at=START)]


def test_where_a_virtual_clock_stood_still_the_labels_tell_the_order(tmp_path: Path) -> None:
    sent = [structs.replace(WRITE, sent_at=START, answered_at=START, label=f"#{number}") for number in range(12)]
    write_vcr(tmp_path / "a.yaml", sent[1::2], HEADER)
    write_vcr(tmp_path / "b.yaml", sent[::2], HEADER)
    assert list(read_all([tmp_path])) == sent
    write_vcr(tmp_path / "b.yaml", [structs.replace(sent[0], label="unnumbered")], HEADER)
    assert next(read_all([tmp_path])).label == "unnumbered"


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    write_vcr(tmp_path / "a.yaml", [WRITE], HEADER)
    assert list(read_all([tmp_path / "a.yaml", tmp_path])) == [WRITE]


def test_a_foreign_recording_has_no_header(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("interactions: []\nversion: 1\n")
    assert header(tmp_path / "a.yaml") is None
    assert header(Path(__file__).parent / "dialects" / "schemathesis.har") is None
    assert header(Path(__file__).parent / "dialects" / "schemathesis.ndjson") is None


def _many(count: int) -> Iterator[Exchange]:
    body = json.dumps({"events": [{"event_id": str(number), "summary": "x" * 40} for number in range(50)]}).encode()
    for number in range(count):
        sent_at = START + (number ^ 1)
        yield structs.replace(READ, response=Response(200, (), body), sent_at=sent_at, answered_at=sent_at, label="")


@pytest.mark.parametrize("in_order", [True, False])
def test_a_long_ndjson_is_never_in_memory(tmp_path: Path, in_order: bool) -> None:
    with NdjsonWriter(tmp_path / "a", HEADER) as writer:
        for number, exchange in enumerate(_many(2_000)):
            writer.write(structs.replace(exchange, sent_at=START + number) if in_order else exchange)
    assert (tmp_path / "a").stat().st_size > 5_000_000
    tracemalloc.start()
    try:
        times = [exchange.sent_at for exchange in read(tmp_path / "a")]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert times == [START + number for number in range(2_000)]
    assert peak < 1_500_000


def test_the_first_exchange_of_a_long_cassette_comes_before_its_end_is_read(tmp_path: Path) -> None:
    from conformance.recordings.vcr import read_yaml

    write_vcr(tmp_path / "a", islice(_many(200), 200), HEADER)
    text = (tmp_path / "a").read_text()
    (tmp_path / "a").write_text(text + "broken: [")
    assert next(read_yaml(tmp_path / "a")).response == next(_many(1)).response


def test_exchanges_are_written_from_an_event_loop_too(tmp_path: Path) -> None:
    async def run() -> None:
        write_vcr(tmp_path / "a", [WRITE], HEADER)

    asyncio.run(run())
    assert list(read(tmp_path / "a")) == [WRITE]
