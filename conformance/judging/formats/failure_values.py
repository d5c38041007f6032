"""The values of a failure: what was sent, expected and got, and how often its rule was broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from conformance.http.display import visible
from conformance.judging.formats.marks import Part, differences

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.judging.timeline import TimelineEntry
    from conformance.judging.verdict import Violation

__all__ = ["as_json", "share", "values"]

#: How many characters of a value are shown.
_VALUE = 20_000

#: What facts are about, as what a rule judges.
_JUDGED = {
    "write": "writes",
    "batched_write": "writes in batches",
    "exchange": "requests",
    "reading": "readings",
    "conferencing": "conferencing values",
    "notification": "subscriptions",
    "call": "calls",
}


def share(run_report: RunReport, rule: Rule) -> str | None:
    """How many of those that the rule judged break it; None where it judged one, or no list of like things."""
    tally, noun = run_report.report.tally(rule.id), _JUDGED.get(rule.about)
    judged = tally.failed + tally.passed
    if judged < 2 or noun is None:
        return None
    return f"{tally.failed:,} of {judged:,} {noun} {'breaks' if tally.failed == 1 else 'break'} this rule"


def values(
    rule: Rule, violation: Violation, entries: tuple[TimelineEntry, ...], said: str
) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """What was sent, expected and got: values of the wire, and no words that the rule or `said` have already."""
    expected = None if violation.expected in ("", rule.title) else _long(violation.expected)
    got = _got(violation, entries, said) if expected is None else _long(violation.actual)
    sent = _sent(entries)
    if sent is not None and sent not in (expected, got):
        yield "sent", (Part(sent, differs=False),)
    if expected is not None and got is not None:
        yield from zip(("expected", "got"), differences(expected, got), strict=True)
    elif got is not None:
        yield "got", (Part(got, differs=False),)


def _got(violation: Violation, entries: tuple[TimelineEntry, ...], said: str) -> str | None:
    """The conferencing that the wrong reading showed; else the wrong value, unless `said` has it."""
    broken = next((entry for entry in entries if entry.is_broken), None)
    if broken is not None and broken.action == "read" and broken.state is not None:
        if broken.conferencing is not None:
            return _long(as_json(broken.conferencing))
        return "no conferencing" if broken.state == "none" else None
    found = violation.actual
    try:
        parts = json.loads(found)
    except ValueError:
        parts = found
    names = [str(name) for name in (parts if isinstance(parts, list) else [parts]) if not isinstance(name, bool)]
    text = f"{said} {violation.message}"
    is_said = all(name in text or name[1:].replace("/", ".") in text for name in names)
    return None if is_said else _long(found)


def _sent(entries: tuple[TimelineEntry, ...]) -> str | None:
    """The conferencing of the last write before the wrong value was shown; None where there is no write."""
    place = next((place for place, entry in enumerate(entries) if entry.is_broken), len(entries))
    write = next((entry for entry in reversed(entries[: place + 1]) if entry.action == "write"), None)
    if write is None:
        return None
    return "no conferencing" if write.conferencing is None else _long(as_json(write.conferencing))


def _long(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _VALUE else f"{shown[:_VALUE]}… ({len(shown)} characters)"


def as_json(value: Any) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)
