"""Values that every client is called with, or answered: each once, for what it alone may show."""

from __future__ import annotations

from typing import Any

from conformance.clients.cases.driver_call import ABSENT, CannedResponse

__all__ = ["EXPLICIT", "OPTIONAL", "REFUSALS", "SEVERAL_ERRORS", "SHOWN", "TEXTS", "URLS", "time_forms"]

JSON = dict[str, Any]

EXPLICIT: JSON = {
    "profile_id": "explicit",
    "provider_description": "Custom conferencing",
    "join_url": "https://conferencing.example.com/join/xyz",
}

#: Optional fields of an event, by what they are called in the name of a case.
OPTIONAL: tuple[tuple[str, JSON], ...] = (
    ("a description", {"description": "Discuss plans for the next quarter.\nBring data."}),
    ("an empty description", {"description": ""}),
    ("a time zone", {"tzid": "Europe/London"}),
    ("a location", {"location": {"description": "Board room", "lat": "51.5", "long": "-0.12"}}),
    ("reminders", {"reminders": [{"minutes": 30}, {"minutes": 1440}]}),
    ("privacy", {"event_private": True}),
    ("no privacy", {"event_private": False}),
    ("transparency", {"transparency": "opaque"}),
    ("a colour", {"color": "#49BED8"}),
    ("a URL", {"url": "https://example.com/board?agenda=1&x=%20y"}),
    (
        "attendees",
        {"attendees": {"invite": [{"email": "a@example.com", "display_name": "Ä & Ö"}]}},
    ),
    (
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
    ),
    ("an unknown field", {"x_future": {"weights": [1, 2.5, -3], "flag": False, "text": "naïve"}}),
    ("a summary in many scripts", {"summary": "Réunion 会议 اجتماع 🚀 \\u00e9 & <b>\"quoted\"</b> 'x' %C3%A9 +"}),
    ("a summary of 1,024 characters", {"summary": "Länge " * 170 + "Ende"}),
    ("a description of 4,096 characters", {"description": "Zeile\n\n  " * 454 + "Ende!\n- 10"}),
    (
        "five attendees",
        {"attendees": {"invite": [{"email": f"{name}@example.com", "display_name": name} for name in "abcde"]}},
    ),
    (
        "three subscriptions",
        {
            "subscriptions": [
                {"type": "webhook", "uri": f"https://example.com/{name}", "interactions": [{"type": name}]}
                for name in ("conferencing_assigned", "conferencing_failing", "conferencing_assigned")
            ]
        },
    ),
    ("empty objects and arrays", {"x_empty": {"object": {}, "array": [], "text": "", "nested": [[], {}]}}),
)

URLS = (
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

TEXTS = (
    "Zoom",
    "Vidéo & Konferenz: «Größe»",
    "会议室 🚀",
    "Quote \" apostrophe ' backslash \\ slash / <b>&amp;</b>",
    "\\u00e9\\n literal escapes",
    "غرفة الاجتماعات",
    "e\u0301 is not \u00e9",
    "100% + 50%20",
    "½ of Room™ … ﬁve \uff21\u00a0Ω",
    "x" * 250,
    "null",
    "0",
)

SEVERAL_ERRORS = {
    "errors": {
        "conferencing.profile_id": [
            {"key": "errors.not_recognized", "description": "is not recognised"},
            {"key": "errors.required", "description": "must be given"},
        ],
        "summary": [{"key": "errors.required", "description": "must be given"}],
    }
}

_PAGE_FOR_PEOPLE = b"<html><head><title>Error</title></head><body>nginx</body></html>"

#: What does not succeed, for each kind of call: every status that the documentation and the official clients know.
REFUSALS: tuple[tuple[str, CannedResponse], ...] = (
    ("write", CannedResponse(401)),
    ("write", CannedResponse(402, {})),
    ("write", CannedResponse(403)),
    ("write", CannedResponse(404)),
    ("write", CannedResponse(423)),
    ("write", CannedResponse(499)),
    ("write", CannedResponse(500)),
    ("write", CannedResponse(503, _PAGE_FOR_PEOPLE)),
    ("read", CannedResponse(401, {"error": "invalid_token"})),
    ("read", CannedResponse(403)),
    ("read", CannedResponse(429, "")),
    ("read", CannedResponse(500, {})),
    ("read", CannedResponse(502, _PAGE_FOR_PEOPLE)),
    ("delete", CannedResponse(403)),
    ("delete", CannedResponse(404)),
    ("delete", CannedResponse(504, _PAGE_FOR_PEOPLE)),
    ("list", CannedResponse(403, [])),
    ("list", CannedResponse(503)),
)

#: What reads show as the conferencing of an event.
SHOWN: tuple[tuple[str, Any], ...] = (
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


def time_forms(year: int) -> list[tuple[str, JSON]]:
    """``start`` and ``end`` in every documented form."""
    zoned = ("Europe/London", "America/New_York", "Asia/Kolkata", "Etc/UTC")
    forms: list[tuple[str, JSON]] = [
        ("offsets", {"start": f"{year}-04-28T15:30:00+02:00", "end": f"{year}-04-28T12:00:00-05:30"}),
        ("an end in another form", {"start": f"{year}-04-28T15:30:00Z", "end": f"{year}-04-28T18:30:00+01:00"}),
        ("dates", {"start": f"{year}-04-28", "end": f"{year}-04-29"}),
        ("dates with a time zone", {"start": f"{year}-04-28", "end": f"{year}-04-30", "tzid": "Asia/Tokyo"}),
        ("times that passed", {"start": "2020-04-11T15:30:00Z", "end": "2020-04-11T17:00:00Z"}),
        ("a time in the far future", {"start": "2145-04-28T15:30:00Z", "end": "2145-04-28T17:00:00Z"}),
        ("a day in daylight saving", {"start": f"{year}-07-01T00:00:00Z", "end": f"{year}-07-01T00:30:00Z"}),
        ("seconds", {"start": f"{year}-07-01T09:00:30Z", "end": f"{year}-07-01T09:59:59Z"}),
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
    return forms
