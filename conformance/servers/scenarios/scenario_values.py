"""What the bodies of writes hold: kinds of requests, times, texts, join URLs, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

__all__ = [
    "CONFERENCING_DEFECTS",
    "CREATION_DEFECTS",
    "DEFECTS",
    "DESCRIPTIONS",
    "EVENT_DEFECTS",
    "EXTRA_FIELDS",
    "GENERATING",
    "KINDS",
    "LINK",
    "PADDING",
    "PENDING_DEFECTS",
    "ROOM",
    "STARTS",
    "SUBSCRIPTIONS",
    "TEXTS",
    "TEXT_VARIANTS",
    "TIME_FORMATS",
    "TIMINGS",
    "URL_VARIANTS",
    "explicit",
]

#: What a write requests about conferencing; ``omitted`` leaves the property out, ``delete`` is a DELETE.
KINDS = ("explicit", "default", "integrated", "profile", "none", "omitted", "8x8", "delete")

#: Of these, what requests a conference that the server generates.
GENERATING = ("default", "integrated", "profile")

#: When a write is sent: once what the previous one did is settled, the moment that it is answered, or when a reading
#: first shows the event pending.
TIMINGS = ("settled", "back-to-back", "while-pending")

#: When an event takes place: start and end in hours from now, and in days where they are written as dates.  All but
#: ``soon`` and ``lately`` are at least a day away from now.  ``year`` and ``past-year`` are three weeks short of a year
#: away, so that a server which ignores the year takes future for past.  ``instant`` ends when it starts.
STARTS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = MappingProxyType(
    {
        "future": ((26, 27), (3, 4)),
        "soon": ((5, 6), (3, 4)),
        "lately": ((-5, -4), (-4, -3)),
        "year": ((8280, 8281), (345, 346)),
        "past": ((-26, -25), (-4, -3)),
        "past-year": ((-8280, -8279), (-345, -344)),
        "running": ((-26, 26), (-3, 3)),
        "instant": ((26, 26), (3, 4)),
    }
)

#: How a time is written.
TIME_FORMATS = ("utc", "offset", "tzid", "date")

#: How many fields an event has, how long they are, and in which alphabet.
TEXT_VARIANTS = ("plain", "minimal", "full", "non-ascii", "quotes", "rtl", "emoji", "long")

#: Join URLs that the documentation allows; ``{marker}`` makes each unique.
URL_VARIANTS: Mapping[str, str] = MappingProxyType(
    {
        "https": "https://conference.example.com/join/{marker}",
        "http": "http://conference.example.com/join/{marker}",
        "port": "https://conference.example.com:8443/join/{marker}",
        "query": "https://conference.example.com/Join?room={marker}&pwd=aB3%2Fx%3D&with=en&with=de",
        "fragment": "https://conference.example.com/App/#/room/{marker}",
        "escapes": "https://conference.example.com/Join%20us/caf%C3%A9/{marker}",
        "upper": "https://conference.example.com/Join/AbCdEfG/{marker}/XyZ",
        "long": "https://conference.example.com/join/{marker}?context=" + "0123456789abcdef" * 18,
        "punctuation": "https://conference.example.com/~host/a+b;v=1/{marker}",
        "slash": "https://conference.example.com/join/{marker}/",
        "empty-value": "https://conference.example.com/join?pwd=&room={marker}",
        "tracking": "https://conference.example.com/join/{marker}?utm_source=invitation&utm_medium=e-mail",
        "dots": "https://eu.conference.example.com/v1.2/join.do/a..b/{marker}.html",
        "ipv6": "https://[2001:db8::7]/join/{marker}",
        "idn": "https://xn--bcher-kva.example/join/{marker}",
        "very-long": "https://conference.example.com/join/{marker}?context=" + "0123456789ABCDEF" * 130,
    }
)

#: A join URL that several events of a run share, like a personal room.
ROOM = "https://conference.example.com/room/{run}"

#: What a changed description has besides its text: a link of a service that all know.
LINK = " https://zoom.us/j/98765432101"

#: Padding of long summaries and descriptions; a ``long`` description has it four times.
PADDING = " and whatever else there is to say" * 4, " and whatever else there is to say" * 10

#: The interactions of each webhook that a write subscribes.
SUBSCRIPTIONS: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "assigned": (("conferencing_assigned",),),
        "both": (("conferencing_assigned", "conferencing_failing"),),
        "two": (("conferencing_assigned",), ("conferencing_failing",)),
    }
)

#: Fields of ``explicit`` in a write of another kind, where they must have no effect.
EXTRA_FIELDS = ("join_url", "provider_description", "both")

#: How summary and description begin, by the text variant; others begin like ``plain``.
TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "plain": ("Planning", "Plans and questions"),
        "non-ascii": ("Größe & Maß — 計画 🗓", "Naïve Fragen, «Antworten» 質問"),
        "quotes": ('Bob\'s "quick" sync', "It's 'settled', “almost”: \"yes\""),
        "rtl": ("פגישה שבועית", "جدول الأعمال: أسئلة (2) وأجوبة"),
        "emoji": ("👩‍👩‍👧 🇪🇺 Retro", "👍🏽 or 👎🏿, ❤️ and 1️⃣"),
    }
)

#: What an explicit write calls its provider, by the text variant; others call it as ``plain`` does.
DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "plain": "Custom conferencing",
        "non-ascii": "Our own vídeo: 会議室 №\u00a07",
        "quotes": 'Bob\'s "quick" calls',
        "rtl": "מפגש וידאו",
        "emoji": "📞 Calls 👩‍💻",
    }
)


def explicit(marker: str, **changes: Any) -> dict[str, Any]:
    """The conferencing of an explicit write with these changes; what is ``...`` is left out."""
    conferencing = {
        "profile_id": "explicit",
        "provider_description": DESCRIPTIONS["plain"],
        "join_url": URL_VARIANTS["https"].format(marker=marker),
        **changes,
    }
    return {name: value for name, value in conferencing.items() if value is not ...}


#: What is wrong with the conferencing of a write of the kind ``invalid``.
CONFERENCING_DEFECTS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "explicit-without-url": lambda marker: explicit(marker, join_url=...),
        "explicit-without-description": lambda marker: explicit(marker, provider_description=...),
        "ftp-url": lambda marker: explicit(marker, join_url=f"ftp://conference.example.com/join/{marker}"),
        "app-url": lambda marker: explicit(marker, join_url=f"zoommtg://conference.example.com/join?confno={marker}"),
        "words-for-url": lambda marker: explicit(marker, join_url=f"dial room {marker}"),
        "relative-url": lambda marker: explicit(marker, join_url=f"/join/{marker}"),
        "httpx-url": lambda marker: explicit(marker, join_url=f"httpx://conference.example.com/join/{marker}"),
        "null-url": lambda marker: explicit(marker, join_url=None),
        "number-url": lambda marker: explicit(marker, join_url=8),
        "no-profile-id": lambda marker: explicit(marker, profile_id=...),
        "unknown-profile": lambda marker: {"profile_id": f"pro_nobody_has_{marker}"},
        "foreign-profile": lambda marker: {"profile_id": f"pro_of_nobody_{marker}"},
    }
)

#: What is wrong with another field of the event.
EVENT_DEFECTS: Mapping[str, Callable[[dict[str, Any]], Any]] = MappingProxyType(
    {
        "no-summary": lambda body: body.pop("summary"),
        "no-start": lambda body: body.pop("start"),
        "no-end": lambda body: body.pop("end"),
        "words-for-start": lambda body: body.update(start="the day after tomorrow"),
        "end-before-start": lambda body: body.update(start=body["end"], end=body["start"]),
    }
)

#: All that may be wrong with a write of the kind ``invalid``.
DEFECTS = (*CONFERENCING_DEFECTS, *EVENT_DEFECTS)

#: Of these, what is tried while a conference is pending, where there is one.
PENDING_DEFECTS = ("httpx-url", "null-url", "number-url")

#: Of these, what is tried on creation as well; of the invalid URLs, one is enough.
CREATION_DEFECTS = tuple(
    name for name in CONFERENCING_DEFECTS if name not in ("app-url", "words-for-url", "relative-url", *PENDING_DEFECTS)
)
