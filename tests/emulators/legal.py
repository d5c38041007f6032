"""Legal variants of the small servers: each choice alone, then many together."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from . import small_asgi, small_wsgi
from .variants import App

FOR_EVER = math.inf

# Choices that both servers know, each another than at least one of the two takes by itself.
ALONE: dict[str, dict[str, Any]] = {
    "nothing-is-absent": {"nothing": "absent"},
    "nothing-is-null": {"nothing": "null"},
    "explicit-is-never-pending": {"explicit_pending": 0.0},
    "explicit-is-pending": {"explicit_pending": 0.2},
    "explicit-provider-is-null": {"explicit_provider": None},
    "explicit-provider-is-a-word": {"explicit_provider": "custom"},
    "accepted-202-empty-object": {"accepted": (202, {})},
    "accepted-204": {"accepted": (204, None)},
    "accepted-201-with-body": {"accepted": (201, {"queued": True, "id": 17})},
    "accepted-200-empty": {"accepted": (200, None)},
    "invalid-is-ignored": {"invalid": "ignore"},
    "invalid-is-refused": {"invalid": "refuse"},
    "extra-fields-are-ignored": {"extra_fields": "ignore"},
    "extra-fields-are-refused": {"extra_fields": "refuse"},
    "null-is-none": {"null": "none"},
    "null-is-omitted": {"null": "absent"},
    "null-is-refused": {"null": "refuse"},
    "past-is-refused": {"past": "refuse"},
    "past-gets-none": {"past": "none"},
    "past-is-pending-for-ever": {"past": "pending"},
    "past-keeps-what-was": {"past_held": "keep"},
    "past-drops-what-was": {"past_held": "drop"},
    "past-explicit-is-kept": {"past_explicit": "kept"},
    "past-explicit-is-none": {"past_explicit": "none"},
    "changes-keep-the-url": {"reflect": "same"},
    "changes-make-a-new-url": {"reflect": "new"},
    "changes-are-pending-again": {"reflect": "pending"},
    "requested-again-keeps": {"again": "keep"},
    "requested-again-renews": {"again": "renew"},
    "nothing-available-is-none-at-once": {"nothing_available": 0.0},
    "nothing-available-is-pending-first": {"nothing_available": 1.5},
    "eight-is-nothing-at-once": {"eight": 0.0},
    "eight-is-pending-for-ever": {"eight": FOR_EVER},
    "eight-drops-what-was": {"eight_held": "drop"},
    "eight-keeps-what-was": {"eight_held": "keep"},
    "removal-is-late": {"removal": 1.0},
    "removal-is-at-once": {"removal": 0.0},
    "disconnected-is-refused": {"disconnected": "refuse"},
    "location-is-filled-everywhere": {"fill": ("apple", "google", "exchange", "cronofy")},
    "location-is-filled-on-apple": {"fill": ("apple",), "fill_text": "Video call at <{}>"},
    "pages-of-one": {"page_size": 1},
    "pages-of-three-and-next-page-null": {"page_size": 3, "last_page": "null"},
    "one-page": {"page_size": None},
    "no-profiles-is-absent": {"no_profiles": "absent"},
    "no-profiles-is-empty": {"no_profiles": "empty"},
    "foreign-calendar-is-404": {"foreign": 404},
    "foreign-calendar-is-403": {"foreign": 403},
    "read-only-is-404-and-deleted-is-423": {"readonly": 404, "deleted": 423},
    "unknown-deletion-is-202": {"delete_unknown": 202},
    "unknown-deletion-is-404": {"delete_unknown": 404},
    "unknown-filter-is-ignored": {"unknown_filter": "ignore"},
    "unknown-filter-is-refused": {"unknown_filter": "refuse"},
    "omitted-fields-are-kept": {"omitted": "kept"},
    "omitted-fields-are-cleared": {"omitted": "cleared"},
    "urls-are-normalised": {"url": "normalised"},
    "urls-are-as-sent": {"url": "sent"},
    "built-in-values-in-any-case": {"any_case": True},
    "oldest-first": {"order": "oldest"},
    "by-start": {"order": "start"},
    "extra-keys": {"extra": True, "pending_false": True},
    "no-extra-keys": {"extra": False, "pending_false": False},
    "tzid-is-required": {"tzid_required": True},
    "reads-are-half-a-second-late": {"lag": 0.5},
    "reads-are-sometimes-late": {"lag": 0.5, "replicas": True},
    "events-appear-late": {"appears": 0.4},
    "settling-varies": {"jitter": 0.9},
    "everything-settles-at-once": {"settle": 0.0},
    "settling-is-slow": {"settle": 3.0},
    "some-429": {"refuses": 0.04, "refuses_with": 429},
    "some-429-with-retry-after": {"refuses": 0.04, "refuses_with": 429, "retry_after": "1"},
    "some-503": {"refuses": 0.03, "refuses_with": 503},
    "some-503-with-retry-after": {"refuses": 0.03, "refuses_with": 503, "retry_after": "1"},
    "some-502-after-the-work": {"refuses": 0.03, "refuses_with": 502, "refuses_after": True},
}

NETWORK = ("refuses", "refuses_with", "refuses_after", "retry_after", "settle")
SERVERS: dict[str, type[Any]] = {"asgi": small_asgi.Emulator, "wsgi": small_wsgi.Server}


def build(
    server: type[Any],
    fixed: dict[str, Any],
    settle: float = 0.1,
    now: Callable[[], float] | None = None,
    **choices: Any,
) -> App:
    """A server with these choices; `settle` among them is in parts of a second and goes before the caller's."""
    return server(**{"settle": settle, "now": now, **choices, **fixed})


def together(seed: int, count: int) -> dict[str, Any]:
    """Some choices at random, none of them about the network."""
    dice = random.Random(seed)
    stable = [choices for choices in ALONE.values() if not any(name in NETWORK for name in choices)]
    merged: dict[str, Any] = {}
    for choices in dice.sample(stable, count):
        merged |= choices
    return merged


LEGAL: dict[str, Callable[..., App]] = {
    f"{name}-{variant}": partial(build, server, choices)
    for name, server in SERVERS.items()
    for variant, choices in ALONE.items()
}
LEGAL |= {name: partial(build, server, {}) for name, server in SERVERS.items()}
LEGAL |= {
    f"{name}-{count}-choices-{seed}": partial(build, server, together(seed, count))
    for name, server in SERVERS.items()
    for count in (2, 6)
    for seed in range(12)
}
