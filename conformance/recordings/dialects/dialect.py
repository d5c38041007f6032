"""What a dialect is: where the exchanges stand in a recorder's document, and where in each of them its parts stand."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from conformance.http.exchange import Exchange, first_of
from conformance.recordings.corrections import by_server_clock, without_filtered
from conformance.recordings.metadata import MalformedPartError, SkippedWarning, reading
from conformance.recordings.parsing import (
    BODILESS_METHODS,
    assemble,
    body_of,
    headers_of,
    number_of,
    object_of,
    status_of,
)

__all__ = ["Dialect", "LeftOutError", "Place", "at", "exchanges_of", "has", "milliseconds"]

#: Where a part stands in an item: keys with dots between them, several such places (the first that is there counts),
#: or a function of the item.
Place = str | tuple[str, ...] | Callable[[Any], Any]
#: The methods of writes, for exchanges whose order is not recorded.
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class LeftOutError(Exception):
    """An item that is no exchange; the message says what it is, in the plural."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The format of one recorder.

    `recognizes` tells its documents by their content; `items` gives the exchanges in one.  A place of a body may be a
    function that gives None: the body was not recorded.  `sent_at` and `answered_at` give seconds since the epoch or
    None, with an error of `resolution` seconds; without them, ``Date`` is the time.  `ordered`: the items stand in the
    order in which they were sent.  `attached` gives the body of a response that stands in a file of its own.  `is_part`
    tells a document that is a part of a recording: the others are in the same folder.  `advice` says what to do where
    an item cannot be read.
    """

    name: str
    recognizes: Callable[[Any], bool]
    items: Callable[[Any], Iterable[Any]]
    method: Place
    url: Place
    status: Place
    request_headers: Place = ()
    request_body: Place = ()
    response_headers: Place = ()
    response_body: Place = ()
    sent_at: Callable[[Any], float | None] = lambda _: None
    answered_at: Callable[[Any], float | None] = lambda _: None
    resolution: float = 0.001
    ordered: bool = True
    attached: Callable[[Path, Any], bytes | None] = lambda path, item: None
    is_part: Callable[[Any], bool] = lambda _: False
    advice: str = "record it again, or repair it there"


def at(item: Any, place: Place) -> Any:
    """What stands in `item` at `place`; None where nothing does.

    >>> at({"request": {"url": "/"}}, ("request.uri", "request.url"))
    '/'
    """
    if callable(place):
        return place(item)
    for path in (place,) if isinstance(place, str) else place:
        value = item
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            return value
    return None


def has(value: Any, *paths: str) -> bool:
    """Whether something stands at each of `paths`."""
    return all(at(value, path) is not None for path in paths)


def exchanges_of(dialect: Dialect, documents: Iterable[tuple[Path, Any]]) -> Iterator[Exchange]:
    """The exchanges of a document in this dialect, or of its parts; warns with SkippedWarning of items that are none.

    Where their order is not recorded and not all have a ``Date``, readings come first: nothing follows from them about
    a write.
    """
    exchanges: list[Exchange] = []
    left_out: dict[str, list[Path]] = {}
    for path, document in documents:
        with reading(path, dialect.name, dialect.advice), _as_written(dialect):
            items = list(dialect.items(document))
        for number, item in enumerate(items, 1):
            with reading(path, f"item {number}", dialect.advice), _as_written(dialect):
                try:
                    exchanges.append(_exchange(dialect, path, object_of(item, "it"), number))
                except LeftOutError as reason:
                    left_out.setdefault(str(reason), []).append(path)
    for reason_text, paths in left_out.items():
        place = paths[0] if len({*paths}) == 1 else paths[0].parent
        warnings.warn(f"{place}: {len(paths)} {reason_text}; left out", SkippedWarning, stacklevel=2)
    if not dialect.ordered:
        exchanges.sort(key=_unordered(exchanges))
    yield from without_filtered(by_server_clock(exchanges))


@contextmanager
def _as_written(dialect: Dialect) -> Iterator[None]:
    """Where a dialect's functions meet a value of another type than its recorder writes, the part is malformed."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError):
        raise MalformedPartError(f"a value of another type than in {dialect.name}") from None


def _unordered(exchanges: list[Exchange]) -> Callable[[Exchange], tuple[float, bool]]:
    dated = all(exchange.sent_at is not None for exchange in exchanges)
    time = attrgetter("sent_at")
    return lambda exchange: (time(exchange) if dated else 0.0, exchange.request.method not in _READS)


def _exchange(dialect: Dialect, path: Path, item: Mapping[str, Any], number: int) -> Exchange:
    method, status = at(item, dialect.method), at(item, dialect.status)
    headers = headers_of(at(item, dialect.request_headers), "request.headers")
    answered = None if status is None else headers_of(at(item, dialect.response_headers), "response.headers")
    response_body = _body(item, dialect.response_body, answered or (), "response.body", False)
    sent_at, answered_at = dialect.sent_at(item), dialect.answered_at(item)
    return assemble(
        method=method,
        url=at(item, dialect.url),
        request_headers=headers,
        request_body=_body(
            item, dialect.request_body, headers, "request.body", str(method).upper() in BODILESS_METHODS
        ),
        status=None if status is None else status_of(status),
        response_headers=answered or (),
        response_body=dialect.attached(path, item) if response_body is None else response_body,
        sent_at=sent_at,
        answered_at=answered_at,
        time_resolution=0.0 if sent_at is None and answered_at is None else dialect.resolution,
        label=f"{path.as_posix()}#{number}",
    )


def _body(item: Any, place: Place, headers: Any, where: str, bodiless: bool) -> bytes | None:
    value = at(item, place)
    if value is None:
        return b"" if bodiless or not callable(place) else None
    return body_of(value, first_of(headers, "content-type") or "", where)


def milliseconds(value: Any, where: str) -> float | None:
    """Seconds since the epoch from milliseconds; None for none.  Raises MalformedPartError."""
    number = number_of(value, where)
    return None if number is None else number / 1000
