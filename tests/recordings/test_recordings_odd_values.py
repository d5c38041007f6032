"""A value of any kind, wherever it stands in a recording: it is read, or refused in one line that names its place."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from email.utils import mktime_tz, parsedate_to_datetime, parsedate_tz
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.http.exchange import Response
from conformance.recordings import InvalidRecordingError, paths, read
from conformance.recordings.parsing import body_of, moment_of

DIALECTS = Path(__file__).parent / "dialects"
SAMPLES = [
    *sorted((DIALECTS / "right").glob("*.json")),
    DIALECTS / "right" / "responses.yaml",
    DIALECTS / "schemathesis.har",
    DIALECTS / "schemathesis.ndjson",
    DIALECTS / "schemathesis.yaml",
    Path(__file__).parents[2] / "cassettes" / "by-hand" / "explicit.yaml",
]
ODD: list[Any] = [None, True, -1, 1e300, "\ud800", [], {}, [None], {"": None}]


def loaded(path: Path) -> Any:
    """A document, its first exchanges alone; the lines of NDJSON as a list."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ndjson":
        return [json.loads(line) for line in text.splitlines()]
    return yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)


def shortened(value: Any) -> Any:
    """The first items of each list."""
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    return [shortened(item) for item in value[:2]] if isinstance(value, list) else value


def saved(path: Path, document: Any, like: Path) -> None:
    if like.suffix == ".ndjson":
        path.write_text("".join(json.dumps(line) + "\n" for line in document), encoding="utf-8")
    elif like.suffix == ".yaml":
        path.write_text(yaml.dump(document, sort_keys=False), encoding="utf-8")
    else:
        path.write_text(json.dumps(document), encoding="utf-8")


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*at, key))


def replaced(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    target = changed
    for key in at[:-1]:
        target = target[key]
    target[at[-1]] = value
    return changed


def refusal(target: Path) -> str:
    """Why a recording is refused; nothing where it is read."""
    try:
        for path in paths([target]):
            list(read(path))
    except InvalidRecordingError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("sample", SAMPLES, ids=[path.name for path in SAMPLES])
def test_an_odd_value_anywhere_is_read_or_refused_in_one_line(tmp_path: Path, sample: Path) -> None:
    document = shortened(loaded(sample))
    target = tmp_path / sample.name
    for number, at in enumerate(places(document)):
        odd = ODD[number % len(ODD)]  # the samples have so many places that each kind of place meets most values
        saved(target, replaced(document, at, odd), sample)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert refusal(target).count("\n") == 0, (at, odd)


@pytest.mark.parametrize("encoding", ["\0", "utf-8\0", "hex", "undefined", "punycode", "idna", "no such"])
def test_an_encoding_that_is_none_leaves_the_text_as_it_is(encoding: str) -> None:
    assert body_of({"string": "é" * 300_000, "encoding": encoding}, "", "body") == ("é" * 300_000).encode()


@pytest.mark.parametrize("day", ["Fri, 30 Oct 2026", "Xxx, 30 Oct 2026", "Fri, 31 Feb 2026", "Fri, 30 Oct 0000"])
@pytest.mark.parametrize("time", ["00:00:00", "10:00:01", "23:59:59", "24:00:00", "10:60:00", "10:00:60", "1:00:00"])
def test_a_date_is_what_the_standard_library_reads_in_it(day: str, time: str) -> None:
    date = f"{day} {time} GMT"
    parsed = parsedate_tz(date)
    try:
        expected = None if parsed is None else mktime_tz(parsed)
    except ValueError:
        expected = None
    assert Response(200, (("Date", date),)).date == expected
    try:
        moment = parsedate_to_datetime(date).timestamp()
    except ValueError:
        moment = None
    assert moment_of(date) == (moment if moment is None or moment > 0 else None)
