"""Cases that Hypothesis makes up: asks and answers beyond the table, the same for the same seed."""

from __future__ import annotations

import warnings
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

from conformance.clients.cases.driver_call import ABSENT, CannedResponse, Case, CaseStep, ReadOverride, StubBehavior
from conformance.clients.cases.standard_cases import PARAMS, Fixture, delete, event, list_calendars, read, write

__all__ = ["cases", "conferencing", "generated_cases", "join_urls", "optional_fields", "shown", "texts"]

_ZONES = ("Etc/UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
_CHARACTERS = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"))


def texts(most: int = 80) -> st.SearchStrategy[str]:
    """Texts of many scripts, without control characters, with something to see at both ends."""
    return st.text(_CHARACTERS, min_size=1, max_size=most).map(str.strip).filter(bool)


def join_urls() -> st.SearchStrategy[str]:
    """Legal HTTP and HTTPS URLs, in forms that a careless client alters."""
    word = st.text("abcXYZ019-._~", min_size=1, max_size=12).filter(lambda text: text.strip("."))
    escaped = st.sampled_from(("%20", "%2F", "%C3%A9", "%25", "%3D", "a+b", "é", "会"))
    segment = st.one_of(word, escaped, st.tuples(word, escaped).map("".join))
    query = st.lists(st.tuples(word, st.one_of(word, escaped, st.just(""))), max_size=3)
    return st.builds(
        lambda scheme, host, port, path, pairs, fragment: (
            f"{scheme}://{host}{port}/{'/'.join(path)}"
            + ("?" + "&".join(f"{name}={value}" for name, value in pairs) if pairs else "")
            + (f"#{fragment}" if fragment else "")
        ),
        st.sampled_from(("https", "https", "http")),
        st.sampled_from(("example.com", "conf.example.org", "a-b.example", "192.0.2.1")),
        st.sampled_from(("", "", ":8443")),
        st.lists(segment, max_size=4),
        query,
        st.one_of(st.just(""), word),
    )


def conferencing(fixture: Fixture) -> st.SearchStrategy[Any]:
    """What may be asked of conferencing; ABSENT stands for leaving it out."""
    named = [{"profile_id": fixture.profile_id}] if fixture.profile_id is not None else []
    explicit = st.fixed_dictionaries(
        {"profile_id": st.just("explicit"), "provider_description": texts(), "join_url": join_urls()}
    )
    plain = st.sampled_from([ABSENT, *({"profile_id": name} for name in ("none", "default", "integrated")), *named])
    return st.one_of(plain, explicit)


def _times(fixture: Fixture) -> st.SearchStrategy[dict[str, Any]]:
    def form(day: int, hour: int, how: str, zone: str) -> dict[str, Any]:
        start, end = (f"{fixture.year}-06-{day:02}T{h:02}:00:00" for h in (hour, hour + 1))
        if how == "date":
            return {"start": f"{fixture.year}-06-{day:02}", "end": f"{fixture.year}-06-{day + 1:02}"}
        if how == "zoned":
            return {"start": {"time": f"{start}Z", "tzid": zone}, "end": {"time": f"{end}Z", "tzid": zone}}
        offset = {"utc": "Z", "offset": "+05:30"}[how]
        return {"start": start + offset, "end": end + offset}

    hows = st.sampled_from(("utc", "offset", "date", "zoned"))
    return st.builds(form, st.integers(1, 28), st.integers(0, 22), hows, st.sampled_from(_ZONES))


def _json() -> st.SearchStrategy[Any]:
    leaf = st.one_of(st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), texts(20))

    def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        few = st.lists(inner, min_size=1, max_size=2)
        return st.one_of(few, st.dictionaries(_names(), inner, min_size=1, max_size=2))

    return st.recursive(leaf, around, max_leaves=4)


def _names() -> st.SearchStrategy[str]:
    return st.from_regex(r"x_[a-z]{1,8}", fullmatch=True)


def optional_fields() -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields that an event may have, and fields of the future."""
    url = join_urls()
    subscription = st.fixed_dictionaries(
        {
            "type": st.just("webhook"),
            "uri": url,
            "interactions": st.just([{"type": "conferencing_assigned"}]),
        }
    )
    known = st.fixed_dictionaries(
        {},
        optional={
            "description": texts(200),
            "location": st.fixed_dictionaries({"description": texts(40)}),
            "url": url,
            "event_private": st.booleans(),
            "transparency": st.sampled_from(("opaque", "transparent")),
            "reminders": st.lists(st.fixed_dictionaries({"minutes": st.integers(0, 40320)}), min_size=1, max_size=3),
            "subscriptions": st.lists(subscription, min_size=1, max_size=2),
        },
    )
    return st.builds(lambda fields, future: fields | future, known, st.dictionaries(_names(), _json(), max_size=1))


def shown() -> st.SearchStrategy[Any]:
    """What a read may say of an event's conferencing; ABSENT stands for nothing at all."""
    providers = st.one_of(
        st.none(),
        st.sampled_from(("8x8", "go_to", "google_meet", "ms_teams", "ms_teams_for_business", "zoom", "whereby")),
        texts(20),
    )
    assigned = st.fixed_dictionaries({"join_url": join_urls(), "provider_name": providers})
    return st.one_of(st.sampled_from((ABSENT, None)), st.just({"pending": True}), assigned)


def cases(fixture: Fixture) -> st.SearchStrategy[Case]:
    """A case of one to four asks about one or a few events."""
    ids = st.sampled_from(("alpha", "Beta-2", "gAmMa_3"))
    bodies = st.builds(
        lambda event_id, asked, times, summary, fields: (
            {**event(fixture, event_id, asked), **times, **({"summary": summary} if summary else {}), **fields}
        ),
        ids,
        conferencing(fixture),
        _times(fixture),
        st.one_of(st.none(), texts()),
        optional_fields(),
    )
    scripts = st.one_of(
        st.just(StubBehavior()),
        st.just(StubBehavior(first=(CannedResponse(429),))),
        st.just(StubBehavior(accepted={})),
        st.builds(lambda keys: StubBehavior(write_response=CannedResponse(422, {"errors": keys})), _errors()),
    )
    calendars = st.sampled_from((fixture.calendar_id, fixture.other_id))
    writes = st.builds(_write, st.just(fixture), calendars, bodies, scripts)
    others = st.one_of(
        st.builds(delete, calendars, ids), st.builds(list_calendars, st.builds(StubBehavior, extra=st.booleans()))
    )
    steps = st.lists(st.one_of(writes, writes, others), min_size=1, max_size=4)
    seeds = tuple((fixture.calendar_id, event(fixture, name)) for name in ("alpha", "Beta-2", "gAmMa_3"))
    alone = st.builds(lambda made: Case("made up", tuple(made)), steps)
    readings = st.builds(
        lambda names, size, extra: _reading_case(fixture, names, size, extra, seeds),
        st.dictionaries(ids, shown(), min_size=1, max_size=3),
        st.one_of(st.none(), st.integers(1, 3)),
        st.booleans(),
    )
    return st.one_of(alone, readings)


def _write(fixture: Fixture, calendar_id: str, body: dict[str, Any], behavior: StubBehavior) -> CaseStep:
    asked = body.get("conferencing", {}).get("profile_id")
    # A client that looks first may refuse what the calendar does not support.
    return write(calendar_id, body, behavior, valid=asked != "integrated" or calendar_id == fixture.calendar_id)


def _errors() -> st.SearchStrategy[dict[str, Any]]:
    fields = st.sampled_from(("summary", "start", "conferencing.profile_id", "conferencing.join_url", "tzid"))
    keys = st.sampled_from(("errors.required", "errors.invalid_value", "errors.not_recognized"))
    entry = st.builds(lambda key, text: {"key": key, "description": text}, keys, texts(30))
    return st.dictionaries(fields, st.lists(entry, min_size=1, max_size=2), min_size=1, max_size=3)


def _reading_case(
    fixture: Fixture, said: dict[str, Any], size: int | None, extra: bool, seeds: tuple[tuple[str, Any], ...]
) -> Case:
    overrides = tuple(ReadOverride(name, value) for name, value in said.items())
    behavior = StubBehavior(overrides=overrides, page_size=size, extra=extra)
    return Case("made up", (read([fixture.calendar_id], list(said), behavior, PARAMS),), seeds=seeds)


def generated_cases(fixture: Fixture, examples: int, number: int) -> tuple[Case, ...]:
    """`examples` cases from the seed `number`; the same ones each time."""
    found: list[Case] = []

    @seed(number)
    @settings(
        max_examples=max(1, examples),
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=tuple(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(cases(fixture))
    def collect(case: Case) -> None:
        found.append(Case(f"made up {len(found) + 1}", case.steps, case.seeds))

    if examples:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)
            collect()
    return tuple(found[:examples])
