"""Strategies for the values that a client is given: ids, texts, URLs, times, fields, and what is answered.

Each is made once, for Hypothesis looks through a strategy before it first draws from it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from conformance.clients.cases.driver_call import ABSENT, CannedResponse

__all__ = [
    "conferencing",
    "event_ids",
    "join_urls",
    "json_values",
    "optional_fields",
    "past_times",
    "refusals",
    "shown",
    "texts",
    "times",
    "validation_errors",
]

#: No surrogates, control characters, unassigned code points, or those for private use.
_CHARACTERS = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"))
_LONGEST_SUMMARY, _LONGEST_DESCRIPTION = 1024, 4096
#: The greatest number that every language keeps exactly.
_LARGEST = 2**53 - 1
_ZONES = (
    "Etc/UTC",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Argentina/Ushuaia",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Chatham",
)
_OFFSETS = ("+00:00", "+02:00", "-05:00", "+05:30", "-03:30", "+12:45", "+14:00")

#: Every status by which the documentation and the official clients know a refusal, and some that a proxy gives.
_STATUSES = (400, 401, 402, 403, 404, 409, 410, 423, 429, 499, 500, 502, 503, 504)
_BODIES: tuple[Any, ...] = (
    None,
    {},
    {"error": "unavailable"},
    [],
    b"<html><head><title>Error</title></head><body>nginx</body></html>",
    b"Too busy \xe2\x80\x93 try later",
)


@cache
def texts(most: int = 80) -> st.SearchStrategy[str]:
    """Texts of one line and many scripts, without surrounding white space; they shrink to ``0``."""
    return st.text(_CHARACTERS, min_size=1, max_size=most).map(str.strip).filter(bool)


@cache
def _long_texts(most: int) -> st.SearchStrategy[str]:
    """Texts of up to `most` characters: a few words, over and over."""
    lengths = st.one_of(st.integers(1, 300), st.integers(301, most), st.just(most))
    return st.builds(lambda words, length: (words * length)[: length - 1] + ".", texts(12), lengths)


@cache
def _descriptions() -> st.SearchStrategy[str]:
    """Texts of several lines, of any documented length."""
    lines = st.lists(st.one_of(texts(60), st.just(""), texts(20).map("  - ".__add__)), min_size=2, max_size=6)
    ends = st.sampled_from(("\n", "\n", "\r\n"))
    several = st.builds(lambda end, rows: end.join(rows).strip(), ends, lines).filter(bool)
    return st.one_of(texts(), several, _long_texts(_LONGEST_DESCRIPTION))


@cache
def event_ids() -> st.SearchStrategy[str]:
    """Opaque ids: what databases, other calendars and programmers use."""
    word = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=4, max_size=24)
    return st.one_of(
        word,
        st.integers(1, _LARGEST).map(str),
        st.integers(0, 999).map("{:04}".format),
        st.uuids(version=4).map(str),
        st.builds(
            lambda parts, mark: mark.join(parts), st.lists(word, min_size=2, max_size=3), st.sampled_from("_-.~")
        ),
        st.builds("{0}@{1}.example/{0}:1".format, word, word),
        word.map("{}+/Ab==".format),
        st.integers(100, 999).map("{}e5".format),
    )


@cache
def join_urls() -> st.SearchStrategy[str]:
    """Valid HTTP and HTTPS URLs, in forms that a careless client alters."""
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


@cache
def conferencing(profile_id: str | None) -> st.SearchStrategy[Any]:
    """What may be requested of conferencing; ABSENT for omitting it.  `profile_id`: one of the account's."""
    named = [{"profile_id": profile_id}] if profile_id is not None else []
    explicit = st.fixed_dictionaries(
        {"profile_id": st.just("explicit"), "provider_description": texts(), "join_url": join_urls()}
    )
    plain = st.sampled_from([ABSENT, *({"profile_id": name} for name in ("none", "default", "integrated")), *named])
    return st.one_of(plain, explicit)


@cache
def times(year: int) -> st.SearchStrategy[dict[str, Any]]:
    """``start`` and ``end`` in every documented form, from `year` to the far future; they shrink to a day in June."""

    def form(day: int, hour: int, rest: str, how: str, zone: str, offset: str, years: int) -> dict[str, Any]:
        start, end = (f"{year + years}-06-{day:02}T{h:02}:{rest}" for h in (hour, hour + 1))
        if how == "date":
            return {"start": f"{year + years}-06-{day:02}", "end": f"{year + years}-06-{day + 1:02}"}
        if how == "zoned":
            return {"start": {"time": f"{start}Z", "tzid": zone}, "end": {"time": f"{end}Z", "tzid": zone}}
        if how == "offset":
            return {"start": start + offset, "end": end + offset}
        return {"start": f"{start}Z", "end": f"{end}Z"}

    hows = st.sampled_from(("utc", "offset", "date", "zoned"))
    far = st.one_of(st.just(0), st.integers(0, 9), st.integers(10, 900))
    rests = st.sampled_from(("30:00", "00:00", "05:07", "59:59"))
    return st.builds(
        form,
        st.integers(1, 28),
        st.integers(0, 21),
        rests,
        hows,
        st.sampled_from(_ZONES),
        st.sampled_from(_OFFSETS),
        far,
    )


@cache
def past_times() -> st.SearchStrategy[dict[str, Any]]:
    """``start`` and ``end`` that are over, back to when calendars had no computers."""
    return st.integers(1905, 2020).map(
        lambda year: {"start": f"{year}-04-11T15:30:00Z", "end": f"{year}-04-11T17:00:00Z"}
    )


@cache
def json_values() -> st.SearchStrategy[Any]:
    """Values of every JSON type, nested: what a field may hold that clients do not know yet."""
    fractions = st.integers(-(10**9), 10**9).map(lambda thousandths: thousandths / 1000)  # not all languages write more
    numbers = st.one_of(st.integers(-_LARGEST, _LARGEST), fractions)
    leaf: st.SearchStrategy[Any] = st.one_of(st.booleans(), numbers, texts(20), st.sampled_from((None, "", {}, [])))

    def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(st.lists(inner, max_size=3), st.dictionaries(_names(), inner, max_size=3))

    return st.recursive(leaf, around, max_leaves=6)


@cache
def _names() -> st.SearchStrategy[str]:
    return st.one_of(st.from_regex(r"x_[a-z]{1,8}", fullmatch=True), st.from_regex(r"x[A-Z][a-z]{1,8}", fullmatch=True))


@cache
def _emails() -> st.SearchStrategy[str]:
    return st.text("abcdefgXYZ0189._+-", min_size=1, max_size=12).map("a{}z@example.com".format)


@cache
def _attendees() -> st.SearchStrategy[dict[str, Any]]:
    invited = st.fixed_dictionaries({"email": _emails()}, optional={"display_name": texts(30)})
    removed = st.fixed_dictionaries({"email": _emails()})
    return st.fixed_dictionaries(
        {"invite": st.lists(invited, min_size=1, max_size=5)}, optional={"remove": st.lists(removed, max_size=5)}
    )


@cache
def _subscriptions() -> st.SearchStrategy[list[dict[str, Any]]]:
    kinds = st.lists(st.sampled_from(("conferencing_assigned", "conferencing_failing")), min_size=1, max_size=2)
    one = st.fixed_dictionaries(
        {
            "type": st.just("webhook"),
            "uri": join_urls(),
            "interactions": kinds.map(lambda names: [{"type": name} for name in dict.fromkeys(names)]),
        }
    )
    return st.lists(one, min_size=1, max_size=5)


@cache
def optional_fields() -> st.SearchStrategy[dict[str, Any]]:
    """Some of the optional fields of an event, and one that is not documented."""
    known = st.fixed_dictionaries(
        {},
        optional={
            "summary": st.one_of(texts(), _long_texts(_LONGEST_SUMMARY)),
            "description": st.one_of(_descriptions(), st.just("")),
            "location": st.fixed_dictionaries({"description": texts(40)}),
            "url": join_urls(),
            "color": st.integers(0, 0xFFFFFF).map("#{:06X}".format),
            "event_private": st.booleans(),
            "transparency": st.sampled_from(("opaque", "transparent")),
            "reminders": st.lists(st.fixed_dictionaries({"minutes": st.integers(0, 40320)}), min_size=1, max_size=5),
            "attendees": _attendees(),
            "subscriptions": _subscriptions(),
        },
    )
    return st.builds(
        lambda fields, future: fields | future, known, st.dictionaries(_names(), json_values(), max_size=1)
    )


@cache
def shown() -> st.SearchStrategy[Any]:
    """What a read may show as an event's conferencing; ABSENT for nothing at all.  Few are not documented."""
    providers = st.one_of(
        st.none(),
        st.sampled_from(("8x8", "go_to", "google_meet", "ms_teams", "ms_teams_for_business", "zoom", "whereby")),
        texts(20),
    )
    assigned = st.fixed_dictionaries({"join_url": join_urls(), "provider_name": providers})
    return st.one_of(
        st.sampled_from((ABSENT, None)),
        st.just({"pending": True}),
        assigned,
        assigned,
        st.sampled_from(({}, {"x": []})),
    )


@cache
def refusals() -> st.SearchStrategy[CannedResponse]:
    """What no request gets that succeeds: every known status, with a body that is empty, JSON, or for people."""
    return st.builds(CannedResponse, st.sampled_from(_STATUSES), st.sampled_from(_BODIES))


@cache
def validation_errors() -> st.SearchStrategy[CannedResponse]:
    """A 422 with one to three fields, and one to three keys for each."""
    fields = st.sampled_from(
        (
            "summary",
            "start",
            "end",
            "tzid",
            "conferencing.profile_id",
            "conferencing.join_url",
            "attendees.invite[0].email",
        )
    )
    keys = st.sampled_from(
        (
            "errors.required",
            "errors.invalid_value",
            "errors.not_recognized",
            "errors.integrated_conferencing_not_available",
        )
    )
    entry = st.builds(lambda key, text: {"key": key, "description": text}, keys, texts(30))
    errors = st.dictionaries(fields, st.lists(entry, min_size=1, max_size=3), min_size=1, max_size=3)
    return errors.map(lambda found: CannedResponse(422, {"errors": found}))
