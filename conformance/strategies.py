"""Hypothesis strategies for everything that this suite sends and reads; compose them in your own tests.

What clients write: `conferencing`, `join_urls`, `times`, `periods`, `texts`, `event_ids`, `events`; each of them is
valid by ``schemas/api/``.  What they must not write: `invalid_conferencing`, `invalid_join_urls`, `malformed_events`
(JSON values) and `malformed_bodies` (bytes).  What servers answer: `conferencing_as_read`, `events_as_read`,
`events_pages`, `calendar_lists`, `userinfos`, `refusals`.  Whole traffic: `recordings`, for `observe` and `judge`.
What a run sends: `steps` of an account and `scenarios` for an inventory, for `run_campaign(scenarios=…)`::

    from hypothesis import given
    from conformance.strategies import conferencing, events

    @given(events(conferencing=conferencing(profiles=["pro_1"])))
    def test_we_send_what_we_were_given(event):
        ...

All of them shrink to what is most usual.
"""

from __future__ import annotations

from conformance.servers.scenarios.answer_strategies import (
    calendar_lists,
    conferencing_as_read,
    events_as_read,
    events_pages,
    recordings,
    refusals,
    userinfos,
)
from conformance.servers.scenarios.scenario_strategies import scenarios, steps
from conformance.servers.scenarios.written_strategies import (
    conferencing,
    event_ids,
    events,
    invalid_conferencing,
    invalid_join_urls,
    join_urls,
    malformed_bodies,
    malformed_events,
    periods,
    texts,
    times,
)

__all__ = [
    "calendar_lists",
    "conferencing",
    "conferencing_as_read",
    "event_ids",
    "events",
    "events_as_read",
    "events_pages",
    "invalid_conferencing",
    "invalid_join_urls",
    "join_urls",
    "malformed_bodies",
    "malformed_events",
    "periods",
    "recordings",
    "refusals",
    "scenarios",
    "steps",
    "texts",
    "times",
    "userinfos",
]
