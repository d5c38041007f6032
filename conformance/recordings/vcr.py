"""VCR cassettes in YAML and JSON, read into exchanges: vcrpy's, those of other languages, and our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

from conformance.http.exchange import Exchange, Headers, Request, first_of
from conformance.recordings.corrections import by_server_clock, complete_where_authorized, without_filtered
from conformance.recordings.metadata import (
    HEADER_KEY,
    InvalidRecordingError,
    MalformedPartError,
    NotARecordingError,
    RecordingMetadata,
    kind_of,
    reading,
)
from conformance.recordings.parsing import (
    Notes,
    answered,
    asked,
    assemble,
    base64_bytes,
    body_of,
    headers_of,
    json_bytes,
    moment_of,
    number_of,
    object_of,
    status_of,
    time_of,
    timed,
)
from conformance.recordings.yaml_blocks import LIST_START, TOP_LEVEL_LIST

__all__ = [
    "INTERACTIONS",
    "UNANSWERED",
    "document_in_yaml",
    "foreign_exchange",
    "header_of_yaml",
    "is_cassette",
    "read_document",
    "read_yaml",
]

#: The keys of the list of interactions in vcrpy and Ruby VCR.
INTERACTIONS = ("interactions", "http_interactions")

#: The key of unanswered requests in a cassette of ours, each with its position.
UNANSWERED = "unanswered"
_LISTS = frozenset((*INTERACTIONS, UNANSWERED))
_ADVICE = "record it again, or repair it there"
#: The error of Schemathesis' times, in seconds: they include its own work.
_SCHEMATHESIS_RESOLUTION = 0.1
#: How many requests are known again.
_SAME = 256


@dataclass(frozen=True, slots=True)
class _Dialect:
    """The writer of a cassette: ours has exact times and headers, Schemathesis all headers."""

    ours: bool = False
    schemathesis: bool = False


def read_yaml(path: Path) -> Iterator[Exchange]:
    """The exchanges of a YAML cassette, in file order, one at a time."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        yield from _exchanges(path, _checked(path, stream))


def read_document(path: Path, document: Mapping[str, Any]) -> Iterator[Exchange]:
    """The exchanges of a cassette in vcrpy's JSON, in file order."""
    yield from _exchanges(path, _flat(path, document))


def is_cassette(path: Path) -> bool:
    """Whether a YAML file is a cassette, or a list, by its first keys.  Raises InvalidRecordingError."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return any(key is TOP_LEVEL_LIST or key == HEADER_KEY or key in _LISTS for key, _ in _checked(path, stream))


def document_in_yaml(path: Path) -> Mapping[str, Any]:
    """The mapping in a YAML file of another kind.  Raises InvalidRecordingError."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return {str(key): value for key, value in _checked(path, stream)}


def header_of_yaml(path: Path) -> RecordingMetadata | None:
    """The metadata of a cassette of ours, read without the rest; None for a foreign one."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for key, value in _checked(path, stream):
            if key == HEADER_KEY:
                with reading(path, HEADER_KEY):
                    return RecordingMetadata.of(value)
            if key in _LISTS:
                return None
            if key is TOP_LEVEL_LIST:
                _check_listed(path, value)
                return None
    raise _no_cassette(path)


def _check_listed(path: Path, item: object) -> None:
    """A top-level list must consist of interactions, as in PHP-VCR and ExVCR."""
    if not isinstance(item, dict) or "request" not in item:
        raise _no_cassette(path)


def _no_cassette(path: Path) -> NotARecordingError:
    return NotARecordingError(
        path,
        "no recording: a YAML document without `interactions`",
        "name a VCR cassette, a HAR or an NDJSON of exchanges",
    )


def _checked(path: Path, stream: IO[str]) -> Iterator[tuple[object, Any]]:
    import yaml  # most recordings are of other kinds, and start-up would pay

    from conformance.recordings.yaml_stream import entries

    try:
        yield from entries(stream, _LISTS)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}" if mark else ""
        raise InvalidRecordingError(path, f"broken YAML ({error.problem or error.context})", _ADVICE, place) from None
    except UnicodeDecodeError:
        raise InvalidRecordingError(path, "no text in UTF-8", _ADVICE) from None
    except yaml.YAMLError as error:
        raise InvalidRecordingError(path, f"no YAML text ({str(error).splitlines()[0]})", _ADVICE) from None
    except RecursionError:
        raise InvalidRecordingError(path, "YAML nested too deep", _ADVICE) from None
    except ValueError as error:
        raise NotARecordingError(path, str(error), "name a VCR cassette, a HAR or an NDJSON of exchanges") from None


def _flat(path: Path, document: Mapping[str, Any]) -> Iterator[tuple[object, Any]]:
    for key in sorted(document, key=lambda name: (name in INTERACTIONS, name == UNANSWERED)):
        value = document[key]
        if key not in _LISTS:
            yield key, value
        elif isinstance(value, list):
            yield key, LIST_START
            yield from ((key, item) for item in value)
        else:
            raise InvalidRecordingError(path, f"expected a list, found {kind_of(value)}", _ADVICE, key)


class _Requests:
    """Reads foreign requests; one that came before as the very object that it is, is not read again."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, Request, Notes]] = {}

    def __call__(self, request: Mapping[str, Any]) -> tuple[Request, Notes]:
        known = self._known.get(id(request))
        if known is None or known[0] is not request:
            known = request, *asked(request.get("method"), _url(request), *_message(request, "request"))
            if len(self._known) >= _SAME:
                self._known.clear()
            self._known[id(request)] = known  # held, so that no other takes its id
        return known[1:]


def _exchanges(path: Path, parts: Iterator[tuple[object, Any]]) -> Iterator[Exchange]:
    read = _read(path, parts)
    first = next(read, None)
    if first is not None:
        dialect = first[0]
        everything: Iterator[Exchange] = (exchange for _, exchange in chain([first], read))
        if dialect.schemathesis:
            everything = complete_where_authorized(everything)
        yield from everything if dialect.ours else without_filtered(by_server_clock(everything))


def _read(path: Path, parts: Iterator[tuple[object, Any]]) -> Iterator[tuple[_Dialect, Exchange]]:
    dialect, is_cassette, number = _Dialect(), False, 0
    waiting: dict[int, Exchange] = {}
    name, requests = path.as_posix(), _Requests()
    for key, value in parts:
        if value is LIST_START:
            is_cassette = is_cassette or key in INTERACTIONS
        elif key == HEADER_KEY:
            with reading(path, HEADER_KEY):
                RecordingMetadata.of(value)
            dialect = _Dialect(ours=True)
        elif key == "recorded_with":
            dialect = _Dialect(dialect.ours, "schemathesis" in str(value).lower())
        elif key == UNANSWERED:
            place = f"{UNANSWERED} {len(waiting) + 1}"
            exchange = _exchange(path, value, dialect, place, f"{name}#{place}", requests)
            with reading(path, place):
                position = int(number_of(value.get("position"), "position") or 0)
            waiting[position] = exchange
        elif key in INTERACTIONS or key is TOP_LEVEL_LIST:
            if key is TOP_LEVEL_LIST and not is_cassette:
                _check_listed(path, value)
                is_cassette = True
            while number + 1 in waiting:
                number += 1
                yield dialect, waiting.pop(number)
            number += 1
            yield dialect, _exchange(path, value, dialect, f"interaction {number}", f"{name}#{number}", requests)
    if not is_cassette:
        raise _no_cassette(path)
    yield from ((dialect, waiting[position]) for position in sorted(waiting))


def _exchange(path: Path, item: object, dialect: _Dialect, place: str, label: str, requests: _Requests) -> Exchange:
    with reading(path, place):
        interaction = object_of(item, "it")
        return _ours(interaction, label) if dialect.ours else _foreign(interaction, dialect, label, requests)


def _status(response: Mapping[str, Any]) -> int:
    status = response.get("status", response.get("status_code"))
    if isinstance(status, dict):
        return status_of(status.get("code", status.get("status_code")))
    return status_of(response.get("code", status))  # go-vcr's status is "200 OK"


def _message(message: Mapping[str, Any], where: str) -> tuple[Headers, bytes | None]:
    """The headers and the body of a request or a response; None for a body that was not recorded."""
    headers = headers_of(message.get("headers"), f"{where}.headers")
    content_type = first_of(headers, "content-type") or ""
    # ReqCassette has a key for each type of body.
    if message.get("body_type") == "json":
        return headers, json_bytes(message.get("body_json"), f"{where}.body_json")
    if message.get("body_type") == "blob":
        return headers, base64_bytes(str(message.get("body_blob")), f"{where}.body_blob")
    # ExVCR has the body of a request under another key, beside an empty one.
    body = message.get("request_body") or message.get("body", message.get("content"))
    return headers, None if _is_elsewhere(message, body) else body_of(body, content_type, f"{where}.body")


def _is_elsewhere(message: Mapping[str, Any], body: object) -> bool:
    """Whether a body is missing: R's vcr may put it in a file, PHP-VCR in fields, ExVCR in Erlang terms."""
    in_file = isinstance(body, dict) and body.get("file") is True
    return in_file or message.get("binary") is True or bool(message.get("post_fields") and not body)


def _url(request: Mapping[str, Any]) -> object:
    """The URL of a request; ReqCassette has the query under another key."""
    url, query = request.get("uri", request.get("url")), request.get("query_string")
    if isinstance(url, str) and isinstance(query, str) and query and "?" not in url:
        return f"{url}?{query}"
    return url


def foreign_exchange(interaction: Mapping[str, Any], label: str) -> Exchange:
    """What another logger wrote as `request` and `response`, if any: headers may be left out, and tokens filtered.

    Raises MalformedPartError.
    """
    [exchange] = without_filtered([_foreign({"response": None, **interaction}, _Dialect(), label, _Requests())])
    return exchange


def _foreign(interaction: Mapping[str, Any], dialect: _Dialect, label: str, requests: _Requests) -> Exchange:
    recorded = object_of(interaction.get("request"), "request")
    if "response" not in interaction:
        raise MalformedPartError("response: expected an object, found nothing")
    request, of_request = requests(recorded)
    shown = interaction["response"]
    has_answer = shown is not None and not (isinstance(shown, dict) and shown.get("type") == "error")
    answer = object_of(shown, "response") if has_answer else {}
    headers, body = _message(answer, "response")
    status = _status(answer) if has_answer else None
    response, of_response = answered(status, headers, None if "truncated_from" in answer else body)
    at = moment_of(interaction.get("recorded_at"))
    elapsed = number_of(answer.get("elapsed"), "response.elapsed") if dialect.schemathesis else None
    sent_at = None if at is None else at - (elapsed or 0.0)
    resolution = 0.0 if at is None else _SCHEMATHESIS_RESOLUTION if dialect.schemathesis else 1.0
    times = timed(sent_at, at if has_answer else None, resolution, headers)
    complete = dialect.schemathesis and bool(request.headers)
    return Exchange(request, response, label, *times, complete, of_request + of_response)


def _ours(interaction: Mapping[str, Any], label: str) -> Exchange:
    request = object_of(interaction.get("request"), "request")
    headers, body = _message(request, "request")
    answered = interaction.get("response") is not None
    response = object_of(interaction["response"], "response") if answered else {}
    response_headers, response_body = _message(response, "response")
    exact = object_of(interaction.get("exact", {}), "exact")
    times = object_of(interaction.get("recorded_at", {}), "recorded_at")
    return assemble(
        method=request.get("method"),
        url=request.get("uri"),
        request_headers=headers_of(exact["request"], "exact.request") if "request" in exact else headers,
        request_body=body,
        status=_status(response) if answered else None,
        response_headers=headers_of(exact["response"], "exact.response") if "response" in exact else response_headers,
        response_body=response_body,
        ours=True,
        sent_at=time_of(times.get("sent"), "recorded_at.sent"),
        answered_at=time_of(times.get("answered"), "recorded_at.answered"),
        time_resolution=number_of(times.get("resolution"), "recorded_at.resolution") or 0.0,
        label=str(interaction.get("label", label)),
        headers_complete=bool(interaction.get("whole", True)),
        notes=tuple(headers_of(interaction.get("notes"), "notes")),
    )
