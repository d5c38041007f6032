"""Hypothesis strategies for what servers answer: conferencing, events and pages as read, lists, refusals, recordings.

What a strategy makes is valid by the schemas in ``schemas/api/``.  Whether a server may answer so is another question:
only the rules know.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from hypothesis import strategies as st

from conformance.http.exchange import Exchange, Request, Response, bearer
from conformance.servers.scenarios.written_strategies import conferencing, event_ids, events, join_urls, texts, times

__all__ = [
    "calendar_lists",
    "conferencing_as_read",
    "events_as_read",
    "events_pages",
    "recordings",
    "refusals",
    "userinfos",
]

_PROVIDERS = st.sampled_from(("google", "office365", "exchange", "apple", "live_connect"))
_SERVICES = st.sampled_from(("zoom", "go_to", "google_meet", "ms_teams_for_business"))
_IDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)

#: When the first request of a recording is sent, in seconds since the epoch.
_EPOCH = 1777366800.0


def conferencing_as_read() -> st.SearchStrategy[dict[str, Any] | None]:
    """Conferencing as readings show it: none, pending, or how to join; it shrinks to None."""
    return st.one_of(
        st.none(),
        st.just({"pending": True}),
        st.builds(
            lambda url, name: {"provider_name": name, "join_url": url}, join_urls(), st.none() | _SERVICES | texts(40)
        ),
    )


@st.composite
def events_as_read(
    draw: st.DrawFn,
    ids: st.SearchStrategy[str] | None = None,
    conferencing: st.SearchStrategy[Any] | None = None,
) -> dict[str, Any]:
    """Events as readings show them; they shrink to one without conferencing.

    `ids` are used for `event_id`, and `conferencing` for that property, which a third of the events leave out.
    """
    event: dict[str, Any] = {
        "event_id": draw(event_ids() if ids is None else ids),
        "event_uid": f"evt_{draw(_IDS)}",
        "calendar_id": f"cal_{draw(_IDS)}",
        "summary": draw(texts(80) | st.none()),
        "start": draw(times()),
        "end": draw(times()),
        "deleted": draw(st.sampled_from((False, False, False, True))),
    }
    if draw(st.integers(0, 2)):
        event["conferencing"] = draw(conferencing_as_read() if conferencing is None else conferencing)
    return event


@st.composite
def events_pages(draw: st.DrawFn, events: st.SearchStrategy[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Pages of events, by default of those that `events_as_read` gives; they shrink to one without events."""
    total = draw(st.integers(1, 3))
    current = draw(st.integers(1, total))
    pages: dict[str, Any] = {"current": current, "total": total}
    if current < total:
        pages["next_page"] = f"https://api.cronofy.com/v1/events/pages/{draw(_IDS)}"
    return {"pages": pages, "events": draw(st.lists(events_as_read() if events is None else events, max_size=3))}


@st.composite
def _calendars(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "calendar_id": f"cal_{draw(_IDS)}",
        "calendar_name": draw(texts(40)),
        "calendar_readonly": draw(st.booleans()),
        "calendar_deleted": draw(st.booleans()),
        "calendar_primary": draw(st.booleans()),
        "calendar_integrated_conferencing_available": draw(st.booleans()),
    }


def _profiles(providers: st.SearchStrategy[str], connected: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda provider, name, is_connected, number: {
            "provider_name": provider,
            "profile_id": f"pro_{number}",
            "profile_name": name,
            connected: is_connected,
        },
        providers,
        texts(40) | st.none(),
        st.booleans(),
        _IDS,
    )


def _with_calendars(profile: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(_calendars(), max_size=3).map(lambda calendars: {**profile, "profile_calendars": calendars})


def calendar_lists() -> st.SearchStrategy[dict[str, Any]]:
    """The calendars of an account, as ``GET /v1/calendars`` lists them; they shrink to none."""
    listed = st.builds(
        lambda profile, calendar: {
            **calendar,
            **{name: value for name, value in profile.items() if name != "profile_connected"},
        },
        _profiles(_PROVIDERS, "profile_connected"),
        _calendars(),
    )
    return st.lists(listed, max_size=3).map(lambda calendars: {"calendars": calendars})


def userinfos() -> st.SearchStrategy[dict[str, Any]]:
    """An account, its profiles and their calendars, as ``GET /v1/userinfo`` lists them; they shrink to no profile."""
    return st.builds(
        lambda sub, profiles, conferencing_profiles: {
            "sub": f"acc_{sub}",
            "cronofy.type": "account",
            "cronofy.data": {"profiles": profiles, "conferencing_profiles": conferencing_profiles},
        },
        _IDS,
        st.lists(_profiles(_PROVIDERS, "profile_connected").flatmap(_with_calendars), max_size=2),
        st.lists(_profiles(_SERVICES, "profile_connected"), max_size=3),
    )


def refusals() -> st.SearchStrategy[dict[str, Any]]:
    """Bodies of 422, by field; they shrink to one error."""
    fields = st.sampled_from(
        ("summary", "start", "end", "event_id", "conferencing.profile_id", "conferencing.join_url")
    )
    keys = st.sampled_from(("errors.required", "errors.invalid", "errors.integrated_conferencing_not_available"))
    error = st.builds(lambda key, text: {"key": key, "description": text}, keys, texts(60) | st.none())
    errors = st.dictionaries(fields, st.lists(error, min_size=1, max_size=2), min_size=1, max_size=2)
    return errors.map(lambda errors: {"errors": errors})


@st.composite
def recordings(draw: st.DrawFn, max_size: int = 12) -> tuple[Exchange, ...]:
    """Recorded exchanges of one account and one event: writes of it, and what readings between them showed.

    At most `max_size` exchanges, in the order sent, at times that are known.  They are what an arbitrary server might
    have answered: feed them to `observe` and `judge`.  They shrink to one write that was accepted.
    """
    event_id, calendar_id = draw(event_ids()), f"cal_{draw(_IDS)}"
    write, reading = f"/v1/calendars/{calendar_id}/events", "/v1/events?tzid=Etc%2FUTC&only_managed=true"
    now, exchanges = _EPOCH, list[Exchange]()
    for number in range(draw(st.integers(1, max_size))):
        is_write = not number or draw(st.sampled_from((False, False, True)))
        if is_write:
            body = draw(events(st.just(event_id), conferencing()))
            accepted = draw(st.sampled_from((True, True, True, False)))
            answer = _answer(now, 202) if accepted else _answer(now, 422, draw(refusals()))
            exchanges.append(_exchange(number, now, "POST", write, answer, body))
        else:
            shown = events_as_read(st.just(event_id)).map(lambda event: {**event, "calendar_id": calendar_id})
            page = {"pages": {"current": 1, "total": 1}, "events": draw(st.lists(shown, max_size=1))}
            exchanges.append(_exchange(number, now, "GET", reading, _answer(now, 200, page)))
        now += draw(st.sampled_from((0.0, 1.0, 15.0, 90.0)))
    return tuple(exchanges)


def _exchange(number: int, now: float, method: str, path: str, response: Response, body: Any = None) -> Exchange:
    headers = (("Authorization", bearer("default")), ("Content-Type", "application/json; charset=utf-8"))
    content = b"" if body is None else json.dumps(body).encode()
    request = Request(method, f"https://api.cronofy.com{path}", headers, content)
    return Exchange(request, response, f"#{number + 1}", now, now + 0.1, headers_complete=True)


def _answer(now: float, status: int, body: Any = None) -> Response:
    date = format_datetime(datetime.fromtimestamp(now, UTC), usegmt=True)
    headers = (("Date", date), ("Content-Type", "application/json; charset=utf-8"))
    return Response(status, headers, b"" if body is None else json.dumps(body).encode())
