"""What recorders of other kinds wrote is read as what was sent; what is no recording is named, with what would do."""

from __future__ import annotations

import json
import re
import stat
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.contract.rules import load
from conformance.facts import Settings
from conformance.http.exchange import Exchange, Request, Response, account_of_token, bearer
from conformance.judging.check import examine
from conformance.recordings import (
    NOT_RECORDED,
    InvalidRecordingError,
    NotARecordingError,
    SkippedWarning,
    TruncatedWarning,
    paths,
    read,
    read_all,
    runs,
)

DIALECTS = Path(__file__).parent / "dialects"
RIGHT = sorted((DIALECTS / "right").iterdir())
NAMES = [path.name for path in RIGHT]
#: These do not record the order in which requests were sent, so their readings come first.
UNORDERED = {"wiremock_mappings.json", "hoverfly_simulation.json", "postman_collection.json"}
URL = "https://api.cronofy.com/v1/events?tzid=Etc%2FUTC"
RULES = load()


def saved(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "recording"
    path.write_text(json.dumps(document))
    return path


def failures(path: Path) -> set[str]:
    tallies = examine(read(path), RULES, Settings()).tallies
    return {rule for rule, tally in tallies.items() if tally.failed}


def unrecorded(exchange: Exchange) -> list[str]:
    return [name for name, value in exchange.notes if value == NOT_RECORDED]


@pytest.mark.parametrize("path", RIGHT, ids=NAMES)
def test_right_traffic_is_read_as_it_was_sent_and_not_accused(path: Path) -> None:
    exchanges = [exchange for exchange in read(path) if exchange.request.path != "/nothing"]
    calls = [("GET", "events", 200), ("POST", "events", 202), ("GET", "events", 200)]
    if path.name in UNORDERED:
        calls = [calls[0], calls[2], calls[1]]
    if path.name == "talkback.json5":  # a tape holds one exchange
        calls = calls[2:]
    found = [
        (one.request.method, one.request.path.rpartition("/")[2], one.response and one.response.status)
        for one in exchanges
    ]
    assert found == calls
    for exchange in exchanges:
        assert exchange.response is not None
        if exchange.request.method == "GET":
            assert exchange.request.query == (("tzid", "Etc/UTC"), ("only_managed", "true"))
            assert exchange.response.json()["pages"] == {"current": 1, "total": 1}
        elif path.name == "responses.yaml":
            assert unrecorded(exchange) == ["request-body"]
        else:
            assert json.loads(exchange.request.body)["summary"] == "Bö"
            assert exchange.response.body == b""
    assert failures(path) == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_answer_is_found(name: str) -> None:
    assert failures(DIALECTS / "wrong" / name) == {"pending-is-exactly-true"}


@pytest.mark.parametrize("name", ["wiremock_journal.json", "newman.json", "talkback.json5", "mitmproxy.har"])
def test_no_token_of_a_recorder_stays_in_its_exchanges(name: str) -> None:
    assert "reference-default-token" in (DIALECTS / "right" / name).read_text()
    exchanges = [one for one in read(DIALECTS / "right" / name) if one.request.path != "/nothing"]
    assert {exchange.request.account for exchange in exchanges} == {"token-319dd8dd"}
    assert "reference-default-token" not in repr(exchanges)


def stub(**changes: Any) -> dict[str, Any]:
    request = {"method": "GET", "url": "/v1/events?tzid=Etc%2FUTC"} | changes.pop("request", {})
    response = {"status": 200, "body": "{}"} | changes.pop("response", {})
    return {"request": request, "response": response}


def test_what_stubs_leave_open_is_no_exchange_and_is_counted(tmp_path: Path) -> None:
    pattern = {"request": {"method": "GET", "urlPathPattern": "/v1/.*"}, "response": {"status": 200}}
    open_query = {"urlPath": "/v1/events", "url": None, "queryParameters": {"tzid": {"matches": ".*"}}}
    stubs = [
        stub(),
        pattern,
        stub(request=open_query),
        stub(request={"method": "ANY"}),
        stub(response={"fault": "EMPTY_RESPONSE"}),
        stub(response={"transformers": ["response-template"]}),
    ]
    path = saved(tmp_path, {"mappings": stubs})
    with pytest.warns(SkippedWarning) as caught:
        assert len(list(read(path))) == 1
    assert [str(warning.message) for warning in caught] == [
        f"{path}: 2 stubs for a pattern of URLs; left out",
        f"{path}: 1 stubs for any method; left out",
        f"{path}: 1 stubs that hand on or fail; left out",
        f"{path}: 1 stubs whose response is a template; left out",
    ]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"response": {"body": None, "bodyFileName": "body.json"}}, ["response-body"]),
        ({"request": {"method": "POST", "bodyPatterns": [{"matchesJsonPath": "$.summary"}]}}, ["request-body"]),
        ({"request": {"method": "POST"}}, ["request-body"]),
        ({"request": {"method": "POST", "bodyPatterns": [{"equalTo": ""}]}}, []),
        ({"request": {"method": "POST", "bodyPatterns": [{"binaryEqualTo": "AA=="}]}}, []),
        ({"response": {"body": None, "jsonBody": {"a": 1}}}, []),
        ({"response": {"body": None, "base64Body": "AA=="}}, []),
    ],
)
def test_what_a_stub_does_not_hold_is_not_recorded(tmp_path: Path, changes: Any, missing: list[str]) -> None:
    document = json.loads(
        json.dumps(stub(**changes)), object_hook=lambda held: {k: v for k, v in held.items() if v is not None}
    )
    (exchange,) = read(saved(tmp_path, document))
    assert unrecorded(exchange) == missing


def test_a_body_that_wiremock_keeps_in_a_file_is_read_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "__files" / "a").mkdir(parents=True)
    (tmp_path / "__files" / "a" / "body.json").write_text("{}")
    (tmp_path / "secret").write_text("{}")
    mappings = tmp_path / "mappings" / "events"
    mappings.mkdir(parents=True)
    for name, read_as in (("a/body.json", b"{}"), ("a/other.json", None), ("../secret", None), ("a", None), ("", None)):
        document = stub(response={"bodyFileName": name})
        del document["response"]["body"]
        (mappings / "events.json").write_text(json.dumps(document))
        (exchange,) = read(mappings / "events.json")
        assert (exchange.response and exchange.response.body) == read_as, name
    (mappings / "events.json").write_text(json.dumps(stub(response={"body": None, "bodyFileName": "a/body.json"})))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("mappings/events/events.json", "__files/a/body.json"):
            archive.write(tmp_path / name, name)
    with pytest.warns(SkippedWarning, match="body"):
        (exchange,) = read_all([tmp_path / "all.zip"])
    assert exchange.response is not None


def test_the_files_in_which_a_recorder_keeps_an_exchange_each_are_one_recording(tmp_path: Path) -> None:
    """Here of talkback and WireMock, in folders of their own, and each in a file whose name tells no order."""
    tape = (DIALECTS / "right" / "talkback.json5").read_text()
    posted = stub(request={"method": "POST", "url": "/v1/calendars/cal_1/events"}, response={"status": 202})
    for name in ("tapes", "stubs"):
        (tmp_path / name).mkdir()
    for number, second in ((1, 50), (2, 20), (10, 40)):
        dated = re.sub(r"createdAt: '[^']*'", f"createdAt: '2026-11-29T00:32:{second}Z'", tape)
        (tmp_path / "tapes" / f"unnamed-{number}.json5").write_text(dated)
        headers = {"Date": f"Sun, 22 Nov 2026 15:57:{second} GMT"}
        held = posted | {"response": posted["response"] | {"headers": headers}}
        (tmp_path / "stubs" / f"{number}.json").write_text(json.dumps(held))
    found = runs([tmp_path])
    assert [{path.parent.name for path in files} for _, files in found] == [{"stubs"}, {"tapes"}]
    labels = [one.label.removeprefix(f"{tmp_path}/") for one in read_all([tmp_path])]
    assert labels == [f"stubs/{name}.json#1" for name in (2, 10, 1)] + [
        f"tapes/unnamed-{name}.json5#1" for name in (2, 10, 1)
    ]


def test_a_reading_whose_place_is_not_recorded_says_nothing_about_a_write(tmp_path: Path) -> None:
    """WireMock lists the latest stub first, and one stub may have answered before and after a write."""
    write = {"event_id": "e", "summary": "s", "start": "2026-12-02T10:00:00Z", "end": "2026-12-02T11:00:00Z"}
    posted = {
        "method": "POST",
        "url": "/v1/calendars/cal_1/events",
        "bodyPatterns": [{"equalToJson": json.dumps(write)}],
    }
    empty = {"pages": {"current": 1, "total": 1}, "events": []}
    reading = {"url": "/v1/events?tzid=Etc%2FUTC&only_managed=true"}
    answer = {"body": json.dumps(empty), "headers": {"Content-Type": "application/json"}}
    stubs = [stub(request=posted, response={"status": 202, "body": ""}), *[stub(request=reading, response=answer)] * 3]
    assert failures(saved(tmp_path, {"mappings": stubs})) == set()


def test_the_parts_of_a_simulation_that_match_a_pattern_are_no_exchange(tmp_path: Path) -> None:
    document = json.loads((DIALECTS / "right" / "hoverfly_simulation.json").read_text())
    document["data"]["pairs"][0]["request"]["path"] = [{"matcher": "glob", "value": "/v1/*"}]
    document["data"]["pairs"][1]["request"]["query"] = {"a": [{"matcher": "regex", "value": ".*"}]}
    document["data"]["pairs"][2]["response"]["templated"] = True
    with pytest.warns(SkippedWarning, match="2 pairs for a pattern of requests; left out"):
        (exchange,) = read(saved(tmp_path, document))
    assert unrecorded(exchange) == ["response-body"]


def test_a_simulation_of_an_older_schema_is_read(tmp_path: Path) -> None:
    fields = {"path": "/v1/events", "method": "GET", "destination": "api.cronofy.com", "scheme": "https"}
    exact = {name: {"exactMatch": value} for name, value in fields.items()}
    request = {**exact, "query": {"exactMatch": "tzid=Etc%2FUTC"}, "body": {"exactMatch": ""}}
    pair = {"request": request, "response": {"status": 200, "body": "e30=", "encodedBody": True}}
    path = saved(tmp_path, {"data": {"pairs": [pair]}, "meta": {"schemaVersion": "v3"}})
    (exchange,) = read(path)
    assert exchange.response is not None
    assert (exchange.request.url, exchange.response.body) == (URL, b"{}")


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"response": "ff00", "responseIsBinary": True}, b"\xff\x00"),
        ({"response": ["7b", "7d"], "headers": {"content-encoding": "gzip"}}, b"{}"),
        ({"response": {"a": 1}, "rawHeaders": ["Content-Type", "application/json"]}, b'{"a": 1}'),
    ],
)
def test_a_response_of_nock_is_read_however_it_is_kept(tmp_path: Path, changes: dict[str, Any], body: bytes) -> None:
    item = {"scope": "https://api.cronofy.com:443", "method": "GET", "path": "/v1/events", "status": 200} | changes
    (exchange,) = read(saved(tmp_path, [item]))
    assert exchange.response is not None
    assert exchange.response.body == body


def postman(request: dict[str, Any]) -> dict[str, Any]:
    example = {"name": "x", "originalRequest": request, "code": 200, "header": [], "body": "{}"}
    item = {"name": "folder", "item": [{"name": "x", "request": request, "response": [example]}]}
    return {"info": {"name": "c"}, "item": [item], "variable": [{"key": "base", "value": "https://api.cronofy.com"}]}


@pytest.mark.parametrize(
    ("url", "read_as"),
    [
        (URL, URL),
        ("{{base}}/v1/events?tzid=Etc%2FUTC", URL),
        ({"raw": URL}, URL),
        (
            {
                "raw": "",
                "protocol": "https",
                "host": ["api", "cronofy", "com"],
                "path": ["v1", ":what"],
                "query": [{"key": "tzid", "value": "Etc%2FUTC"}, {"key": "off", "value": "1", "disabled": True}],
                "variable": [{"key": "what", "value": "events"}],
            },
            URL,
        ),
        ("api.cronofy.com/v1/events", "http://api.cronofy.com/v1/events"),
        ("{{data center}}/v1/events", "http://data-center.invalid/v1/events"),
        ({"raw": "", "host": ["{{host}}"], "path": ["v1", "events"]}, "http://host.invalid/v1/events"),
    ],
)
def test_a_url_of_postman_is_read_however_it_is_kept(tmp_path: Path, url: Any, read_as: str) -> None:
    (exchange,) = read(saved(tmp_path, postman({"method": "GET", "url": url})))
    assert exchange.request.url == read_as


def test_a_url_with_a_variable_that_the_file_does_not_define_is_left_out(tmp_path: Path) -> None:
    with pytest.warns(SkippedWarning, match="1 examples whose URL has variables that the file does not define"):
        assert list(read(saved(tmp_path, postman({"method": "GET", "url": "{{base}}/v1/{{list}}"})))) == []


def test_a_token_of_postman_is_the_account_and_a_variable_in_its_place_says_nothing(tmp_path: Path) -> None:
    for token, account in (("CRN_a-very-secret-token", "token-"), ("{{token}}", "None")):
        auth = {"type": "bearer", "bearer": [{"key": "token", "value": token}]}
        (exchange,) = read(saved(tmp_path, postman({"method": "GET", "url": URL, "auth": auth})))
        assert str(exchange.request.account).startswith(account)
        assert "secret" not in repr(exchange)


@pytest.mark.parametrize(
    ("body", "sent", "missing"),
    [
        ({"mode": "raw", "raw": "{}"}, b"{}", []),
        ({"mode": "urlencoded", "urlencoded": [{"key": "a", "value": "b c"}]}, b"a=b+c", []),
        ({"mode": "file", "file": {"src": "x"}}, b"", ["request-body"]),
        (None, b"", []),
    ],
)
def test_a_body_of_postman_is_what_was_sent(tmp_path: Path, body: Any, sent: bytes, missing: list[str]) -> None:
    (exchange,) = read(saved(tmp_path, postman({"method": "POST", "url": URL, "body": body})))
    assert (exchange.request.body, unrecorded(exchange)) == (sent, missing)


PACT = {"consumer": {"name": "a"}, "provider": {"name": "b"}, "interactions": [], "metadata": {}}
OPENAPI = {"openapi": "3.1.0", "info": {"title": "x"}, "paths": {}}
INSOMNIA = {"_type": "export", "__export_format": 4, "resources": []}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (PACT, "a Pact contract, which says what a consumer expects; record its verification"),
        (OPENAPI, "an OpenAPI description, which says what an API promises; record traffic, or test the server"),
        (INSOMNIA, "an export of Insomnia, which has requests without responses; export it from Insomnia as HAR"),
        ({"info": {"name": "c"}, "item": []}, "a Postman collection without saved responses; save responses"),
        ({"results": [], "collection_id": "1"}, "a run of Postman, whose export has no bodies; run the collection"),
    ],
)
def test_what_is_no_recording_says_what_would_do_and_does_not_stop_a_folder(
    tmp_path: Path, document: Any, problem: str
) -> None:
    (tmp_path / "nock.json").write_bytes((DIALECTS / "right" / "nock.json").read_bytes())
    for name, text in (("a.json", json.dumps(document)), ("a.yaml", "\n" + json.dumps(document))):
        (tmp_path / name).write_text(text)
        with pytest.raises(InvalidRecordingError, match=problem):
            list(read(tmp_path / name))
        with pytest.warns(SkippedWarning, match=f"{problem.partition(';')[0]}; left out"):
            assert paths([tmp_path]) == (tmp_path / "nock.json",)
        (tmp_path / name).unlink()


def test_an_openapi_description_in_yaml_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text("openapi: 3.1.0\npaths: {}\n")
    with pytest.raises(InvalidRecordingError, match="an OpenAPI description"):
        list(read(path))


FLOW = b"15:9:websocket;0:~}"
TOKEN = "CRN_a-very-secret-token"
EVENTS = "https://api.cronofy.com/v1/calendars/cal_1/events"


def mitmdump(tmp_path: Path, ending: str = "", flows: bytes = FLOW) -> Path:
    """A program in place of mitmproxy's: gives the script two flows, a DELETE in gzip and one that broke off."""
    program = tmp_path / "mitmdump"
    program.write_text(
        f"""#!{sys.executable}
import gzip, runpy, sys
from types import SimpleNamespace as Named
assert sys.stdin.buffer.read() == {flows!r}

class Message(Named):
    def get_content(self, strict):
        return gzip.decompress(self.raw_content) if self.raw_content else self.raw_content

class Headers(dict):
    def items(self, multi):
        return super().items()

script = runpy.run_path(sys.argv[sys.argv.index("--scripts") + 1])
headers = Headers({{"Authorization": "Bearer {TOKEN}"}})
body = gzip.compress(b"{{}}")
asked = Message(method="DELETE", url="{EVENTS}", headers=headers, raw_content=body, timestamp_start=1.8e9)
answer = Message(status_code=202, headers=Headers(), raw_content=b"", timestamp_end=1.8e9 + 1)
script["response"](Named(request=asked, response=answer))
script["response"](Named(request=asked, response=Message(**vars(answer) | {{"raw_content": None}})))
script["error"](Named(request=asked))
{ending}
"""
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_flows_are_read_through_mitmproxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = mitmdump(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "flows"
    path.write_bytes(FLOW)
    request = Request("DELETE", EVENTS, (("Authorization", bearer(account_of_token(TOKEN))),), b"{}")
    unrecorded = (("response-body", NOT_RECORDED), ("response-status", "202"))
    assert list(read(path)) == [
        Exchange(request, Response(202), f"{path}#1", 1.8e9, 1.8e9 + 1, headers_complete=True),
        Exchange(request, None, f"{path}#2", 1.8e9, None, headers_complete=True, notes=unrecorded),
        Exchange(request, None, f"{path}#3", 1.8e9, None, headers_complete=True),
    ]
    mitmdump(tmp_path, "print('[12:00:00] Flow file corrupted')\nsys.exit(1)")
    with pytest.warns(TruncatedWarning, match="broken behind flow 3"):
        assert len(list(read(path))) == 3
    path.write_bytes(FLOW[:-1])
    mitmdump(tmp_path, flows=FLOW[:-1])
    with pytest.warns(TruncatedWarning, match="broken behind flow 3"):
        assert len(list(read(path))) == 3
    program.write_text(f"#!{sys.executable}\nraise SystemExit(1)\n")
    with pytest.raises(InvalidRecordingError, match=r"flows that mitmproxy does not read \(exit code 1\)"):
        list(read(path))


def test_without_mitmproxy_its_flows_say_how_to_write_a_har(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "flows").write_bytes(FLOW)
    with pytest.raises(InvalidRecordingError, match=r"mitmdump -nr flows --set hardump=flows\.har"):
        list(read(tmp_path / "flows"))


def test_a_tape_without_json5_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "json5", None)
    with pytest.raises(InvalidRecordingError, match=r"install cronofy-conformance\[talkback\]"):
        list(read(DIALECTS / "right" / "talkback.json5"))


def test_what_mitmproxy_prints_by_the_script_of_the_readme_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    script = next(
        block for block in re.findall(r"^```python\n(.*?)^```", readme, re.M | re.S) if "def response" in block
    )
    message = {"get_text": lambda strict: '{"events": []}', "headers": {"Authorization": "Bearer Zq8vT3kLm5Xw2RyB"}}
    flow = SimpleNamespace(
        request=SimpleNamespace(
            **message, method="GET", url="https://api.cronofy.com/v1/events", timestamp_start=1.8e9
        ),
        response=SimpleNamespace(**message, status_code=200, timestamp_end=1.8e9 + 1),
    )
    namespace: dict[str, Any] = {}
    exec(script, namespace)
    namespace["response"](flow)
    printed = capsys.readouterr().out
    assert "Zq8v" not in printed
    (tmp_path / "day.ndjson").write_text(printed)
    (exchange,) = read(tmp_path / "day.ndjson")
    assert (exchange.request.method, exchange.request.url) == ("GET", "https://api.cronofy.com/v1/events")
    assert exchange.response is not None
    assert exchange.response.json() == {"events": []}
    assert (exchange.sent_at, exchange.answered_at, exchange.headers_complete) == (1.8e9, 1.8e9 + 1, True)


DATE = 1_795_341_600.0  # Sun, 22 Nov 2026 10:00:00 GMT


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ({"timestamp": "2026-11-22T10:00:00.500Z", "duration_ms": 250}, (DATE + 0.25, DATE + 0.75, 0.0)),
        ({"timestamp": DATE + 0.5}, (DATE + 0.5, DATE + 0.5, 0.0)),
        ({"timestamp": "2026-11-22T13:05:00Z", "duration_ms": 250}, (DATE, DATE, 1.0)),  # its clock is wrong
        ({"timestamp": "noon", "duration_ms": -1}, (DATE, DATE, 1.0)),
        ({"timestamp": "2026-11-22T10:00:00Z", "duration_ms": float("nan")}, (DATE, DATE, 0.0)),
        ({}, (DATE, DATE, 1.0)),
        ({"sent_at": None, "answered_at": None, "timestamp": DATE}, (None, None, 0.0)),  # we say what we do not know
    ],
)
def test_the_times_of_a_loggers_lines_are_its_own_or_the_servers(stamps: Any, times: Any, tmp_path: Path) -> None:
    request = {"method": "GET", "url": URL, "headers": {}, "body": ""}
    response = {"status": 200, "headers": {"Date": "Sun, 22 Nov 2026 10:00:00 GMT"}, "body": "{}"}
    line = json.dumps({**stamps, "request": request, "response": response})
    path = tmp_path / "log.ndjson"
    path.write_text(f"{line}\n")
    (exchange,) = read(path)
    assert (exchange.sent_at, exchange.answered_at, exchange.time_resolution) == times


@pytest.mark.parametrize("spelt", [str, lambda key: re.sub("_(.)", lambda it: it[1].upper(), key)])
def test_a_loggers_line_may_have_its_parts_beside_each_other(spelt: Any, tmp_path: Path) -> None:
    asked = {"method": "post", "url": URL, "request_headers": {"Authorization": "Bearer t"}, "request_body": {"a": 1}}
    shown = {"status": 200, "response_headers": {"X-A": "b"}, "response_body": "[]"}
    stamps = {"level": "info", "timestamp": "2026-11-22T10:00:00Z", "duration_ms": 250}
    lines = [
        {**stamps, **asked, **shown},
        {"time": DATE, "method": "GET", "url": URL, "status": 202, "responseBody": None},
    ]
    path = tmp_path / "log.ndjson"
    path.write_text("".join(json.dumps({spelt(key): value for key, value in line.items()}) + "\n" for line in lines))
    first, second = read(path)
    assert (first.request.method, first.request.body) == ("POST", b'{"a": 1}')
    assert first.request.header("authorization")
    assert first.response == Response(200, (("X-A", "b"),), b"[]")
    assert (first.sent_at, first.answered_at, first.headers_complete) == (DATE - 0.25, DATE + 0.25, False)
    assert (second.request.body, second.response) == (b"", Response(202, (), b""))
    assert second.sent_at == DATE


def test_a_body_that_a_flat_line_leaves_out_was_not_recorded(tmp_path: Path) -> None:
    line = {"method": "POST", "url": URL, "status": 202, "time": DATE}
    path = tmp_path / "log.ndjson"
    path.write_text(
        "".join(json.dumps(one) + "\n" for one in ({**line, "response_body": ""}, {**line, "request_body": "{}"}))
    )
    first, second = read(path)
    assert ("request-body", NOT_RECORDED) in first.notes
    assert (second.response, dict(second.notes)["response-body"]) == (None, NOT_RECORDED)


def test_an_access_log_without_bodies_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "access.ndjson"
    path.write_text(json.dumps({"method": "GET", "url": URL, "status": 200}) + "\n")
    with pytest.raises(NotARecordingError):
        list(read(path))


def test_a_loggers_lines_are_taken_in_the_order_sent(tmp_path: Path) -> None:
    lines = [
        {"timestamp": DATE + at, "request": {"method": "GET", "url": f"{URL}&n={at}", "headers": {}, "body": ""}}
        for at in (3, 1, 2)
    ]
    path = tmp_path / "log.ndjson"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert [exchange.request.url[-1] for exchange in read(path)] == ["1", "2", "3"]
