"""Scenarios in words, a line for each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from conformance.contract.fact_words import phrase
from conformance.servers.scenarios.scenario import Scenario, Step

__all__ = ["steps_in_words", "unusual"]

_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "start": {
            "soon": "it starts today",
            "lately": "it started today",
            "year": "it starts in a year",
            "past": "it is over",
            "past-year": "it was a year ago",
            "running": "it has begun",
            "instant": "it ends when it starts",
        },
        "time_format": {"offset": "times with an offset", "tzid": "times with a tzid", "date": "whole days"},
        "text_variant": {
            "minimal": "no description",
            "full": "all fields, long texts",
            "non-ascii": "texts beyond ASCII",
            "quotes": "quotes in its texts",
            "rtl": "right-to-left texts",
            "emoji": "emoji in its texts",
            "long": "a long description",
        },
        "url_variant": {
            "again": "the join URL of the first write again",
            "room": "a join URL that other events have too",
            "other-case": "the first join URL with capitals and small letters swapped",
            "http": "an http: join URL",
            "port": "a join URL with a port",
            "query": "a join URL with a query",
            "fragment": "a join URL with a fragment",
            "escapes": "a join URL with percent-encoding",
            "upper": "a join URL with capitals",
            "long": "a long join URL",
            "punctuation": "a join URL with punctuation",
            "slash": "a join URL that ends in a slash",
            "empty-value": "a join URL with an empty parameter",
            "tracking": "a join URL with utm_ parameters",
            "dots": "a join URL with dots",
            "ipv6": "a join URL with an IPv6 address",
            "idn": "a join URL with an international host",
            "very-long": "a join URL of 2,000 characters",
        },
        "extra_fields": {
            "join_url": "a join_url beside it",
            "provider_description": "a provider_description beside it",
            "both": "a join_url and a provider_description beside it",
        },
        "subscriptions": {
            "assigned": "subscribed to conferencing_assigned",
            "both": "subscribed to conferencing_assigned and conferencing_failing",
            "two": "two subscriptions",
        },
    }
)

_CHANGES = {"bare": "without description and location", "time": "at another time"}


def unusual(step: Step) -> str:
    """The choices of a step that are not the usual ones, in words.

    >>> unusual(Step("explicit", text_variant="minimal", url_variant="http"))
    'no description, an http: join URL'
    """
    known = (words.get(getattr(step, name), "") for name, words in _WORDS.items() if name != "url_variant")
    parts = [part for part in known if part]
    if step.kind == "explicit" or step.extra_fields in ("join_url", "both"):
        parts += [part for part in [_WORDS["url_variant"].get(step.url_variant, "")] if part]
    if step.changed_fields not in (("summary",), ()):
        parts += [_CHANGES.get(name, f"another {name}") for name in step.changed_fields]
    if step.batched:
        parts.append("in a batch")
    if step.defect:
        parts.append(f"what is wrong: {step.defect}")
    if not step.charset:
        parts.append("a Content-Type without charset")
    return ", ".join(parts)


#: Of explicit conferencing in place of explicit conferencing: each write has a URL of its own.
_ANOTHER = "another join URL than before"

_WHEN = {
    "settled": ", once it no longer changes",
    "back-to-back": ", at once",
    "while-pending": ", while it shows pending",
}


def steps_in_words(scenarios: Iterable[Scenario]) -> Iterator[str]:
    """The steps of scenarios, numbered, with what is unusual about each."""
    number = 0
    for scenario in scenarios:
        for place, step in enumerate(scenario.steps):
            number += 1
            is_there = place > 0 and scenario.steps[place - 1].kind != "delete"
            verb = "delete" if step.kind == "delete" else "update" if is_there else "create"
            requested = phrase("write", "requested", step.kind, step.kind)
            when = _WHEN[step.timing] if place else f" on calendar {scenario.calendar_id}"
            words = unusual(step if is_there else replace(step, changed_fields=()))
            asked = [one for one in scenario.steps[:place] if one.kind == "explicit"]
            if step.kind == "explicit" and asked and step.url_variant not in ("again", "other-case", "room"):
                words = ", ".join(part for part in (words, _ANOTHER) if part)
            words = words if verb != "delete" else "in a batch" if step.batched else ""
            details = f" ({words})" if words else ""
            yield f"{number}. {' '.join(part for part in (verb, 'the event', requested) if part)}{when}{details}"
        number += 1
        yield f"{number}. read the event until it no longer changes"
