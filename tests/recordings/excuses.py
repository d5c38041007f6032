"""Why `check` passes over a fault that a recording shows: the law that protects it, and the legal server behind it.

Each entry answers an advocate of the accused: could a server that follows the documentation have given exactly these
answers?  A fault that a recording shows, that `check` does not find and that is not here, is a missed defect.
"""

from __future__ import annotations

__all__ = ["EXCUSES"]

_PENDING = "a server that is not done yet: no time limit is documented"
_LOCKED = "a server that refuses while the account is locked: nothing alike was granted before and after, twice"
_OTHERS = "a right server, and somebody else who writes to the account: --complete-recording says that nobody does"

#: By fault: the law of `schemas/README.md`, and the legal server.
EXCUSES: dict[str, tuple[str, str]] = {
    "default-shows-nothing-until-it-is-there": ("staleness", "one reading from before pending was set"),
    **dict.fromkeys(
        (
            "explicit-pending-for-ever",
            "omitted-leaves-pending-for-ever",
            "pending-for-ever",
            "pending-for-ever-on-update",
            "settled-turns-pending-again",
        ),
        ("never / in-the-end", _PENDING),
    ),
    "availability-always-false": ("aggregation", "an account on whose calendars nothing is available"),
    "availability-always-true": ("aggregation", "an account on all of whose calendars it is; no write says otherwise"),
    "include-managed-is-only-managed": ("aggregation", "an account without other events"),
    **dict.fromkeys(("8x8-forbidden", "explicit-forbidden-on-update"), ("failed-writes", _LOCKED)),
    "crash-on-8x8": ("failed-writes", "a server that was down for a moment: it failed once"),
    **dict.fromkeys(
        (
            "explicit-replaced-later",  # replaced it, in two readings
            "external-has-event-id",  # wrote it in an earlier session
        ),
        ("attribution", _OTHERS),
    ),
    "none-keeps-provider": ("silence", "an object that says nothing is one way to show that there is no conferencing"),
    "url-changes-with-each-reading": ("silence", "a link that changes with the event: no sentence says that it stays"),
}
