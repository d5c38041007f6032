"""The standard cases: what every client is called for, in this order, before any generated case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.clients.cases.driver_call import (
    ABSENT,
    CannedResponse,
    Case,
    CaseStep,
    DriverCall,
    ReadOverride,
    StubBehavior,
)

__all__ = ["PARAMS", "Fixture", "delete", "event", "list_calendars", "read", "standard_cases", "write"]

JSON = dict[str, Any]

#: Parameters with which a reading sees what the application manages.
PARAMS: JSON = {"tzid": "Etc/UTC", "only_managed": True}

_DEFAULT = StubBehavior()
_EXPLICIT: JSON = {
    "profile_id": "explicit",
    "provider_description": "Custom conferencing",
    "join_url": "https://conferencing.example.com/join/xyz",
}


@dataclass(frozen=True)
class Fixture:
    """What the cases use of the reference server.

    `calendar_id` has integrated conferencing available, `other_id` and `without_id` do not; `profile_id` is a
    conferencing profile of the account, and `year` that of the events.
    """

    calendar_id: str
    other_id: str
    without_id: str
    profile_id: str | None
    year: int


def event(fixture: Fixture, event_id: str, conferencing: Any = ABSENT, **more: Any) -> JSON:
    """An event in the API's names, next year, with what is given."""
    body: JSON = {
        "event_id": event_id,
        "summary": "Board meeting",
        "start": f"{fixture.year}-04-28T15:30:00Z",
        "end": f"{fixture.year}-04-28T17:00:00Z",
        **more,
    }
    if conferencing is not ABSENT:
        body["conferencing"] = conferencing
    return body


def write(
    calendar_id: str, body: Mapping[str, Any], behavior: StubBehavior = _DEFAULT, *, valid: bool = True
) -> CaseStep:
    """A call to create or update an event."""
    return CaseStep(
        DriverCall("upsert_event", {"calendar_id": calendar_id, "event": dict(body)}), behavior, valid=valid
    )


def read(
    calendar_ids: Sequence[str], event_ids: Sequence[str], behavior: StubBehavior = _DEFAULT, params: JSON | None = None
) -> CaseStep:
    """A call to read events."""
    params = {"calendar_ids": list(calendar_ids), "event_ids": list(event_ids), "params": params or PARAMS}
    return CaseStep(DriverCall("read_events", params), behavior)


def delete(calendar_id: str, event_id: str, behavior: StubBehavior = _DEFAULT) -> CaseStep:
    """A call to delete an event."""
    return CaseStep(DriverCall("delete_event", {"calendar_id": calendar_id, "event_id": event_id}), behavior)


def list_calendars(behavior: StubBehavior = _DEFAULT) -> CaseStep:
    """A call to list the calendars."""
    return CaseStep(DriverCall("list_calendars"), behavior)


def standard_cases(fixture: Fixture) -> tuple[Case, ...]:
    """All standard cases; their names are unique."""
    return tuple(
        case
        for part in (_calendars, _lifecycles, _updates, _fields, _explicit, _times, _ids, _refusals, _shown, _pages)
        for case in part(fixture)
    )


def _calendars(_places: Fixture) -> Iterator[Case]:
    yield Case("calendars", (list_calendars(),))
    yield Case("calendars, with unknown keys", (list_calendars(StubBehavior(extra=True)),))
    yield Case("calendars, after a 429", (list_calendars(StubBehavior(first=(CannedResponse(429),))),))


def _kinds(fixture: Fixture) -> Iterator[tuple[str, Any]]:
    yield "omitted", ABSENT
    yield "none", {"profile_id": "none"}
    yield "default", {"profile_id": "default"}
    yield "integrated", {"profile_id": "integrated"}
    yield "explicit", _EXPLICIT
    yield "8x8", {"profile_id": "8x8"}
    if fixture.profile_id is not None:
        yield "a profile", {"profile_id": fixture.profile_id}


def _lifecycles(fixture: Fixture) -> Iterator[Case]:
    """Each kind read pending, settled and after none, then deleted and looked for."""
    here = fixture.calendar_id
    for kind, conferencing in _kinds(fixture):
        name = f"lifecycle-{kind.replace(' ', '-')}"
        yield Case(
            f"the lifecycle of an event with {kind}",
            (
                write(here, event(fixture, name, conferencing)),
                read([here], [name]),
                read([here], [name], StubBehavior(settle=True)),
                write(here, event(fixture, name, {"profile_id": "none"})),
                read([here], [name], StubBehavior(settle=True)),
                delete(here, name),
                read([here], [name]),
            ),
        )


def _updates(fixture: Fixture) -> Iterator[Case]:
    """Conferencing once or twice, then omitted: nothing may be repeated."""
    here = fixture.calendar_id
    for kind, conferencing in _kinds(fixture):
        if conferencing is ABSENT:
            continue
        name = f"update-{kind.replace(' ', '-')}"
        yield Case(
            f"{kind}, then an update that leaves conferencing out",
            (
                write(here, event(fixture, name, conferencing)),
                write(here, event(fixture, name, summary="Moved")),
                read([here], [name], StubBehavior(settle=True)),
            ),
        )
    name = "two-kinds"
    yield Case(
        "two kinds, then an update that leaves conferencing out",
        (
            write(here, event(fixture, name, _EXPLICIT)),
            write(here, event(fixture, name, {"profile_id": "default"}, summary="Second")),
            write(here, event(fixture, name, summary="Third")),
            write(here, event(fixture, name, _EXPLICIT | {"join_url": "https://example.org/again"}, summary="Fourth")),
            read([here], [name], StubBehavior(settle=True)),
        ),
    )
    name = "two-calendars"
    yield Case(
        "one event id on two calendars",
        (
            write(here, event(fixture, name, _EXPLICIT)),
            write(fixture.other_id, event(fixture, name, {"profile_id": "none"}, summary="Elsewhere")),
            read([here], [name], StubBehavior(settle=True)),
            read([fixture.other_id], [name]),
            read([here, fixture.other_id], [name]),
        ),
    )


def _optional(fixture: Fixture) -> Iterator[tuple[str, JSON]]:
    yield "a description", {"description": "Discuss plans for the next quarter.\nBring data."}
    yield "an empty description", {"description": ""}
    yield "a time zone", {"tzid": "Europe/London"}
    yield "a location", {"location": {"description": "Board room", "lat": "51.5", "long": "-0.12"}}
    yield "reminders", {"reminders": [{"minutes": 30}, {"minutes": 1440}]}
    yield "privacy", {"event_private": True}
    yield "no privacy", {"event_private": False}
    yield "transparency", {"transparency": "opaque"}
    yield "a colour", {"color": "#49BED8"}
    yield "a URL", {"url": "https://example.com/board?agenda=1&x=%20y"}
    yield (
        "attendees",
        {"attendees": {"invite": [{"email": "a@example.com", "display_name": "Ä & Ö"}]}},
    )
    yield (
        "subscriptions",
        {
            "subscriptions": [
                {
                    "type": "webhook",
                    "uri": "https://example.com/notification?a=1&b=Ü",
                    "interactions": [{"type": "conferencing_assigned"}, {"type": "conferencing_failing"}],
                }
            ]
        },
    )
    yield "an unknown field", {"x_future": {"weights": [1, 2.5, -3], "flag": False, "text": "naïve"}}
    yield "a summary in many scripts", {"summary": "Réunion 会议 اجتماع 🚀 \\u00e9 & <b>\"quoted\"</b> 'x' %C3%A9 +"}
    yield "a summary of 1,024 characters", {"summary": "Länge " * 170 + "Ende"}


def _fields(fixture: Fixture) -> Iterator[Case]:
    """Conferencing together with every optional field."""
    here = fixture.calendar_id
    kinds = [(kind, value) for kind, value in _kinds(fixture) if kind in ("omitted", "none", "default", "explicit")]
    for number, (what, fields) in enumerate(_optional(fixture)):
        for kind, conferencing in kinds:
            name = f"field-{number}-{kind}"
            yield Case(f"{kind} with {what}", (write(here, event(fixture, name, conferencing, **fields)),))
    everything: JSON = {}
    for what, fields in _optional(fixture):
        everything |= {} if what == "an empty description" else fields
    for kind, conferencing in kinds:
        body = event(fixture, f"all-{kind}", conferencing, **everything)
        yield Case(f"{kind} with all fields", (write(here, body), read([here], [f"all-{kind}"])))


_URLS = (
    "http://conferencing.example.com/plain",
    "https://conferencing.example.com:8443/port",
    "https://example.com/j/1?pwd=AbC%2Fd%3D%3D&x=a+b&x=2&empty=",
    "https://example.com/j/2#Fragment/Of?It",
    "https://example.com/J/UpperCase/MixedCase",
    "https://example.com/%7Euser/%E4%BC%9A/a%2Fb",
    "https://example.com/a//b/;p=1,2/(x)!$'*@:",
    "https://example.com/會議?名=值",
    "https://xn--bcher-kva.example/raum",
    "https://192.0.2.7/room",
    "https://example.com/" + "long/" * 60,
    "https://example.com/?t=" + "0123456789" * 205,
)

_TEXTS = (
    "Zoom",
    "Vidéo & Konferenz: «Größe»",
    "会议室 🚀",
    "Quote \" apostrophe ' backslash \\ slash / <b>&amp;</b>",
    "\\u00e9\\n literal escapes",
    "غرفة الاجتماعات",
    "e\u0301 is not \u00e9",
    "100% + 50%20",
    "x" * 250,
    "null",
    "0",
)


def _explicit(fixture: Fixture) -> Iterator[Case]:
    """Every kind of legal URL and text."""
    here = fixture.calendar_id
    for number, url in enumerate(_URLS):
        name = f"url-{number}"
        body = event(fixture, name, _EXPLICIT | {"join_url": url})
        yield Case(
            f"the URL {number}, {url[:60]}", (write(here, body), read([here], [name], StubBehavior(settle=True)))
        )
    for number, text in enumerate(_TEXTS):
        name = f"text-{number}"
        body = event(fixture, name, _EXPLICIT | {"provider_description": text})
        yield Case(f"the provider description {text[:40]!r}", (write(here, body),))


def _times(fixture: Fixture) -> Iterator[Case]:
    """Every form of time, with conferencing and without."""
    year, here = fixture.year, fixture.calendar_id
    zoned = ("Europe/London", "America/New_York", "Asia/Kolkata", "Etc/UTC")
    forms: list[tuple[str, JSON]] = [
        ("offsets", {"start": f"{year}-04-28T15:30:00+02:00", "end": f"{year}-04-28T12:00:00-05:30"}),
        ("an end in another form", {"start": f"{year}-04-28T15:30:00Z", "end": f"{year}-04-28T18:30:00+01:00"}),
        ("dates", {"start": f"{year}-04-28", "end": f"{year}-04-29"}),
        ("dates with a time zone", {"start": f"{year}-04-28", "end": f"{year}-04-30", "tzid": "Asia/Tokyo"}),
        ("times that passed", {"start": "2020-04-11T15:30:00Z", "end": "2020-04-11T17:00:00Z"}),
        ("a day in daylight saving", {"start": f"{year}-07-01T00:00:00Z", "end": f"{year}-07-01T00:30:00Z"}),
    ]
    for zone in zoned:
        start, end = f"{year}-10-01T09:00:00Z", f"{year}-10-01T10:00:00Z"
        times = {"start": {"time": start, "tzid": zone}, "end": {"time": end, "tzid": zone}}
        forms.append((f"times in {zone}", times))
    forms.append(
        (
            "two time zones",
            {
                "start": {"time": f"{year}-10-01T09:00:00Z", "tzid": "Europe/London"},
                "end": {"time": f"{year}-10-01T19:00:00Z", "tzid": "Asia/Tokyo"},
            },
        )
    )
    for number, (what, times) in enumerate(forms):
        for kind, conferencing in (("omitted", ABSENT), ("explicit", _EXPLICIT)):
            passed = what == "times that passed"
            if passed and conferencing is not ABSENT:
                continue  # the contract forbids it, so a client may refuse
            body = event(fixture, f"time-{number}-{kind}", conferencing, **times)
            yield Case(f"{kind} with {what}", (write(here, body),))


def _ids(fixture: Fixture) -> Iterator[Case]:
    """Opaque ids, with upper case and marks."""
    here = fixture.calendar_id
    for name in ("qTtZdczOccgaPncGJaCiLg", "UPPER_lower-42", "a.b~c", "0012", "x" * 64, "5e-3", "true"):
        yield Case(
            f"the event id {name[:24]}",
            (
                write(here, event(fixture, name, _EXPLICIT)),
                read([here], [name], StubBehavior(settle=True)),
                delete(here, name),
                read([here], [name]),
            ),
        )


_SEVERAL = {
    "errors": {
        "conferencing.profile_id": [
            {"key": "errors.not_recognized", "description": "is not recognised"},
            {"key": "errors.required", "description": "must be given"},
        ],
        "summary": [{"key": "errors.required", "description": "must be given"}],
    }
}


def _refusals(fixture: Fixture) -> Iterator[Case]:
    """Refusals, retries and successes with a body."""
    here, year = fixture.calendar_id, fixture.year
    integrated = {"profile_id": "integrated"}
    body = event(fixture, "refused", integrated)
    yield Case("integrated where it is not available", (write(fixture.without_id, body, valid=False),))
    refused = StubBehavior(write_response=CannedResponse(422, _SEVERAL))
    yield Case("a 422 with several fields", (write(here, body, refused),))
    yield Case(
        "a 422, then the same with other conferencing",
        (
            write(here, body, refused),
            write(here, event(fixture, "refused", _EXPLICIT)),
        ),
    )
    for status in (402, 403, 404):
        answer = StubBehavior(write_response=CannedResponse(status))
        yield Case(
            f"a write that is answered {status}", (write(here, event(fixture, f"no-{status}", _EXPLICIT), answer),)
        )
    # 403, and not 404: that what was to be deleted is not there may be as good as done.
    yield Case(
        "a reading that is answered 403", (read([here], ["closed"], StubBehavior(read_response=CannedResponse(403))),)
    )
    yield Case(
        "a deletion that is answered 403", (delete(here, "closed", StubBehavior(write_response=CannedResponse(403))),)
    )
    calm = StubBehavior(first=(CannedResponse(429),))
    yield Case(
        "a 429, then success",
        (
            write(here, event(fixture, "busy", _EXPLICIT), calm),
            write(here, event(fixture, "busy", summary="Moved"), calm),
            read([here], ["busy"], calm),
            delete(here, "busy", calm),
        ),
    )
    for what, accepted in (("an object", {}), ("an empty text", ""), ("userinfo", {"sub": f"acc_{year}", "x": [1]})):
        behavior = StubBehavior(accepted=accepted)
        name = f"answered-{what.replace(' ', '-')}"
        yield Case(
            f"a success with {what} in the body",
            (write(here, event(fixture, name, _EXPLICIT), behavior), delete(here, name, behavior)),
        )


_SHOWN: tuple[tuple[str, Any], ...] = (
    ("pending", {"pending": True}),
    ("no conferencing", ABSENT),
    ("null as conferencing", None),
    ("a conference without a provider name", {"join_url": "https://example.com/J/1?x=Y", "provider_name": None}),
    *(
        (f"a conference by {name}", {"join_url": f"https://example.com/{name}/A%20b", "provider_name": name})
        for name in ("8x8", "go_to", "google_meet", "ms_teams", "ms_teams_for_business", "zoom")
    ),
    *(
        (
            f"a conference by {name!r}, unknown to clients",
            {"join_url": "https://example.com/new", "provider_name": name},
        )
        for name in ("whereby", "Holo Room 3D™", "zoom_v2")
    ),
)


def _shown(fixture: Fixture) -> Iterator[Case]:
    """What a read may show of an event."""
    here = fixture.calendar_id
    for number, (what, conferencing) in enumerate(_SHOWN):
        name = f"shown-{number}"
        for extra in (False, True):
            behavior = StubBehavior(overrides=(ReadOverride(name, conferencing),), extra=extra)
            yield Case(
                f"{what} is read" + (", with unknown keys" if extra else ""),
                (
                    read(
                        [here],
                        [name],
                        behavior if not extra else StubBehavior(overrides=behavior.overrides, extra=True),
                    ),
                ),
                seeds=((here, event(fixture, name)),),
            )
    names = tuple(f"all-{number}" for number in range(len(_SHOWN)))
    overrides = tuple(ReadOverride(name, conferencing) for name, (_, conferencing) in zip(names, _SHOWN, strict=True))
    seeds = tuple((here, event(fixture, name)) for name in names)
    for params in ({**PARAMS, "localized_times": True}, {"tzid": "Europe/London", "include_managed": True}):
        yield Case(
            f"all of them are read with {sorted(set(params) - {'tzid'})[-1]}",
            (read([here], names, StubBehavior(overrides=overrides), params),),
            seeds=seeds,
        )


def _pages(fixture: Fixture) -> Iterator[Case]:
    """What is called for is on the second and third page."""
    here = fixture.calendar_id
    fillers = tuple((here, event(fixture, f"filler-{number}")) for number in range(4))
    for number, (what, conferencing) in enumerate(_SHOWN[:5]):
        name = f"paged-{number}"
        behavior = StubBehavior(overrides=(ReadOverride(name, conferencing),), page_size=2, last=(name,))
        yield Case(
            f"{what} is read on the third page",
            (read([here], [name], behavior),),
            seeds=(*fillers, (here, event(fixture, name))),
        )
    names = ("first", "second", "third")
    overrides = tuple(ReadOverride(name, {"pending": True}) for name in names)
    yield Case(
        "an event on each of three pages is read",
        (read([here], names, StubBehavior(overrides=overrides, page_size=1)),),
        seeds=tuple((here, event(fixture, name)) for name in names),
    )
    yield Case(
        "the second page is answered 429 once",
        (read([here], names, StubBehavior(overrides=overrides, page_size=2, first_page=(CannedResponse(429),))),),
        seeds=tuple((here, event(fixture, name)) for name in names),
    )
