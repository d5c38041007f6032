"""What is no recording is refused in one line that names the file, the place and what to do."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from conformance.recordings import (
    InvalidRecordingError,
    SkippedWarning,
    TruncatedWarning,
    header,
    paths,
    read,
    read_all,
)
from conformance.recordings.metadata import reading

URL = "https://api.cronofy.com/v1/events"
NAME = "name a VCR cassette, a HAR or an NDJSON of exchanges"
REPAIR = "record it again, or repair it there"
LINE = "remove the line, or record it again"
EXPORT = "export it again, with content"
REQUEST = f"{{method: GET, uri: '{URL}'}}"
SHOWN = f'{{"method":"GET","url":"{URL}"}}'
GOOD = f'{{"sent_at":1795363057.0,"answered_at":1795363057.5,"request":{SHOWN},"response":null}}\n'


def har_entry(**changes: object) -> str:
    entry = {"request": {"method": "GET", "url": URL}, "response": {"status": 200, "content": {}}} | changes
    return json.dumps({"log": {"entries": [entry]}})


def interaction(text: str) -> str:
    return f"interactions:\n- request: {REQUEST}\n  response: {{status: {{code: 200}}}}\n- {text}\n"


NESTED = "interactions:\n- {}\n"
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", f": an empty file; {NAME}"),
        (" \n\n", f": an empty file; {NAME}"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", f": a binary file; {NAME}"),
        (b"text:\n- \0text", f", line 2: a NUL character; {REPAIR}"),
        (b"text:\n- caf\xe9", ", line 2, byte 12 of the file: not UTF-8; save it as UTF-8"),
        ("interactions: []".encode("utf-16-le"), ": text in UTF-16; save it as UTF-8"),
        (zlib.compress(b'{"log": {"entries": []}}'), ": a compressed file; unpack it first"),
        ("interactions: []".encode("utf-16"), ": text in UTF-16; save it as UTF-8"),
        ("Dear reader", f": expected a YAML mapping or list; {NAME}"),
        ("- request: {}\n", f", interaction 1: response: expected an object, found nothing; {REPAIR}"),
        ("- hosts: all\n", f": no recording: a YAML document without `interactions`; {NAME}"),
        ("[]", f": no recording: JSON without `log`, `interactions` or exchanges; {NAME}"),
        (f"[{GOOD}, 1]", f", item 2: it: expected an object, found a number; {LINE}"),
        ('{"": 5}', f": no recording: JSON without `log`, `interactions` or exchanges; {NAME}"),
        ('{"a": {"log": 1}}', f": no recording: JSON without `log`, `interactions` or exchanges; {NAME}"),
        ("services:\n  web: {}\n", f": no recording: a YAML document without `interactions`; {NAME}"),
        ("# nothing\n", f": it holds no YAML document; {NAME}"),
        ("interactions: []\n---\nmore: 1\n", f": expected one YAML document, found another behind it; {NAME}"),
        (
            "interactions:\n- request: {method: GET, uri: 'https",
            f", line 2: broken YAML (…); {REPAIR}",
        ),
        ("interactions:\n- &a [*a]\n", f", line 2: broken YAML (an alias inside of its own value); {REPAIR}"),
        (BOMB + "interactions: []", f", line 7: broken YAML (more than 1000000 values in one); {REPAIR}"),
        (
            "a: !!python/object/apply:os.system [true]\ninteractions: []",
            f", line 1: broken YAML (…); {REPAIR}",
        ),
        (NESTED.format("[" * 200 + "]" * 200), f", interaction 1: it: expected an object, found a list; {REPAIR}"),
        (NESTED.format("[" * 201 + "]" * 201), f", line 2: broken YAML (nested deeper than 200 levels); {REPAIR}"),
        (NESTED.format("- " * 5000), f", line 2: broken YAML (nested deeper than 200 levels); {REPAIR}"),
        (NESTED.format("[" * 5000), f", line 2: broken YAML (…); {REPAIR}"),
        (
            interaction(f"{{request: {{method: POST, uri: '{URL}', body: [!!binary AA==, 1]}}, response: null}}"),
            f", interaction 2: request.body: expected text, bytes or JSON values, found a list; {REPAIR}",
        ),
        (
            "a: [\x07]\ninteractions: []",
            f": no YAML text (…); {REPAIR}",
        ),
        (
            b"interactions:\n- '" + b"x" * 2**17 + b"\xff'",
            f": no text in UTF-8; {REPAIR}",
        ),
        (interaction("oops"), f", interaction 2: it: expected an object, found a string; {REPAIR}"),
        (
            interaction(f"{{request: {REQUEST}}}"),
            f", interaction 2: response: expected an object, found nothing; {REPAIR}",
        ),
        (interaction("{}"), f", interaction 2: request: expected an object, found nothing; {REPAIR}"),
        (
            interaction("{request: {method: GET, uri: /v1/events}, response: null}"),
            f", interaction 2: request.url: expected an absolute HTTP URL, found a string; {REPAIR}",
        ),
        (
            interaction("{request: {method: GET, uri: 'http://[::1/'}, response: null}"),
            f", interaction 2: request.url: expected a URL that can be taken apart, found a string; {REPAIR}",
        ),
        (
            interaction("{request: {method: 'G T', uri: 'http://a/'}, response: null}"),
            f", interaction 2: request.method: expected an HTTP method, found a string; {REPAIR}",
        ),
        (
            interaction(f"{{request: {REQUEST}, response: {{status: {{code: OK}}}}}}"),
            f", interaction 2: response.status: expected a finite number, found a string; {REPAIR}",
        ),
        (
            interaction(f"{{request: {REQUEST}, response: {{status: 200.5}}}}"),
            f", interaction 2: response.status: expected a status code, found a number; {REPAIR}",
        ),
        (
            interaction(f"{{request: {REQUEST}, response: {{status: 200, headers: text}}}}"),
            f", interaction 2: response.headers: expected headers, found a string; {REPAIR}",
        ),
        (
            interaction(f"{{request: {REQUEST}, response: {{status: 200, headers: [text]}}}}"),
            f", interaction 2: response.headers: expected a header's name and value, found a string; {REPAIR}",
        ),
        (
            interaction(f"{{request: {REQUEST}, response: {{status: 200, body: {{base64_string: '?'}}}}}}"),
            f", interaction 2: response.body.base64_string: invalid base64 (…); {REPAIR}",
        ),
        (
            interaction(f"{{request: {REQUEST}, response: {{status: 200, body: {{string: [1]}}}}}}"),
            f", interaction 2: response.body.string: expected text, found a list; {REPAIR}",
        ),
        (
            "conformance: text\ninteractions: []",
            f", conformance: conformance: expected an object, found a string; {REPAIR}",
        ),
        (
            "conformance: {run: 1}\ninteractions: []",
            f", conformance: conformance.run: expected a string, found a number; {REPAIR}",
        ),
        (
            "conformance: {applies_to: both}\ninteractions: []",
            f", conformance: conformance.applies_to: expected server or client, found 'both'; {REPAIR}",
        ),
        (
            "conformance: {accounts: a}\ninteractions: []",
            f", conformance: conformance.accounts: expected a list of names, found a string; {REPAIR}",
        ),
        (
            "conformance: {settings: a}\ninteractions: []",
            f", conformance: conformance.settings: expected an object, found a string; {REPAIR}",
        ),
        ("{}", f": no recording: JSON without `log`, `interactions` or exchanges; {NAME}"),
        ("[1]", f": no recording: JSON without `log`, `interactions` or exchanges; {NAME}"),
        ('{"interactions": {}}', f", interactions: expected a list, found an object; {REPAIR}"),
        ('{"interactions": [', f", line 1 column 19: broken JSON (…); {REPAIR}"),
        (b'{"interactions": ["' + b"x" * 70_000 + b'\xff"]}', f": no text in UTF-8; {REPAIR}"),
        ("[" * 100_000, f": JSON nested too deep, or with a number too long; {REPAIR}"),
        ('{"log": []}', f", log: log: expected an object, found a list; {EXPORT}"),
        ('{"log": {"version": "1.2"}}', f", log: expected log.entries, found nothing; {EXPORT}"),
        ('{"log": {"entries": [1]}}', f", entry 1: it: expected an object, found a number; {EXPORT}"),
        ('{"log": {"entries": [{"request": 1}]}}', f", entry 1: request: expected an object, found a number; {EXPORT}"),
        (
            har_entry(response={"status": 200, "content": {"text": "?", "encoding": "base64"}}),
            f", entry 1: response.content.text: invalid base64 (…); {EXPORT}",
        ),
        (
            har_entry(response={"status": 200, "content": {"text": "AA==", "encoding": "base63"}}),
            f", entry 1: response.content.encoding: expected base64 or none, found another; {EXPORT}",
        ),
        (
            har_entry(response={"status": 200, "content": {"text": 5}}),
            f", entry 1: response.content.text: expected a string, found a number; {EXPORT}",
        ),
        (
            har_entry(request={"method": "POST", "url": URL, "postData": 5}),
            f", entry 1: request.postData: expected an object, found a number; {EXPORT}",
        ),
        (
            har_entry(request={"method": "POST", "url": URL, "postData": {"text": {"a": 1}}}),
            f", entry 1: request.postData.text: expected a string, found an object; {EXPORT}",
        ),
        (
            har_entry(request={"method": "POST", "url": URL, "postData": {"text": "?", "encoding": "base64"}}),
            f", entry 1: request.postData.text: invalid base64 (…); {EXPORT}",
        ),
        (
            har_entry(request={"method": "POST", "url": URL, "postData": {"params": "a=b"}}),
            f", entry 1: request.postData.params: expected headers, found a string; {EXPORT}",
        ),
        (
            har_entry(request={"method": "GET", "url": ":::/v1/events"}),
            f", entry 1: request.url: expected an absolute HTTP URL, found a string; {EXPORT}",
        ),
        (har_entry(time="soon"), f", entry 1: time: expected a finite number, found a string; {EXPORT}"),
        (GOOD + '{"sent_at":\n' + GOOD, f", line 2: broken JSON (… at column 1); {LINE}"),
        (GOOD + "1\n", f", line 2: it: expected an object, found a number; {LINE}"),
        (
            GOOD + '{"sent_at":1e999,"request":{}}\n',
            f", line 2: sent_at: expected seconds since the epoch, or ISO 8601, found a string; {LINE}",
        ),
        (
            GOOD + GOOD.replace("7.0,", "7000,"),
            ", line 2: sent_at: expected seconds since the epoch, or ISO 8601, found 1795363057000; " + LINE,
        ),
        (
            GOOD + GOOD.replace("1795363057.5,", "-1,"),
            f", line 2: answered_at: expected seconds since the epoch, or ISO 8601, found -1; {LINE}",
        ),
        (
            GOOD.replace("1795363057.0", '"yesterday"'),
            f", line 1: sent_at: expected seconds since the epoch, or ISO 8601, found a string; {LINE}",
        ),
        (
            GOOD + '{"sent_at":true,"request":{}}\n',
            f", line 2: sent_at: expected seconds since the epoch, or ISO 8601, found a boolean; {LINE}",
        ),
        (
            GOOD + '{"sent_at":null,"request":{"method":"GET"}}\n',
            f", line 2: request.url: expected an absolute URL, found nothing; {LINE}",
        ),
        (
            GOOD + '{"sent_at":null,"request":{"method":"GET","url":"/v1"}}\n',
            f", line 2: request.url: expected an absolute URL, found a string; {LINE}",
        ),
        (
            GOOD + GOOD.replace('"url"', '"uri"'),
            f", line 2: request.uri: unknown, expected method, url, headers, body; {LINE}",
        ),
        (
            GOOD.replace("null", '{"status":200,"json":{}}'),
            f", line 1: response.json: unknown, expected status, headers, body; {LINE}",
        ),
        ('{"a":1}\n[1]\n3\n', f", line 1: no exchange: an object without `request`; {NAME}"),
        ('{"log": {}}\n}', f", line 2 column 1: broken JSON (…); {REPAIR}"),
        ('[1]\n{"a":1}\n', f", line 1: no exchange: expected an object, found a list; {NAME}"),
        (GOOD + "[" * 100_000 + "\n", f", line 2: JSON nested too deep, or with a number too long; {LINE}"),
        (GOOD.encode() + b"\n" * 70_000 + b'{"a":"\xff"}\n', f", line 70002: no text in UTF-8; {LINE}"),
        ('{"conformance":1}\n' + GOOD, f", line 1: conformance: expected an object, found a number; {LINE}"),
        ('{"sent_at":1.0,"requ', f", line 1 column 16: broken JSON (…); {REPAIR}"),
        (
            '{"Initialize":{}}\n{"ScenarioFinished":{"recorder":{"interactions":{"a":{"request":1}}}}}\n',
            f", line 2: request: expected an object, found a number; {LINE}",
        ),
    ],
)
def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = tmp_path / "recording"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InvalidRecordingError) as caught:
        list(read(path))
    # What a library says of the error is quoted, in its words of today: they stand as "…" here.
    expected = re.escape(f"{path}{message}").replace("…", ".+")
    assert re.fullmatch(expected, str(caught.value))


@pytest.mark.parametrize(
    "content",
    [
        har_entry(request={"method": "GET", "url": URL, "headers": ["Authorization: Bearer s3cret"]}),
        har_entry(request={"method": "GET", "url": URL, "headers": [{"value": "s3cret"}]}),
        har_entry(request={"method": "Bearer s3cret", "url": URL}),
        har_entry(request={"method": "GET", "url": "s3cret"}),
        har_entry(request={"method": "GET", "url": "http://a:s3cret/"}),
        har_entry(response={"status": "s3cret"}),
        har_entry(time="s3cret"),
        interaction("s3cret"),
        interaction(f"{{request: {REQUEST}, response: {{status: {{code: s3cret}}}}}}"),
        interaction(f"{{request: {{method: GET, uri: '{URL}', headers: [[s3cret]]}}}}"),
        interaction(f"{{request: {{method: GET, uri: '{URL}', headers: {{a: {{s3cret: 1}}}}}}}}"),
        GOOD + '{"sent_at":"s3cret","request":{}}\n',
        GOOD + '{"request":{"method":"GET","url":["s3cret"]}}\n',
    ],
)
def test_what_stands_in_a_wrong_place_may_be_a_secret_and_is_not_quoted(tmp_path: Path, content: str) -> None:
    (tmp_path / "a").write_text(content)
    with pytest.raises(InvalidRecordingError) as caught:
        list(read(tmp_path / "a"))
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecordingError, match=f"{os.strerror(errno.ENOENT)}; name a file that can be read"):
        list(read(tmp_path / "nothing"))
    with pytest.raises(InvalidRecordingError, match="a folder; name the recordings in it"):
        list(read(tmp_path))
    with pytest.raises(InvalidRecordingError, match=r"a folder without a recording; recordings end in \.flow"):
        paths([tmp_path])


def test_a_yaml_file_of_another_kind_is_refused_before_the_first_exchange(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(GOOD)
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    with pytest.raises(InvalidRecordingError, match="no recording: a YAML document without `interactions`"):
        next(read_all([tmp_path / "a.ndjson", tmp_path / "compose.yaml"]))
    with pytest.warns(SkippedWarning, match="no recording: a YAML document without `interactions`; left out"):
        assert len(list(read_all([tmp_path]))) == 1
    (tmp_path / "a.ndjson").unlink()
    with pytest.raises(InvalidRecordingError, match="a folder without a recording"), pytest.warns(SkippedWarning):
        paths([tmp_path])


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text(GOOD + GOOD.rstrip() + " " * 500)
    monkeypatch.setattr("conformance.recordings.ndjson.LONGEST_LINE", 300)
    with pytest.raises(InvalidRecordingError, match="line 2: longer than 0 MiB"):
        list(read(tmp_path / "a"))


def test_a_last_line_without_its_end_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(GOOD + GOOD.rstrip())
    assert len(list(read(tmp_path / "a"))) == 2


def test_a_value_nested_too_deep_is_refused_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecordingError) as caught, reading(tmp_path / "a", "entry 1"):
        raise RecursionError
    assert str(caught.value) == f"{tmp_path}/a, entry 1: nested too deep; {REPAIR}"


def test_a_bad_file_among_good_ones_is_refused_before_the_first_exchange(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(GOOD)
    (tmp_path / "b.har").write_text("")
    with pytest.raises(InvalidRecordingError, match=r"b\.har: an empty file"):
        next(read_all([tmp_path]))


@pytest.mark.parametrize(
    "content", ["interactions: []\nversion: 1\n", '{"log": {"entries": []}}', '{"interactions": []}']
)
def test_a_recording_without_exchanges_is_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "a").write_text(content)
    assert list(read(tmp_path / "a")) == []
    assert header(tmp_path / "a") is None


def test_a_byte_order_mark_and_blank_lines_are_tolerated(tmp_path: Path) -> None:
    for content in (
        GOOD + "\n \n" + GOOD,
        "interactions:\r\n- request: " + REQUEST + "\r\n  response: null" + "\r\n" * 2,
        har_entry(),
    ):
        (tmp_path / "a").write_bytes(b"\xef\xbb\xbf" + content.encode())
        assert {exchange.request.url for exchange in read(tmp_path / "a")} == {URL}


def test_a_cut_off_line_is_tolerated_only_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(GOOD + GOOD[:-20])
    with pytest.warns(TruncatedWarning, match="line 2"):
        assert len(list(read(tmp_path / "a"))) == 1
    (tmp_path / "a").write_text(GOOD + GOOD[:-20] + "\n")
    with pytest.raises(InvalidRecordingError, match="line 2: broken JSON"):
        list(read(tmp_path / "a"))


def test_a_header_in_json_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"conformance": {"tool": "t", "version": "1"}, "interactions": []}')
    found = header(tmp_path / "a")
    assert found is not None
    assert (found.tool, found.version, found.run, found.applies_to) == ("t", "1", "", "server")


def test_yaml_is_read_alike_without_libyaml() -> None:
    """The pure Python parser is chosen at import, hence the process of its own."""
    program = """
import sys, yaml
yaml.__with_libyaml__ = False
from pathlib import Path
from conformance.recordings import InvalidRecordingError, read
folder = Path(sys.argv[1])
print([exchange.request.url for exchange in read(folder / "schemathesis.yaml")])
"""
    dialects = Path(__file__).parent / "dialects"
    done = subprocess.run([sys.executable, "-c", program, str(dialects)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([exchange.request.url for exchange in read(dialects / "schemathesis.yaml")])


def test_reading_opens_no_more_files_than_it_reads(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.ndjson").write_text(GOOD)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, soft), hard))
    try:
        assert len(list(read_all([tmp_path]))) == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
