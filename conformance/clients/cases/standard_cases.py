"""The standard cases: what every client is called for, in this order, before any generated case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.clients.cases.case_steps import PARAMS, Fixture, answering, delete, event, list_calendars, read, write
from conformance.clients.cases.driver_call import (
    ABSENT,
    CannedResponse,
    Case,
    CaseStep,
    ReadOverride,
    StubBehavior,
)
from conformance.clients.cases.standard_values import (
    EXPLICIT,
    OPTIONAL,
    REFUSALS,
    SEVERAL_ERRORS,
    SHOWN,
    TEXTS,
    URLS,
    time_forms,
)

__all__ = ["standard_cases"]


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
    yield "explicit", EXPLICIT
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
            write(here, event(fixture, name, EXPLICIT)),
            write(here, event(fixture, name, {"profile_id": "default"}, summary="Second")),
            write(here, event(fixture, name, summary="Third")),
            write(here, event(fixture, name, EXPLICIT | {"join_url": "https://example.org/again"}, summary="Fourth")),
            read([here], [name], StubBehavior(settle=True)),
        ),
    )
    name, other = "two-links", EXPLICIT | {"join_url": "https://example.org/other"}
    yield Case(
        "explicit, then the same with another link",
        (
            write(here, event(fixture, name, EXPLICIT)),
            write(here, event(fixture, name, other)),
            read([here], [name], StubBehavior(settle=True)),
        ),
    )
    name = "pending-again"
    yield Case(
        "a conference that was read, then another that is pending",
        (
            write(here, event(fixture, name, EXPLICIT)),
            read([here], [name], StubBehavior(settle=True)),
            write(here, event(fixture, name, {"profile_id": "default"})),
            read([here], [name]),
        ),
    )
    name = "read-and-left"
    yield Case(
        "a conference that was read, then an update that leaves conferencing out",
        (
            write(here, event(fixture, name, {"profile_id": "default"})),
            read([here], [name], StubBehavior(settle=True)),
            write(here, event(fixture, name, summary="Moved")),
        ),
    )
    name, subscribed = "subscribed-once", next(fields for what, fields in OPTIONAL if what == "subscriptions")
    yield Case(
        "subscriptions, then an update without them",
        (
            write(here, event(fixture, name, EXPLICIT, **subscribed)),
            write(here, event(fixture, name, EXPLICIT, summary="Moved")),
        ),
    )
    name = "two-calendars"
    yield Case(
        "one event id on two calendars",
        (
            write(here, event(fixture, name, EXPLICIT)),
            write(fixture.other_id, event(fixture, name, {"profile_id": "none"}, summary="Elsewhere")),
            read([here], [name], StubBehavior(settle=True)),
            read([fixture.other_id], [name]),
            delete(here, name),
        ),
    )


def _fields(fixture: Fixture) -> Iterator[Case]:
    """Conferencing together with every optional field."""
    here = fixture.calendar_id
    kinds = [(kind, value) for kind, value in _kinds(fixture) if kind in ("omitted", "none", "default", "explicit")]
    for number, (what, fields) in enumerate(OPTIONAL):
        for kind, conferencing in (kinds[0], kinds[-1]):
            name = f"field-{number}-{kind}"
            yield Case(f"{kind} with {what}", (write(here, event(fixture, name, conferencing, **fields)),))
    everything: dict[str, Any] = {}
    for what, fields in OPTIONAL:
        everything |= {} if what == "an empty description" else fields
    for kind, conferencing in kinds:
        body = event(fixture, f"all-{kind}", conferencing, **everything)
        yield Case(f"{kind} with all fields", (write(here, body), read([here], [f"all-{kind}"])))


def _explicit(fixture: Fixture) -> Iterator[Case]:
    """Every kind of legal URL and text."""
    here = fixture.calendar_id
    for number, url in enumerate(URLS):
        name = f"url-{number}"
        body = event(fixture, name, EXPLICIT | {"join_url": url})
        yield Case(
            f"the URL {number}, {url[:60]}", (write(here, body), read([here], [name], StubBehavior(settle=True)))
        )
    for number, text in enumerate(TEXTS):
        name = f"text-{number}"
        body = event(fixture, name, EXPLICIT | {"provider_description": text})
        yield Case(f"the provider description {text[:40]!r}", (write(here, body),))


def _times(fixture: Fixture) -> Iterator[Case]:
    """Every form of time, with conferencing and without."""
    here = fixture.calendar_id
    for number, (what, times) in enumerate(time_forms(fixture.year)):
        for kind, conferencing in (("omitted", ABSENT), ("explicit", EXPLICIT)):
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
                write(here, event(fixture, name, EXPLICIT)),
                read([here], [name], StubBehavior(settle=True)),
                delete(here, name),
                read([here], [name]),
            ),
        )


def _refusals(fixture: Fixture) -> Iterator[Case]:
    """Refusals, retries and successes with a body."""
    here, year = fixture.calendar_id, fixture.year
    integrated = {"profile_id": "integrated"}
    body = event(fixture, "refused", integrated)
    yield Case("integrated where it is not available", (write(fixture.without_id, body, valid=False),))
    refused = StubBehavior(write_response=CannedResponse(422, SEVERAL_ERRORS))
    yield Case("a 422 with several fields", (write(here, body, refused),))
    yield Case(
        "a 422, then the same with other conferencing",
        (
            write(here, body, refused),
            write(here, event(fixture, "refused", EXPLICIT)),
        ),
    )
    for kind, answer in REFUSALS:
        yield Case(f"a {kind} that is answered {answer.status}", (_refused(fixture, kind, answer),))
    calm = StubBehavior(first=(CannedResponse(429),))
    yield Case(
        "a 429, then success",
        (
            write(here, event(fixture, "busy", EXPLICIT), calm),
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
            (write(here, event(fixture, name, EXPLICIT), behavior), delete(here, name, behavior)),
        )


def _refused(fixture: Fixture, kind: str, answer: CannedResponse) -> CaseStep:
    here, name = fixture.calendar_id, f"answered-{answer.status}"
    if kind == "read":
        return read([here], [name], answering(kind, answer))
    if kind == "delete":
        return delete(here, name, answering(kind, answer))
    if kind == "list":
        return list_calendars(answering(kind, answer))
    return write(here, event(fixture, name, EXPLICIT), answering(kind, answer))


def _shown(fixture: Fixture) -> Iterator[Case]:
    """What a read may show of an event."""
    here = fixture.calendar_id
    for number, (what, conferencing) in enumerate(SHOWN):
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
    names = tuple(f"all-{number}" for number in range(len(SHOWN)))
    overrides = tuple(ReadOverride(name, conferencing) for name, (_, conferencing) in zip(names, SHOWN, strict=True))
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
    for number, (what, conferencing) in enumerate(SHOWN[:5]):
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
    yield Case(
        "the second of four pages is empty",
        (read([here], names, StubBehavior(overrides=overrides, page_size=1, empty_page=True)),),
        seeds=tuple((here, event(fixture, name)) for name in names),
    )
