"""Lines of NDJSON that are read a part at a time say what they say when they are read as a whole."""

from __future__ import annotations

import json

import pytest

from conformance.http.redaction import Scrubber
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.locations import may_hold
from conformance.recordings.line_parts import read_line
from conformance.recordings.metadata import MalformedPartError
from conformance.recordings.ndjson import _exchange

READ = (
    '{"sent_at":1790000000.5,"answered_at":1790000001.0,"label":"#7","whole":true,'
    '"request":{"method":"get","url":"https://api.cronofy.com/v1/events?tzid=Etc%2FUTC",'
    '"headers":[["Authorization","Bearer <default>"]],"body":""},'
    '"response":{"status":200,"headers":[["Content-Type","application/json"]],"body":"{\\"events\\": [\\"é\\"]}"}}\n'
)

LINES = {
    "as-this-suite-writes-it": READ,
    "as-json-libraries-write-it": json.dumps(json.loads(READ)) + "\n",
    "without-a-line-end": READ.rstrip(),
    "without-label-and-whole": READ.replace('"label":"#7","whole":true,', ""),
    "without-an-answer-in-time": READ.replace("1790000001.0", "null"),
    "with-a-resolution": READ.replace('"label"', '"resolution":0.5,"label"'),
    "not-whole": READ.replace("true", "false"),
    "a-write": READ.replace('"body":""', '"body":"{\\"event_id\\":\\"x\\"}"').replace("get", "POST"),
    "bytes": READ.replace('"body":""', '"body":{"base64":"/w=="}'),
    "without-headers": READ.replace('"headers":[["Authorization","Bearer <default>"]],', ""),
    "a-separator-in-a-text": READ.replace("#7", ',"body":,"response":').replace(',"body":,', ","),
    "an-escape-in-the-label": READ.replace("#7", "a\\\\b"),
    "with-notes": READ.replace("}}\n", '},"notes":[["a","b"]]}\n'),
    "unanswered": READ[: READ.index('"response"')] + '"response":null}\n',
    "a-key-twice": READ.replace('"body":""', '"body":"a","body":""'),
    "an-unknown-key": READ.replace('"body":""', '"trailers":[],"body":""'),
    "another-order": READ.replace('"method":"get",', "").replace('"body":""', '"body":"","method":"get"'),
    "a-time-before-time": READ.replace("1790000000.5", "12"),
    "no-status": READ.replace('"status":200,', ""),
    "a-blank-too-much": READ.replace('"request":', '"request" :'),
    "half-a-line": READ[:300],
    "a-mark-at-the-start": "\ufeff" + READ,
}


@pytest.mark.parametrize("name", LINES)
def test_a_line_says_the_same_in_parts_and_as_a_whole(name: str) -> None:
    found = read_line(LINES[name].encode(), "file#1")
    if found is None:
        return  # it is read as a whole
    assert found == _exchange(json.loads(LINES[name]), "file#1")


@pytest.mark.parametrize("name", list(LINES)[:8])
def test_usual_lines_are_read_in_parts(name: str) -> None:
    assert read_line(LINES[name].encode(), "file#1") is not None


@pytest.mark.parametrize("name", ["an-unknown-key", "a-time-before-time", "no-status"])
def test_what_is_wrong_as_a_whole_is_not_read_in_parts(name: str) -> None:
    with pytest.raises(MalformedPartError):
        _exchange(json.loads(LINES[name]), "file#1")
    assert read_line(LINES[name].encode(), "file#1") is None


def test_a_text_that_is_no_utf_8_is_not_read() -> None:
    assert read_line(READ.encode("latin-1"), "file#1") is None


def test_what_comes_again_is_the_same_object() -> None:
    one, other = read_line(READ.encode(), "a"), read_line(READ.replace("#7", "#8").encode(), "a")
    assert one is not None
    assert other is not None
    assert (one.label, other.label) == ("#7", "#8")
    assert one.request is other.request
    assert one.response is other.response


@pytest.mark.parametrize("place", [0, 7, 19])
@pytest.mark.parametrize("between", [",", ", "])
def test_a_credential_in_any_item_of_a_long_list_is_noticed(place: int, between: str) -> None:
    items = [json.dumps({"summary": f"{number} {'x' * 150}", "at": {"lat": 1}}) for number in range(20)]
    assert not may_hold(f"[{between.join(items)}]".encode())
    items[place] = items[place].replace("x" * 20, "access_token=abc", 1)
    assert may_hold(f"[{between.join(items)}]".encode())


def test_a_request_that_came_before_is_searched_for_a_secret_that_is_learnt_later() -> None:
    exchange = read_line(READ.replace("Etc%2FUTC", "Zk3pXw9vB2mT8").encode(), "a")
    assert exchange is not None
    secrets = SecretCollector({})
    secrets.collect("another-Secret-123")
    assert "Zk3pXw9vB2mT8" in secrets.redacted(exchange).request.url
    secrets.collect("Zk3pXw9vB2mT8")
    assert "Zk3pXw9vB2mT8" not in secrets.redacted(exchange).request.url


def test_a_request_that_came_before_is_scrubbed_as_before() -> None:
    found: list[str] = []
    scrubber = Scrubber(collect=found.append)
    exchange = read_line(READ.replace("<default>", "Zk3pXw9vB2mT8").encode(), "a")
    assert exchange is not None
    once, twice = scrubber(exchange), scrubber(exchange)
    assert once == twice
    assert "Zk3pXw9vB2mT8" not in repr(twice)
    assert found == ["Zk3pXw9vB2mT8"]
