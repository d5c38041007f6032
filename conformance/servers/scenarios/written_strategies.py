"""Hypothesis strategies for what clients write: conferencing, join URLs, times, events, and bodies that are malformed.

What a strategy makes is valid, or invalid, as its name says, by the schemas in ``schemas/api/``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

__all__ = [
    "conferencing",
    "event_ids",
    "events",
    "invalid_conferencing",
    "invalid_join_urls",
    "join_urls",
    "malformed_bodies",
    "malformed_events",
    "periods",
    "texts",
    "times",
]

#: Values of `profile_id` that mean the same for every account and generate a conference, or none.
_BUILT_IN = ("default", "integrated", "none", "8x8")

#: Where times begin, unless they are told to: a day after every run of today's, and the same for each run.
_FIRST = datetime(2031, 1, 6, 9, tzinfo=UTC)

_ZONES = ("Etc/UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
_OFFSETS = (0, 60, -300, 330, 765, -720)

_NAME = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
_SEGMENT = st.one_of(
    _NAME,
    st.text("aZ0-._~!$&'()*+,;=:@", min_size=1, max_size=12),
    st.lists(st.sampled_from(("%20", "%C3%A9", "%2F", "a")), min_size=1, max_size=4).map("".join),
)
_HOST = st.one_of(
    st.just("conference.example.com"),
    st.lists(_NAME, min_size=1, max_size=3).map(lambda names: ".".join([*names, "example"])),
    st.sampled_from(("xn--bcher-kva.example", "192.0.2.7", "[2001:db8::7]", "EU.Conference.Example")),
)


def texts(max_size: int = 120) -> st.SearchStrategy[str]:
    """Texts of at most `max_size` characters in any alphabet, without control characters; they shrink to ``0``."""
    return st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=max_size)


def event_ids() -> st.SearchStrategy[str]:
    """Ids that an application may give its events; they shrink to ``0``."""
    return st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_", min_size=1, max_size=40)


@st.composite
def join_urls(draw: st.DrawFn) -> str:
    """Absolute HTTP and HTTPS URIs, as `join_url` must be; they shrink to ``https://conference.example.com``."""
    scheme = draw(st.sampled_from(("https", "http", "HTTPS")))
    port = draw(st.sampled_from(("", "", ":8443")))
    path = "".join(f"/{segment}" for segment in draw(st.lists(_SEGMENT, max_size=4)))
    query = "&".join(f"{name}={value}" for name, value in draw(st.lists(st.tuples(_NAME, _SEGMENT), max_size=3)))
    fragment = draw(st.just("") | _SEGMENT)
    end = (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
    return f"{scheme}://{draw(_HOST)}{port}{path}{end}"


def invalid_join_urls() -> st.SearchStrategy[Any]:
    """What is no HTTP or HTTPS URI, however kindly it is read: other schemes, relative references, words, no text."""
    return st.one_of(
        _NAME.map(lambda name: f"ftp://conference.example.com/{name}"),
        _NAME.map(lambda name: f"zoommtg://conference.example.com/join?confno={name}"),
        _NAME.map(lambda name: f"httpx://conference.example.com/{name}"),
        _SEGMENT.map(lambda segment: f"/{segment}"),
        _NAME.map(lambda name: f"dial room {name}"),
        st.sampled_from(("", "https", "https:", "https://", "://conference.example.com", "mailto:room@example.com")),
        _NO_TEXT,
    )


def times(first: datetime = _FIRST) -> st.SearchStrategy[str | dict[str, str]]:
    """Times in every documented form, within a year after `first`; they shrink to `first` in UTC."""
    return periods(first).map(lambda period: period[0])


@st.composite
def periods(draw: st.DrawFn, first: datetime = _FIRST) -> tuple[str | dict[str, str], str | dict[str, str]]:
    """Start and end of an event in the same form, within a year after `first`, at most three days long."""
    write = draw(st.sampled_from(_FORMS))
    start = first + timedelta(minutes=15 * draw(st.integers(0, 4 * 24 * 350)))
    end = start + timedelta(minutes=15 * draw(st.integers(0, 4 * 72)))
    where = draw(st.integers(0, len(_ZONES) - 1)) if write in (_with_offset, _in_zone, _date_in_zone) else 0
    return write(start, where), write(end, where)


def _utc(moment: datetime, _: int) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _with_fraction(moment: datetime, _: int) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _with_offset(moment: datetime, where: int) -> str:
    return moment.astimezone(timezone(timedelta(minutes=_OFFSETS[where]))).isoformat(timespec="seconds")


def _in_zone(moment: datetime, where: int) -> dict[str, str]:
    return {"time": _utc(moment, where), "tzid": _ZONES[where]}


def _date(moment: datetime, _: int) -> str:
    return moment.strftime("%Y-%m-%d")


def _date_in_zone(moment: datetime, where: int) -> dict[str, str]:
    return {"time": _date(moment, where), "tzid": _ZONES[where]}


#: How a time is written, given the index of an offset or a zone.
_FORMS: tuple[Callable[[datetime, int], str | dict[str, str]], ...] = (
    _utc, _utc, _with_offset, _in_zone, _date, _date_in_zone, _with_fraction,
)  # fmt: skip


def conferencing(
    profiles: Sequence[str] = (), urls: st.SearchStrategy[str] | None = None
) -> st.SearchStrategy[dict[str, Any]]:
    """Conferencing as a request may ask for it; it shrinks to ``{"profile_id": "default"}``.

    `profiles` are the ids of the account's own conferencing profiles.  `urls` are used for `join_url`.
    """
    named = st.sampled_from((*_BUILT_IN, *profiles))
    return st.one_of(
        st.builds(lambda profile_id: {"profile_id": profile_id}, named),
        st.builds(_explicit, texts(), join_urls() if urls is None else urls),
    )


def _explicit(description: Any, url: Any) -> dict[str, Any]:
    return {"profile_id": "explicit", "provider_description": description, "join_url": url}


def invalid_conferencing() -> st.SearchStrategy[Any]:
    """Conferencing that no request may ask for: incomplete, of the wrong type, or with a join URL that is none."""
    url, text = st.just("https://conference.example.com/room"), st.just("Rooms")
    return st.one_of(
        text.map(lambda text: {"profile_id": "explicit", "provider_description": text}),
        url.map(lambda url: {"profile_id": "explicit", "join_url": url}),
        st.builds(_explicit, text, invalid_join_urls()),
        st.builds(_explicit, _NO_TEXT, url),
        st.builds(lambda value: {"profile_id": value}, _NO_TEXT | st.just("")),
        st.just({}),
        _NO_OBJECT,
    )


@st.composite
def events(
    draw: st.DrawFn,
    ids: st.SearchStrategy[str] | None = None,
    conferencing: st.SearchStrategy[Any] | None = None,
    first: datetime = _FIRST,
) -> dict[str, Any]:
    """Bodies of valid writes; they shrink to ``Planning`` at `first`, with nothing but what is required.

    `ids` are used for `event_id`, and `conferencing` for that property, which half of the bodies leave out.
    """
    start, end = draw(periods(first))
    body: dict[str, Any] = {
        "event_id": draw(event_ids() if ids is None else ids),
        "summary": draw(st.just("Planning") | texts(200)),
        "start": start,
        "end": end,
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "conferencing": _CONFERENCING if conferencing is None else conferencing,
        "description": texts(400) | st.none(),
        "tzid": st.sampled_from(_ZONES),
        "location": st.fixed_dictionaries({"description": texts()}),
    }
    for name, values in optional.items():
        if draw(st.booleans()):
            body[name] = draw(values)
    return body


_CONFERENCING, _EVENTS = conferencing(), events()

#: JSON values of other types than a text, or than an object.
_NO_TEXT: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**12), st.just([]), st.just({})
)
_NO_OBJECT: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**12), texts(20), st.lists(texts(5), max_size=2)
)
_NO_TIME: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.integers(0, 2 * 10**9),
    st.sampled_from(("", "tomorrow", "2031-13-01", "9 o'clock")),
    st.just({"tzid": "Etc/UTC"}),
    st.just([]),
)

#: What breaks a field of an event for every reader; ``...`` leaves it out.  What a kind server may accept, such as an
#: hour without minutes, is not here: no rule could say what its answer must be.
_BROKEN: dict[str, st.SearchStrategy[Any]] = {
    "summary": st.one_of(st.just(...), _NO_TEXT, st.just("long " * 300)),
    "start": st.just(...) | _NO_TIME,
    "end": st.just(...) | _NO_TIME,
    "event_id": st.one_of(st.just(...), st.just(""), _NO_TEXT),
    "conferencing": invalid_conferencing(),
    "description": st.one_of(st.integers(0, 9), st.just([]), st.just({}), st.just("long " * 1000)),
    "location": st.one_of(texts(20), st.integers(0, 9), st.just([]), st.just({"description": 7})),
    "tzid": _NO_TEXT,
    "subscriptions": st.one_of(st.just({}), texts(20), st.just([{}]), st.just([{"type": "webhook", "uri": "/path"}])),
}


@st.composite
def malformed_events(draw: st.DrawFn, of: st.SearchStrategy[dict[str, Any]] = _EVENTS) -> Any:
    """JSON values that break ``schemas/api/event-as-written.json``: one or two fields of a valid event, or no event.

    `of` are the valid events.  They shrink to an event without `summary`.
    """
    event = draw(of)
    broken = draw(st.lists(st.sampled_from((*_BROKEN, "event")), min_size=1, max_size=2, unique=True))
    if "event" in broken:
        return draw(st.one_of(st.none(), st.integers(0, 9), texts(20), st.just([event])))
    for name in broken:
        value = draw(_BROKEN[name])
        event = {key: old for key, old in event.items() if key != name} | ({} if value is ... else {name: value})
    return event


def malformed_bodies(of: st.SearchStrategy[dict[str, Any]] = _EVENTS) -> st.SearchStrategy[bytes]:
    """Bodies that no client should send: malformed events as JSON, and bytes that are no JSON text.

    `of` are the valid events that they are made from.
    """
    return st.one_of(
        malformed_events(of).map(lambda event: json.dumps(event).encode()),
        of.map(lambda event: json.dumps(event).encode()[:-2]),
        st.sampled_from((b"", b"{", b"\xff\xfe{}", b"event_id=a&summary=b", b'{"summary": "\\ud83d"')),
    )
