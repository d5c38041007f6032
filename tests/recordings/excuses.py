"""Why `check` passes over a fault that a recording shows: the law that protects it, and the legal server behind it.

Each entry answers an advocate of the accused: could a server that follows the documentation have given exactly these
answers?  A fault that a recording shows, that `check` does not find and that is not here, is a missed defect.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["EXCUSES", "shows_only_what_is_old"]

_ONCE = "one reading after each write, from a replica that is behind; the next one would have been right"
_PENDING = "a server that is not done yet: no time limit is documented"
_LISTS = "a server whose answer was right when it was given: the setting, or the sharing, was changed between the lists"
_LOCKED = "a server that refuses while the account is locked: nothing alike was granted before and after, twice"
_OTHERS = "a right server, and somebody else who writes to the account: --complete-recording says that nobody does"

#: By fault: the law of `schemas/README.md`, and the legal server.
EXCUSES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            "conferencing-shown-as-first-written",
            "conferencing-under-another-key",
            "default-needs-a-profile",
            "default-needs-a-profile-on-creation",
            "explicit-falls-back-after-pending",
            "explicit-ignored",
            "explicit-ignored-on-update",
            "explicit-ignored-second-time",
            "explicit-vanishes-later",
            "none-deletes-event",
            "none-ignored",
            "none-ignored-after-update",
            "none-is-undone-later",
            "none-keeps-explicit",
            "none-keeps-generated",
            "omitted-removes",
            "omitted-removes-generated",
            "omitted-removes-when-summary-changes",
            "settled-turns-pending-again",
            "settled-vanishes",
            "update-ignored",
            "update-of-conferencing-ignored",
            "update-of-fields-ignored-with-conferencing",
            "update-of-summary-ignored",
        ),
        ("staleness", _ONCE),
    ),
    "conferencing-hidden-in-every-third-reading": ("staleness", "three replicas, one of which is behind"),
    "default-shows-nothing-until-it-is-there": ("staleness", "one reading from before pending was set"),
    **dict.fromkeys(
        (
            "explicit-pending-for-ever",
            "omitted-leaves-pending-for-ever",
            "pending-for-ever",
            "pending-for-ever-on-update",
        ),
        ("never / in-the-end", _PENDING),
    ),
    **dict.fromkeys(
        (
            "availability-differs-in-userinfo",
            "availability-differs-on-microsoft",
            "availability-inverted-in-list",
            "calendars-of-another-account",
        ),
        ("before", _LISTS),
    ),
    "availability-always-false": ("aggregation", "an account on whose calendars nothing is available"),
    "availability-always-true": ("aggregation", "an account on all of whose calendars it is; no write says otherwise"),
    "include-managed-is-only-managed": ("aggregation", "an account without other events"),
    **dict.fromkeys(
        ("8x8-forbidden", "conferencing-forbidden", "explicit-forbidden-on-update"), ("failed-writes", _LOCKED)
    ),
    "crash-on-8x8": ("failed-writes", "a server that was down for a moment: it failed once"),
    **dict.fromkeys(
        (
            "delete-answers-404",  # deleted it before
            "delete-without-conferencing-answers-404",
            "event-appears-on-second-calendar",  # writes the same event to both
            "explicit-replaced-later",  # replaced it, in two readings
            "external-has-event-id",  # wrote it in an earlier session
            "listed-on-another-calendar-too",
            "omitted-moves-to-another-service",  # passed the link on as explicit conferencing
            "update-clears-description",  # cleared it
        ),
        ("attribution", _OTHERS),
    ),
    "none-keeps-provider": ("silence", "an object that says nothing is one way to show that there is no conferencing"),
    "omitted-loses-provider": ("staleness", "a replica that is behind a server which adds the name to the link"),
    "url-changes-with-each-reading": ("silence", "a link that changes with the event: no sentence says that it stays"),
}


def shows_only_what_is_old(interactions: list[dict[str, Any]]) -> bool:
    """Whether readings show no link but those that were sent for the event, and one where one was to be generated."""
    sent: dict[str, set[str]] = {}
    may_generate: set[str] = set()
    generated: dict[str, set[str]] = {}
    for one in interactions:
        body = json.loads(one["request"]["body"] or "{}")
        asked = body.get("conferencing") or {}
        if "join_url" in asked:
            sent.setdefault(body["event_id"], set()).add(asked["join_url"])
        elif asked.get("profile_id") in ("default", "integrated"):
            may_generate.add(body["event_id"])
        answer = one["response"]["body"]["string"]
        if one["response"]["status"]["code"] != 200 or "/v1/events" not in one["request"]["uri"]:
            continue
        for row in json.loads(answer)["events"]:
            url = (row.get("conferencing") or {}).get("join_url")
            if url is not None and url not in sent.get(row.get("event_id"), ()):
                generated.setdefault(row.get("event_id"), set()).add(url)
    return all(event in may_generate and len(urls) == 1 for event, urls in generated.items())
