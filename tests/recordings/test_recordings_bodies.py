"""Bodies that a recorder put into files of their own, or left out, and times that it took from a moved clock."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.http.exchange import Exchange
from conformance.recordings import NOT_RECORDED, paths, read

URL = "https://api.cronofy.com/v1/calendars/cal_1/events"
SENT, SHOWN = b'{"event_id": "e"}', b'{"events": []}'
DATE, SATURDAY = "Sat, 28 Nov 2026 19:16:52 GMT", 1795893412.0
LEFT_OUT = (("response-body", NOT_RECORDED), ("response-status", "200"))


def entry(content: object, method: str = "GET", **request: object) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-11-28T19:16:52.000Z",
        "time": 20.0,
        "request": {"method": method, "url": URL, "headers": []} | request,
        "response": {"status": 200, "headers": [], "content": content, "bodySize": -1},
    }


def har(*entries: dict[str, Any]) -> str:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "Playwright"}, "entries": entries}})


def saved(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def only(path: Path) -> Exchange:
    (exchange,) = read(path)
    return exchange


ATTACHED = har(
    entry(
        {"size": len(SHOWN), "_file": "shown.json"},
        "POST",
        bodySize=len(SENT),
        postData={"mimeType": "application/json", "text": "", "params": [], "_file": "sent.json"},
    )
)


def bodies(exchange: Exchange) -> tuple[bytes, bytes | None]:
    return exchange.request.body, exchange.response and exchange.response.body


def test_a_body_in_a_file_beside_the_archive_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.har", ATTACHED)
    (tmp_path / "sent.json").write_bytes(SENT)
    (tmp_path / "shown.json").write_bytes(SHOWN)
    assert bodies(only(path)) == (SENT, SHOWN)


@pytest.mark.parametrize("folder", ["", "trace/"])
def test_a_body_in_the_same_zip_as_the_archive_is_read(tmp_path: Path, folder: str) -> None:
    path = tmp_path / "a.har.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("har.har", ATTACHED), ("sent.json", SENT), ("shown.json", SHOWN)):
            archive.writestr(folder + name, content)
    assert bodies(only(path)) == (SENT, SHOWN)
    assert paths([tmp_path]) == (path,)


@pytest.mark.parametrize("name", ["missing.json", "../outside.json", "/etc/hostname", "..", "", "a\\b", "a\0b", 5])
def test_a_file_that_is_missing_or_outside_of_the_folder_is_not_recorded(tmp_path: Path, name: object) -> None:
    (tmp_path / "outside.json").write_bytes(SHOWN)
    (tmp_path / "inside").mkdir()
    exchange = only(saved(tmp_path / "inside" / "a.har", har(entry({"size": 9, "_file": name}))))
    assert (exchange.response, exchange.notes) == (None, LEFT_OUT)


def test_a_zip_without_the_file_or_with_a_broken_one_says_nothing_of_the_body(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.har", ATTACHED)
        archive.writestr("shown.json", SHOWN)
    content = path.read_bytes()
    at = content.index(SHOWN)
    path.write_bytes(content[:at] + b"?" + content[at + 1 :])
    exchange = only(path)
    assert exchange.notes == (("request-body", NOT_RECORDED), *LEFT_OUT)


def test_of_a_zip_with_several_archives_each_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.har", "b.har"):
            archive.writestr(name, ATTACHED)
    assert [exchange.label for exchange in read(path)] == [f"{path}/a.har#1", f"{path}/b.har#1"]


@pytest.mark.parametrize(
    "content",
    [{"size": 9}, {"size": 9, "text": ""}, {"size": -1}, {"size": -1, "text": ""}, {"mimeType": "x/y"}, {}],
)
def test_a_response_body_that_the_recorder_left_out_is_not_recorded(tmp_path: Path, content: object) -> None:
    exchange = only(saved(tmp_path / "a.har", har(entry(content))))
    assert (exchange.response, exchange.notes) == (None, LEFT_OUT)


def test_a_content_length_tells_that_a_body_was_left_out(tmp_path: Path) -> None:
    left_out = entry({"size": 0, "text": ""})
    left_out["response"]["headers"] = [{"name": "Content-Length", "value": "9"}]
    exchange = only(saved(tmp_path / "a.har", har(left_out)))
    assert (exchange.response, exchange.notes) == (None, LEFT_OUT)


@pytest.mark.parametrize(
    ("status", "method", "content"),
    [(200, "GET", {"size": 0}), (200, "GET", {"text": ""}), (204, "DELETE", {"size": -1}), (200, "HEAD", {"size": -1})],
)
def test_an_empty_response_body_is_recorded(tmp_path: Path, status: int, method: str, content: object) -> None:
    empty = entry(content, method, bodySize=0)
    del empty["response"]["bodySize"]
    empty["response"] |= {"status": status}
    assert bodies(only(saved(tmp_path / "a.har", har(empty)))) == (b"", b"")


@pytest.mark.parametrize(
    ("method", "request_", "recorded"),
    [
        ("POST", {"bodySize": 9, "postData": {"mimeType": "a/b", "text": "", "params": []}}, False),
        ("DELETE", {"bodySize": -1}, False),
        ("DELETE", {}, False),
        ("POST", {"bodySize": -1, "postData": {"mimeType": "a/b", "text": ""}}, False),
        ("GET", {"headers": [{"name": "content-length", "value": "9"}]}, False),
        ("POST", {"bodySize": 0}, True),
        ("POST", {"bodySize": 0, "postData": {"mimeType": "a/b", "text": ""}}, True),
        ("POST", {"headers": [{"name": "content-length", "value": "0"}]}, True),
        ("GET", {"bodySize": -1}, True),
        ("GET", {}, True),
    ],
)
def test_a_request_body_that_the_recorder_left_out_is_not_recorded(
    tmp_path: Path, method: str, request_: dict[str, object], recorded: bool
) -> None:
    exchange = only(saved(tmp_path / "a.har", har(entry({"text": "{}"}, method, **request_))))
    assert exchange.request.body == b""
    assert exchange.notes == (() if recorded else (("request-body", NOT_RECORDED),))


def test_reqcassette_keeps_the_query_apart_and_bodies_by_their_type(tmp_path: Path) -> None:
    request = {"method": "POST", "uri": URL, "query_string": "a=b%20c", "headers": {}, "body_type": "json"}
    text, blob = {"body_type": "text", "body": "hi"}, {"body_type": "blob", "body_blob": "/w=="}
    answers = [text, blob, {"body_type": "json", "body_json": {"string": "x"}}]
    interactions = [
        {"request": request | {"body_json": {"event_id": "e"}}, "response": {"status": 200, "headers": {}} | answer}
        for answer in answers
    ]
    exchanges = list(read(saved(tmp_path / "a.json", json.dumps({"version": "1.0", "interactions": interactions}))))
    assert {(one.request.url, one.request.body) for one in exchanges} == {(f"{URL}?a=b%20c", SENT)}
    assert [bodies(one)[1] for one in exchanges] == [b"hi", b"\xff", b'{"string": "x"}']


def test_a_query_in_the_url_is_not_added_again(tmp_path: Path) -> None:
    request = {"method": "GET", "uri": f"{URL}?a=b", "query_string": "a=b"}
    document = {"interactions": [{"request": request, "response": {"status": 200, "body": ""}}]}
    assert only(saved(tmp_path / "a.json", json.dumps(document))).request.url == f"{URL}?a=b"


def cassette(path: Path, *times: tuple[str, str | None]) -> Path:
    """A cassette of Ruby's VCR: interactions by the recorder's time and the server's."""
    interactions = [
        {
            "request": {"method": "get", "uri": URL},
            "response": {"status": {"code": 200}, "headers": {} if date is None else {"Date": [date]}, "body": ""},
            "recorded_at": recorded_at,
        }
        for recorded_at, date in times
    ]
    return saved(path, yaml.safe_dump({"http_interactions": interactions, "recorded_with": "VCR 6.2.0"}))


def test_a_recorders_clock_that_was_moved_is_not_believed(tmp_path: Path) -> None:
    later, undated = ("Thu, 07 Jan 2027 19:16:52 GMT", DATE), ("Thu, 07 Jan 2027 19:16:53 GMT", None)
    exchanges = list(read(cassette(tmp_path / "a.yaml", later, undated, later)))
    assert [(one.sent_at, one.answered_at, one.time_resolution) for one in exchanges] == [
        (SATURDAY, SATURDAY, 1.0),
        (None, None, 0.0),
        (SATURDAY, SATURDAY, 1.0),
    ]


def test_a_recorders_clock_that_is_a_little_off_is_believed(tmp_path: Path) -> None:
    path = cassette(tmp_path / "a.yaml", ("Sat, 28 Nov 2026 19:26:52 GMT", DATE))
    assert only(path).sent_at == SATURDAY + 600


def test_an_archives_clock_in_another_time_zone_is_not_believed(tmp_path: Path) -> None:
    shifted = entry({"text": "{}"}) | {"startedDateTime": "2026-11-28T20:16:51.990Z"}
    shifted["response"]["headers"] = [{"name": "Date", "value": DATE}]
    assert only(saved(tmp_path / "a.har", har(shifted))).sent_at == SATURDAY
