"""The recordings of every recorder are read as the same exchanges."""

from __future__ import annotations

import base64
import gzip
import json
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
import yaml
from msgspec import structs
from vcr.request import Request as VcrRequest
from vcr.serialize import serialize
from vcr.serializers import jsonserializer, yamlserializer

from conformance.http.exchange import Exchange, Request, Response, account_of_token
from conformance.recordings import (
    NOT_RECORDED,
    InvalidRecordingError,
    NdjsonWriter,
    RecordingMetadata,
    UndecodedWarning,
    header,
    paths,
    read,
    read_all,
)

DIALECTS = Path(__file__).parent / "dialects"
URL = "https://api.cronofy.com/v1/events?tzid=Etc%2FUTC&only_managed=true"
JSON = ("Content-Type", "application/json")
SUNDAY = 1795363057.0
DATE = ("Date", "Sun, 22 Nov 2026 15:57:37 GMT")
EVENTS = b'{"pages":{"current":1,"total":1},"events":[{"event_id":"a","summary":"\xc3\xbc"}]}'
TOKEN = "CRN_a-very-secret-token"
BEARER = ("Authorization", f"Bearer <{account_of_token(TOKEN)}>")


def saved(tmp_path: Path, text: str | bytes, name: str = "recording") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def only(path: Path) -> Exchange:
    (exchange,) = read(path)
    return exchange


def cassette(tmp_path: Path, response: object, request: object | None = None, **control_request: object) -> Path:
    request = request or {"method": "GET", "uri": URL, "headers": {}, "body": None}
    document = {"version": 1, "interactions": [{"request": request, "response": response, **control_request}]}
    return saved(tmp_path, yaml.safe_dump(document, sort_keys=False))


def answer(body: object, *headers: tuple[str, str]) -> dict[str, object]:
    return {
        "status": {"code": 200, "message": "OK"},
        "headers": {name: [value] for name, value in (*headers, JSON)},
        "body": body,
    }


@pytest.mark.parametrize("serializer", [yamlserializer, jsonserializer])
def test_a_cassette_of_vcrpy_reads_as_what_it_recorded(tmp_path: Path, serializer: object) -> None:
    requests = [VcrRequest("GET", URL, None, {"accept": "*/*", "authorization": f"Bearer {TOKEN}"})]
    responses = [{**answer({"string": EVENTS}), "headers": {JSON[0]: [JSON[1]], DATE[0]: [DATE[1]]}}]
    path = saved(tmp_path, serialize({"requests": requests, "responses": responses}, serializer))
    assert list(read(path)) == [
        Exchange(
            Request("GET", URL, (("accept", "*/*"), ("authorization", BEARER[1]))),
            Response(200, (JSON, DATE), EVENTS),
            label=f"{path}#1",
            sent_at=SUNDAY,
            answered_at=SUNDAY,
            time_resolution=1.0,
        )
    ]
    assert TOKEN not in repr(list(read(path)))


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(EVENTS, mtime=0)),
        ("gzip", gzip.compress(EVENTS[:20], mtime=0) + gzip.compress(EVENTS[20:], mtime=0)),
        ("x-gzip", gzip.compress(EVENTS, mtime=0)),
        ("deflate", zlib.compress(EVENTS)),
        ("deflate", zlib.compress(EVENTS)[2:-4]),
        ("deflate, gzip", gzip.compress(zlib.compress(EVENTS), mtime=0)),
        ("gzip", EVENTS),
        ("br", EVENTS),
        ("gzip;q=1.0,deflate;q=0.6,identity;q=0.3", EVENTS),
    ],
)
def test_a_content_coding_is_undone_where_it_is_still_there(tmp_path: Path, coding: str, body: bytes) -> None:
    exchange = only(cassette(tmp_path, answer({"string": body}, ("Content-Encoding", coding))))
    assert exchange.response == Response(200, (("Content-Encoding", coding), JSON), EVENTS)


@pytest.mark.parametrize(
    "body", [gzip.compress(EVENTS, mtime=0)[:-9], b"\x1b\x00\xff\xfe", gzip.compress(bytes(70 * 2**20), mtime=0)]
)
def test_a_body_that_no_coding_undoes_is_not_recorded(tmp_path: Path, body: bytes) -> None:
    exchange = only(cassette(tmp_path, answer({"string": body}, ("Content-Encoding", "gzip"))))
    assert exchange.response is None
    assert exchange.notes == (("response-body", NOT_RECORDED), ("response-status", "200"))


@pytest.mark.parametrize(("coding", "module"), [("br", "brotli"), ("zstd", "zstandard")])
def test_a_body_in_a_coding_whose_package_is_missing_is_not_recorded_and_named_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coding: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    coded = answer({"string": b"\xff"}, ("Content-Encoding", coding))
    item = {"request": {"method": "GET", "uri": URL}, "response": coded}
    path = saved(tmp_path, yaml.safe_dump({"version": 1, "interactions": [item, item]}))
    with pytest.warns(UndecodedWarning) as caught:
        exchanges = list(read(path))
    advice = (
        f"{path}: bodies coded in {coding} count as not recorded; install cronofy-conformance[compression] to read them"
    )
    assert [str(warning.message) for warning in caught] == [advice]
    not_recorded = (("response-coding", coding), ("response-body", NOT_RECORDED), ("response-status", "200"))
    assert [(one.response, one.notes) for one in exchanges] == [(None, not_recorded)] * 2


@pytest.mark.parametrize(
    "body",
    [
        {"string": EVENTS.decode()},
        {"string": EVENTS},
        {"encoding": "UTF-8", "string": EVENTS.decode()},
        {"encoding": "ASCII-8BIT", "string": EVENTS.decode()},
        {"encoding": "utf-8", "base64_string": base64.encodebytes(EVENTS).decode()},
        {"base64_string": base64.b64encode(EVENTS).decode()},
        EVENTS.decode(),
        [EVENTS[:9].decode(), EVENTS[9:].decode()],
    ],
)
def test_a_body_is_the_same_however_it_is_kept(tmp_path: Path, body: object) -> None:
    assert only(cassette(tmp_path, answer(body))).response == Response(200, (JSON,), EVENTS)


def test_a_body_in_a_named_encoding_has_that_encodings_bytes(tmp_path: Path) -> None:
    exchange = only(cassette(tmp_path, answer({"encoding": "ISO-8859-1", "string": "ü"})))
    assert exchange.response is not None
    assert exchange.response.body == b"\xfc"


@pytest.mark.parametrize(
    ("body", "content_type", "sent"),
    [
        ({"summary": "a b", "n": 1}, "application/json", b'{"summary": "a b", "n": 1}'),
        ({"summary": "a b"}, "application/x-www-form-urlencoded", b"summary=a+b"),
        (["summary"], "application/json", b"summary"),
        (None, "application/json", b""),
    ],
)
def test_values_that_a_client_was_given_become_what_it_sent(
    tmp_path: Path, body: object, content_type: str, sent: bytes
) -> None:
    request = {"method": "post", "uri": URL, "headers": {"Content-Type": content_type}, "body": body}
    exchange = only(cassette(tmp_path, answer({"string": ""}), request))
    assert exchange.request == Request("POST", URL, (("Content-Type", content_type),), sent)


def test_vcrpys_python_tags_read_as_text_and_bytes(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        f"""
interactions:
- request:
    method: !!python/unicode 'POST'
    uri: {URL}
    headers: {{a: !!python/tuple [b, !!binary "Yw=="], e: null, t: 12:30:45, n: [0012], flag: true}}
    body: !!python/object/new:_io.BytesIO
      state: !!python/tuple [!!binary "YWJj", 0, null]
  response: &answer {{status: {{code: 202, message: Accepted}}, headers: {{}}, body: {{string: !binary "aGk="}}}}
- request:
    method: POST
    uri: {URL}
    headers: {{}}
    body: !!python/object/apply:builtins.iter
      args: [[!!binary "YWJj", !!binary "ZGVm"]]
  response: *answer
version: 1
""",
    )
    first, second = read(path)
    headers = (("a", "b"), ("a", "c"), ("e", ""), ("t", "12:30:45"), ("n", "0012"), ("flag", "true"))
    assert first.request == Request("POST", URL, headers, b"abc")
    assert second.request == Request("POST", URL, (), b"abcdef")
    assert first.response == second.response == Response(202, (), b"hi")


def test_a_cassette_of_ruby_vcr_has_its_own_times(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        f"""---
http_interactions:
- request:
    method: get
    uri: {URL}
    body:
      encoding: US-ASCII
      string: ''
    headers:
      Authorization:
      - Bearer {TOKEN}
  response:
    status:
      code: 200
      message: OK
    headers:
      Content-Type:
      - application/json
    body:
      encoding: UTF-8
      string: '{EVENTS.decode()}'
    http_version:
  recorded_at: Sun, 22 Nov 2026 15:57:37 GMT
recorded_with: VCR 6.2.0
""",
    )
    assert list(read(path)) == [
        Exchange(
            Request("GET", URL, (BEARER,)),
            Response(200, (JSON,), EVENTS),
            f"{path}#1",
            SUNDAY,
            SUNDAY,
            time_resolution=1.0,
        )
    ]


def test_httpx_cassettes_of_early_vcrpy_are_read(tmp_path: Path) -> None:
    response = {"status_code": 200, "http_version": "HTTP/1.1", "headers": {"Content-Type": JSON[1]}}
    exchange = only(cassette(tmp_path, {**response, "content": EVENTS.decode()}))
    assert exchange.response == Response(200, (JSON,), EVENTS)


def _kin(request: dict[str, object], response: dict[str, object]) -> dict[str, object]:
    common = {"method": "get", "url": URL, "headers": {"Authorization": [f"Bearer {TOKEN}"]}, "body": ""}
    headers = {JSON[0]: JSON[1], DATE[0]: DATE[1]}
    return {"request": common | request, "response": {"headers": headers, "body": EVENTS.decode()} | response}


GO_VCR = _kin({"form": {}, "host": "api.cronofy.com"}, {"status": "200 OK", "code": 200, "duration": "180.000000ms"})
PHP_VCR = _kin({}, {"status": {"http_version": "1.1", "code": "200", "message": "OK"}})
R_STATUS = {"status_code": "200", "category": "Success", "reason": "OK"}
R_VCR = _kin({}, {"status": R_STATUS, "body": {"encoding": "", "file": False, "string": EVENTS.decode()}})
EX_VCR = _kin({"request_body": "", "options": []}, {"binary": False, "status_code": 200, "type": "ok"})


@pytest.mark.parametrize(
    "document",
    [
        {"version": 1, "interactions": [GO_VCR]},
        {"version": 2, "interactions": [{"id": 0, **GO_VCR}]},
        [{**PHP_VCR, "index": 0}],
        {"http_interactions": [R_VCR], "recorded_with": "vcr/0.6.0, webmockr/0.7.0"},
        [EX_VCR],
    ],
    ids=["go-vcr 2", "go-vcr 3", "PHP-VCR", "R", "ExVCR"],
)
def test_the_kin_of_vcr_in_other_languages_reads_as_it_does(tmp_path: Path, document: object) -> None:
    for text in (yaml.safe_dump(document, sort_keys=False), json.dumps(document), json.dumps(document, indent=2)):
        path = saved(tmp_path, text)
        exchange = Exchange(Request("GET", URL, (BEARER,)), Response(200, (JSON, DATE), EVENTS), f"{path}#1")
        assert list(read(path)) == [structs.replace(exchange, sent_at=SUNDAY, answered_at=SUNDAY, time_resolution=1.0)]
        assert header(path) is None


@pytest.mark.parametrize(
    ("item", "notes"),
    [
        (_kin({}, {"status": R_STATUS, "body": {"file": True, "string": "a.json"}}), ["response-body"]),
        (_kin({}, {"status_code": 200, "binary": True, "body": "g2oAAAAA"}), ["response-body"]),
        (_kin({"post_fields": {"a": "b"}}, {"status": {"code": 200}}), ["request-body"]),
    ],
)
def test_a_body_that_is_elsewhere_is_not_recorded(tmp_path: Path, item: object, notes: list[str]) -> None:
    exchange = only(saved(tmp_path, json.dumps([item])))
    assert [name for name, value in exchange.notes if value == NOT_RECORDED] == notes


def test_an_error_in_place_of_an_answer_is_none(tmp_path: Path) -> None:
    item = {"request": {"method": "get", "url": URL, "headers": {}}, "response": {"type": "error", "reason": "closed"}}
    assert only(saved(tmp_path, json.dumps([item]))).response is None


def test_the_body_that_exvcr_sent_is_apart_from_the_one_it_shows(tmp_path: Path) -> None:
    item = _kin({"method": "post", "body": "", "request_body": "{}"}, {"status_code": 202, "type": "ok", "body": ""})
    assert only(saved(tmp_path, json.dumps([item]))).request.body == b"{}"


def test_the_archives_that_polly_stores_side_by_side_are_one(tmp_path: Path) -> None:
    archives = {f"{name}_1": json.loads(har(tmp_path, entry()).read_text()) for name in ("a", "b")}
    path = saved(tmp_path, json.dumps(archives))
    assert [(e.label, e.request.url) for e in read(path)] == [(f"{path}#1", URL), (f"{path}#2", URL)]


def test_a_json_list_of_our_lines_reads_as_the_lines_do(tmp_path: Path) -> None:
    written = Exchange(
        Request("GET", URL, (BEARER,)), Response(200, (JSON,), EVENTS), "#1", SUNDAY, SUNDAY, headers_complete=True
    )
    described = RecordingMetadata("t", "1", "x", run="r")
    with NdjsonWriter(tmp_path / "a", described) as writer:
        writer.write(written)
        writer.write(structs.replace(written, label="#2"))
    lines = (tmp_path / "a").read_text().splitlines()
    path = saved(tmp_path, f"[{','.join(lines)}]")
    assert (header(path), list(read(path))) == (described, [written, structs.replace(written, label="#2")])
    path = saved(tmp_path, f"[\n{lines[1]}]")
    assert (header(path), list(read(path))) == (None, [written])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes")
@pytest.mark.parametrize("name", ["schemathesis.har", "schemathesis.yaml", "schemathesis.ndjson"])
def test_what_comes_through_a_pipe_reads_as_the_file_does(tmp_path: Path, name: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = Thread(target=pipe.write_bytes, args=[(DIALECTS / name).read_bytes()])
    writing.start()
    (piped,) = paths([pipe])
    writing.join()
    assert (str(piped), header(piped)) == (str(pipe), None)
    sent = [structs.replace(exchange, label="") for exchange in read(DIALECTS / name)]
    assert [structs.replace(exchange, label="") for exchange in read_all([piped])] == sent
    assert next(read(piped)).label.startswith(str(pipe))


def _of_schemathesis(name: str) -> list[Exchange]:
    return list(read(DIALECTS / name))


@pytest.mark.parametrize("name", ["schemathesis", "schemathesis_bytes"])
def test_schemathesis_three_reports_of_one_run_agree(name: str) -> None:
    har, ndjson, vcr = (_of_schemathesis(f"{name}.{suffix}") for suffix in ("har", "ndjson", "yaml"))
    assert len(har) == len(ndjson) == len(vcr) == 3
    for ours, theirs, third in zip(har, ndjson, vcr, strict=True):
        assert (ours.request.method, ours.request.url) == (theirs.request.method, theirs.request.url)
        assert ours.request.body == theirs.request.body == third.request.body
        assert ours.response is not None
        assert theirs.response is not None
        assert third.response is not None
        assert ours.response.status == theirs.response.status == third.response.status
        if ours.request.path != "/v1/bin" or name.endswith("_bytes"):
            assert ours.response.body == theirs.response.body == third.response.body
        assert ours.sent_at == pytest.approx(theirs.sent_at, abs=1e-4) == pytest.approx(third.sent_at, abs=1e-4)
        assert ours.answered_at == pytest.approx(theirs.answered_at, abs=1e-4)
        assert third.answered_at == pytest.approx(theirs.answered_at, abs=1e-4)
        assert ours.request.header("authorization") is None
        assert (ours.headers_complete, theirs.headers_complete, third.headers_complete) == (False, False, False)


def test_schemathesis_bytes_survive_every_byte_value() -> None:
    for suffix in ("har", "ndjson", "yaml"):
        binary = next(e for e in _of_schemathesis(f"schemathesis_bytes.{suffix}") if e.request.path == "/v1/bin")
        assert binary.response is not None
        assert binary.response.body == bytes(range(256))


def test_a_truncated_body_of_schemathesis_is_not_recorded(tmp_path: Path) -> None:
    text = (
        (DIALECTS / "schemathesis.yaml")
        .read_text()
        .replace("    http_version:", "    truncated_from: 99\n    http_version:")
    )
    assert [e.response for e in read(saved(tmp_path, text))] == [None, None, None]


def har(tmp_path: Path, *entries: dict[str, object], creator: str = "WebInspector") -> Path:
    log = {"version": "1.2", "creator": {"name": creator, "version": "537"}, "entries": list(entries)}
    return saved(tmp_path, json.dumps({"log": log}, indent=2))


def entry(**changes: object) -> dict[str, object]:
    return {
        "_initiator": {"type": "script"},
        "startedDateTime": "2026-11-22T15:57:37.250Z",
        "time": 500.0,
        "request": {"method": "GET", "url": URL, "headers": [{"name": ":authority", "value": "api.cronofy.com"}]},
        "response": {
            "status": 200,
            "headers": [{"name": "Content-Type", "value": JSON[1]}],
            "content": {"size": len(EVENTS), "mimeType": JSON[1], "text": EVENTS.decode()},
        },
    } | changes


@pytest.mark.parametrize("is_coded", [True, False])
@pytest.mark.parametrize(
    ("marks", "written"),
    [({"encoding": "base64"}, lambda chunk: base64.b64encode(chunk).decode()), ({"_isBinary": True}, bytes.hex)],
    ids=["Polly.js 6", "Polly.js 4"],
)
def test_a_body_of_polly_is_what_was_sent_in_one_piece_or_in_chunks_while_it_is_coded(
    tmp_path: Path, marks: dict[str, object], written: Callable[[bytes], str], is_coded: bool
) -> None:
    body = gzip.compress(EVENTS) if is_coded else EVENTS
    text = json.dumps([written(body[:9]), written(body[9:])], separators=(",", ":")) if is_coded else written(body)
    coding = [{"name": "content-encoding", "value": "gzip"}] if is_coded else []
    content = {"size": len(body), "mimeType": JSON[1], "text": text, **marks}
    exchange = only(har(tmp_path, entry(response={"status": 200, "headers": coding, "content": content})))
    assert exchange.response is not None
    assert exchange.response.body == EVENTS
    content["text"] = '["zz"'
    with pytest.raises(InvalidRecordingError, match=r"response\.content\.text: "):
        only(har(tmp_path, entry(response={"status": 200, "headers": coding, "content": content})))


def test_an_archive_of_a_browser_without_authorization_says_nothing_of_it(tmp_path: Path) -> None:
    path = har(tmp_path, entry())
    assert only(path) == Exchange(
        Request("GET", URL),
        Response(200, (JSON,), EVENTS),
        f"{path}#1",
        SUNDAY + 0.25,
        SUNDAY + 0.75,
        time_resolution=0.001,
    )


def test_one_authorization_makes_an_archive_whole_for_its_origin(tmp_path: Path) -> None:
    shown = {"method": "GET", "url": URL, "headers": WITH_AUTHORIZATION}
    elsewhere = {"method": "GET", "url": "https://elsewhere.example/", "headers": []}
    exchanges = list(read(har(tmp_path, entry(), entry(request=shown), entry(request=elsewhere))))
    assert [exchange.headers_complete for exchange in exchanges] == [True, True, False]
    assert [exchange.request.account for exchange in exchanges] == [None, account_of_token(TOKEN), None]


ALL_HEADERS = [{"name": "Host", "value": "api.cronofy.com"}]
WITH_AUTHORIZATION = [*ALL_HEADERS, {"name": "Authorization", "value": f"Bearer {TOKEN}"}]


@pytest.mark.parametrize(
    "odd",
    [
        {"request": {"method": "GET", "url": URL, "headers": [{"name": "Accept", "value": "*/*"}]}},
        {"request": {"method": "GET", "url": URL, "headers": []}},
        {"request": {"method": "GET", "url": URL}},
        {"request": {"method": "GET", "url": URL, "headers": ALL_HEADERS}, "response": {"status": 0}},
    ],
)
def test_an_entry_without_all_of_its_headers_does_not_say_that_no_token_was_sent(
    tmp_path: Path, odd: dict[str, object]
) -> None:
    shown = entry(request={"method": "GET", "url": URL, "headers": WITH_AUTHORIZATION})
    without = entry(request={"method": "GET", "url": URL, "headers": ALL_HEADERS})
    assert [e.headers_complete for e in read(har(tmp_path, shown, entry(**odd), without))] == [True, False, True]


def test_what_a_browser_had_in_its_cache_says_nothing_of_the_server(tmp_path: Path) -> None:
    assert len(list(read(har(tmp_path, entry(_fromCache="disk"), entry(), entry(_fromCache="memory"))))) == 1
    odd = {**entry(_fromCache="disk"), "request": {"url": "https://api.cronofy.com/"}, "response": []}
    assert len(list(read(har(tmp_path, odd, entry())))) == 1


def test_an_interaction_of_schemathesis_without_headers_does_not_say_that_no_token_was_sent(tmp_path: Path) -> None:
    document = yaml.safe_load((DIALECTS / "schemathesis.yaml").read_text())
    for item in document["http_interactions"][1:]:
        item["request"]["headers"] = {}
    document["http_interactions"][0]["request"]["headers"]["Authorization"] = [f"Bearer {TOKEN}"]
    assert [e.headers_complete for e in read(saved(tmp_path, yaml.safe_dump(document, sort_keys=False)))] == [
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("post", "sent"),
    [
        ({"mimeType": "application/json", "text": '{"a": "ü"}'}, '{"a": "ü"}'.encode()),
        ({"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "a b", "value": "c&d"}]}, b"a+b=c%26d"),
        ({"mimeType": "application/octet-stream", "text": "/w==", "encoding": "base64"}, b"\xff"),
        ({"mimeType": "application/json", "text": ""}, b""),
    ],
)
def test_an_archives_request_body_is_read(tmp_path: Path, post: dict[str, object], sent: bytes) -> None:
    request = {"method": "POST", "url": URL, "headers": [], "postData": post}
    assert only(har(tmp_path, entry(request=request))).request.body == sent


@pytest.mark.parametrize(
    ("size", "text", "sent"),
    [(3, "YWJj", b"abc"), (4, "YWJj", b"YWJj"), (9, "YWJj", b"YWJj"), (3, "a ?", b"a ?"), (9, "a ?", b"a ?")],
)
def test_schemathesis_unmarked_base64_is_told_by_its_size(tmp_path: Path, size: int, text: str, sent: bytes) -> None:
    request = {"method": "POST", "url": URL, "bodySize": size, "postData": {"mimeType": "", "text": text}}
    assert only(har(tmp_path, entry(request=request), creator="harfile")).request.body == sent


@pytest.mark.parametrize(
    "post",
    [
        {"mimeType": "multipart/form-data; boundary=x", "params": [{"name": "a", "value": "b"}]},
        {"mimeType": "application/json"},
    ],
)
def test_a_request_body_that_an_archive_only_hints_at_is_not_recorded(tmp_path: Path, post: dict[str, object]) -> None:
    request = {"method": "POST", "url": URL, "bodySize": 10, "postData": post}
    assert only(har(tmp_path, entry(request=request))).notes == (("request-body", NOT_RECORDED),)


def test_a_truncated_answer_in_an_archive_is_not_recorded(tmp_path: Path) -> None:
    content = {"size": 9, "text": "{", "comment": "Body truncated: 1 of 9 bytes recorded"}
    assert only(har(tmp_path, entry(response={"status": 200, "content": content}))).response is None


def test_bodies_that_an_archive_lacks_are_not_recorded(tmp_path: Path) -> None:
    request = {"method": "POST", "url": URL, "headers": [], "bodySize": 194}
    exchange = only(har(tmp_path, entry(request=request, response={"status": 422, "content": {"size": 12}})))
    assert exchange.request.body == b""
    assert exchange.response is None
    assert exchange.notes == (
        ("request-body", NOT_RECORDED),
        ("response-body", NOT_RECORDED),
        ("response-status", "422"),
    )


def test_an_empty_answer_is_recorded_and_a_blocked_request_has_none(tmp_path: Path) -> None:
    accepted = entry(response={"status": 202, "headers": [], "content": {"size": 0, "mimeType": "x-unknown"}})
    first, second = read(har(tmp_path, accepted, entry(response={"status": 0})))
    assert first.response == Response(202)
    assert (second.response, second.answered_at) == (None, None)


def test_a_base64_answer_is_decoded(tmp_path: Path) -> None:
    content = {"size": 3, "encoding": "base64", "text": "/wAB"}
    exchange = only(har(tmp_path, entry(response={"status": 200, "headers": [], "content": content})))
    assert exchange.response == Response(200, (), b"\xff\x00\x01")


def test_what_is_no_http_is_left_out_of_an_archive(tmp_path: Path) -> None:
    urls = ("data:text/plain,hi", "wss://api.cronofy.com/", "chrome-extension://x/")
    others = [entry(request={"method": "GET", "url": url}) for url in urls]
    assert len(list(read(har(tmp_path, *others, entry())))) == 1


def test_an_archive_reads_in_the_order_of_sending(tmp_path: Path) -> None:
    times = ["2026-11-22T15:57:39Z", "2026-11-22T15:57:37Z", "2026-11-22T16:57:38.1234567+01:00"]
    exchanges = read(har(tmp_path, *(entry(startedDateTime=time) for time in times)))
    assert [exchange.sent_at for exchange in exchanges] == pytest.approx([SUNDAY, SUNDAY + 1.123456, SUNDAY + 2])


def test_times_of_whole_seconds_do_not_change_the_files_order(tmp_path: Path) -> None:
    dates = ["Sun, 22 Nov 2026 15:57:39 GMT", "Sun, 22 Nov 2026 15:57:37 GMT", "nonsense"]
    item = {"request": {"method": "GET", "uri": URL}}
    interactions = [item | {"response": answer({"string": ""}, ("Date", date))} for date in dates]
    path = saved(tmp_path, yaml.safe_dump({"version": 1, "interactions": interactions}))
    assert [exchange.sent_at for exchange in read(path)] == [SUNDAY + 2, SUNDAY, None]


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:01Z", "9999-12-31T23:59:59Z", "soon"])
def test_a_time_at_the_end_of_calendars_is_unknown(tmp_path: Path, time: str) -> None:
    unknown = only(har(tmp_path, entry(startedDateTime=time)))
    assert (unknown.sent_at, unknown.answered_at, unknown.time_resolution) == (None, None, 0.0)


def test_an_answer_that_came_after_the_end_of_calendars_has_no_time(tmp_path: Path) -> None:
    unknown = only(har(tmp_path, entry(time=1e300)))
    assert (unknown.sent_at, unknown.answered_at, unknown.time_resolution) == (None, None, 0.0)


def test_times_of_our_lines_may_be_iso_8601(tmp_path: Path) -> None:
    line = {"request": {"method": "GET", "url": URL}, "response": None}
    times = ["2026-11-22T15:57:38Z", "2026-11-22T16:57:37.25+01:00", str(SUNDAY)]
    path = saved(tmp_path, "".join(json.dumps({"sent_at": time, "answered_at": time} | line) + "\n" for time in times))
    assert [(e.sent_at, e.answered_at) for e in read(path)] == [(SUNDAY + more,) * 2 for more in (0, 0.25, 1)]


@pytest.mark.parametrize(
    ("headers", "whole"),
    [
        ({}, False),
        ({"headers": None}, False),
        ({"headers": []}, False),
        ({"headers": {"Host": "a"}}, True),
        ({"headers": {"Host": "a"}, "whole": False}, False),
        ({"headers": [], "whole": True}, True),
        ({"whole": True}, False),
    ],
)
def test_a_line_without_headers_does_not_say_that_no_token_was_sent(
    tmp_path: Path, headers: dict[str, object], whole: bool
) -> None:
    whole_key = {key: headers.pop(key) for key in ("whole",) if key in headers}
    request, response = {"method": "GET", "url": URL} | headers, {"status": 200, "body": "{}"}
    line = {"sent_at": None} | whole_key | {"request": request, "response": response}
    assert only(saved(tmp_path, json.dumps(line) + "\n")).headers_complete is whole


@pytest.mark.parametrize("sent", [{"Accept": "*/*"}, {"Accept": "*/*", "Authorization": "***"}])
def test_a_line_of_another_logger_does_not_say_that_no_token_was_sent(tmp_path: Path, sent: dict[str, str]) -> None:
    response = {"status": 200, "headers": {}, "body": {"events": []}}
    line = {"took": 2, "request": {"method": "GET", "url": URL, "headers": sent, "id": 3}, "response": response}
    read = only(saved(tmp_path, json.dumps(line) + "\n"))
    assert (read.request.headers, read.headers_complete) == ((("Accept", "*/*"),), False)


def test_secrets_of_a_foreign_recording_are_replaced_on_the_way_in(tmp_path: Path) -> None:
    form = f"grant_type=authorization_code&code=c0de&client_secret=s3cret&access_token={TOKEN}"
    request = {
        "method": "POST",
        "uri": f"{URL}&access_token={TOKEN}&code=c0de",
        "headers": {"Cookie": ["a=b"], "Content-Type": ["application/x-www-form-urlencoded"]},
        "body": form,
    }
    body = f'{{"access_token": "{TOKEN}", "refresh_token":"r3fresh","profile_relink_url":"https://app.cronofy.com/r/1?t=2"}}'
    response = answer({"string": body}, ("Set-Cookie", "id=1"), ("Location", "https://a.example/?code=c0de&x=1"))
    exchange = only(cassette(tmp_path, response, request))
    name = account_of_token(TOKEN)
    hidden = "%3Credacted%3E"
    assert exchange.request == Request(
        "POST",
        f"{URL}&access_token=%3C{name}%3E&code={hidden}",
        (("Cookie", "<redacted>"), ("Content-Type", "application/x-www-form-urlencoded")),
        f"grant_type=authorization_code&code={hidden}&client_secret={hidden}&access_token=%3C{name}%3E".encode(),
    )
    assert exchange.response == Response(
        200,
        (("Set-Cookie", "<redacted>"), ("Location", f"https://a.example/?code={hidden}&x=1"), JSON),
        f'{{"access_token": "<{name}>", "refresh_token":"<redacted>",'
        f'"profile_relink_url":"https://app.cronofy.com/redacted"}}'.encode(),
    )


@pytest.mark.parametrize("word", ["[Filtered]", "DUMMY", "REDACTED", "***", "<ACCESS_TOKEN>", "", "Bearer"])
def test_an_authorization_that_a_filter_replaced_says_nothing_and_one_that_is_missing_beside_it_does(
    tmp_path: Path, word: str
) -> None:
    shown = {"method": "GET", "url": URL, "headers": [{"name": "authorization", "value": word}]}
    first, second = read(har(tmp_path, entry(request=shown), entry()))
    assert (first.request.headers, first.headers_complete) == ((), False)
    assert (second.request.headers, second.headers_complete) == ((), True)
    vcr = {"method": "GET", "uri": URL, "headers": {"Authorization": [word]}}
    assert only(cassette(tmp_path, answer({"string": ""}), vcr)).request.headers == ()


def test_a_token_without_its_scheme_is_no_filters_word(tmp_path: Path) -> None:
    vcr = {"method": "GET", "uri": URL, "headers": {"Authorization": [TOKEN + "1"]}}
    assert only(cassette(tmp_path, answer({"string": ""}), vcr)).request.headers == (("Authorization", "<redacted>"),)


def test_schemathesis_shows_which_requests_it_sent_without_authorization(tmp_path: Path) -> None:
    for suffix in ("yaml", "har", "ndjson"):
        text = (DIALECTS / f"schemathesis.{suffix}").read_text()
        last = text.rindex("Authorization")
        path = saved(tmp_path, text[:last] + "X-Other" + text[last + len("Authorization") :])
        assert [exchange.headers_complete for exchange in read(path)] == [False, False, True]


def test_a_cassette_of_another_api_is_read(tmp_path: Path) -> None:
    request = {"method": "GET", "uri": "https://api.github.com/zen", "headers": {}, "body": None}
    exchange = only(cassette(tmp_path, answer({"string": "Keep it logically awesome."}), request))
    assert structs.replace(exchange, label="") == Exchange(
        Request("GET", "https://api.github.com/zen"), Response(200, (JSON,), b"Keep it logically awesome.")
    )
