"""The values of a failure: what was sent, expected and got, and how often its rule was broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from conformance.facts.seen import UNREADABLE, body_of
from conformance.http.display import visible
from conformance.judging.formats.marks import Part, differences
from conformance.judging.timeline import written
from conformance.judging.triggers import Contrast, in_words

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.groups import FailureGroup
    from conformance.judging.summary import RunReport
    from conformance.judging.timeline import TimelineEntry
    from conformance.judging.verdict import Violation

__all__ = ["as_json", "share", "values"]

#: How many of the ids and fields that are wrong are listed.
_LISTED = 3

#: How many characters of a value are compared, and how many of one that stands alone are shown.
_VALUE, _ALONE = 20_000, 400

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


def share(run_report: RunReport, group: FailureGroup) -> str | None:
    """How many of those that the rule judged break it, and what tells them from the others.

    None where it judged one, or no list of like things.
    """
    rule = group.example[0]
    tally, noun = run_report.report.tally(rule.id), _JUDGED.get(rule.about)
    judged = tally.failed + tally.passed
    if judged < 2 or noun is None:
        return None
    text = f"{tally.failed:,} of {judged:,} {noun} {'breaks' if tally.failed == 1 else 'break'} this rule"
    passed = run_report.report.exercised.passed
    its = passed.get(rule.id, frozenset())
    if not tally.passed or not its:
        return text
    failed = [violation.traits for other, violation in group.members if other is rule]
    usual = {one for some in passed.values() for one in some}
    known = Contrast(frozenset.intersection(*failed), its, count=len(failed), usual=usual).trigger
    trigger = group.trigger if group.trigger and not any(one.issuperset(group.trigger) for one in its) else known
    if trigger:
        return f"{text}; it is kept {_times(tally.passed)}, but never {in_words(trigger)}"
    return text


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def values(
    rule: Rule, violation: Violation, entries: tuple[TimelineEntry, ...], said: str
) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """What was sent, expected and got: values of the wire, or what the rule says where no value is expected.

    What `said` has already is not said again.  After them comes what it takes to see that the rule applies.
    """
    yield from _wire_values(rule, violation, entries, said)
    yield from ((name, (Part(clipped(_visible(text)), differs=False),)) for name, text in violation.context)


def _wire_values(
    rule: Rule, violation: Violation, entries: tuple[TimelineEntry, ...], said: str
) -> Iterator[tuple[str, tuple[Part, ...]]]:
    fields = _fields(violation)
    if fields is not None:
        yield from zip(("expected", "got"), differences(*fields), strict=True)
        return
    if violation.path.startswith("/availability/"):
        for entry in entries:
            name = entry.summary.rpartition("/")[2]
            yield name, (Part(clipped(_visible(as_json(entry.conferencing))), differs=False),)
        return
    expected = None if violation.expected in ("", rule.title) else _visible(violation.expected)
    got = _got(violation, entries, said) if expected is None else _visible(violation.actual)
    sent = _sent(entries) if violation.path.startswith("/after") else _body(violation) or _sent(entries)
    if sent is not None and sent != expected:
        yield "sent", (Part(clipped(sent), differs=False),)
    if expected is not None and got is not None:
        yield from zip(("expected", "got"), differences(expected, got), strict=True)
    elif got is not None:
        yield "expected", (Part(visible(rule.title), differs=False),)
        yield "got", (Part(clipped(got), differs=False),)


def _fields(violation: Violation) -> tuple[str, str] | None:
    """The fields that read back otherwise than they are meant to: as meant, and as read; None where it is no such."""
    if not violation.path.endswith(("/mismatching_fields", "/fields_changed_since_before")):
        return None
    shown = next((one.otherwise for one in reversed(violation.evidence) if one.otherwise), None)
    writes = [one for one in (*violation.earlier, *violation.evidence[:1]) if (one.status or 0) < 400]
    meant = (written(one.request, violation.event).body for one in reversed(writes))
    body = next((one for one in meant if one is not None), None)
    if not shown or not isinstance(body, dict):
        return None
    sent = {name: body.get(name) for name in shown}
    return _visible(as_json(sent)), _visible(as_json(dict(shown)))


def _got(violation: Violation, entries: tuple[TimelineEntry, ...], said: str) -> str | None:
    """The conferencing that the wrong reading showed; else the wrong value, unless `said` has it."""
    broken = next((entry for entry in entries if entry.is_broken), None)
    if broken is not None and broken.action == "read" and broken.look is not None:
        if broken.conferencing is not None:
            return _visible(as_json(broken.conferencing))
        return "no conferencing" if broken.state == "none" else None
    found = violation.actual
    try:
        parts = json.loads(found)
    except ValueError:
        parts = found
    names = [str(name) for name in (parts if isinstance(parts, list) else [parts]) if not isinstance(name, bool)]
    text = f"{said} {violation.message}"
    # Of many names the sentence has the first; the exchanges have all.
    first = names[:_LISTED] if isinstance(parts, list) and len(names) > _LISTED else names
    is_said = all(name in text or name[1:].replace("/", ".") in text for name in first)
    if is_said:
        return None
    return _visible(found) if first == names else f"{_visible(as_json(first))} and {len(names) - _LISTED:,} more"


def _body(violation: Violation) -> str | None:
    """The body of the request that is wrongly answered, with its media type where that is not JSON."""
    request = next((one.request for one in violation.evidence if one.label == violation.shown_by), None)
    if request is None or not request.body:
        return None
    text = _visible(request.body[:_VALUE].decode("utf-8", "replace"))
    media_type = request.header("content-type") or "no Content-Type"
    if not media_type.startswith("application/json"):
        return f"{text} ({visible(media_type)})"
    return f"no JSON, on purpose: {text}" if body_of(request) is UNREADABLE else text


def _sent(entries: tuple[TimelineEntry, ...]) -> str | None:
    """The conferencing of the last write before the wrong value was shown; None where there is no write."""
    place = next((place for place, entry in enumerate(entries) if entry.is_broken), len(entries))
    write = next((entry for entry in reversed(entries[: place + 1]) if entry.action == "write"), None)
    if write is None:
        return None
    return "no conferencing property" if write.conferencing is None else _visible(as_json(write.conferencing))


def _visible(text: str) -> str:
    """A text without anything unseen; of a very long one its beginning."""
    return visible(text[:_VALUE])


def clipped(text: str) -> str:
    """A value that stands alone, short enough to be read; the script and the exchanges have the whole."""
    return text if len(text) <= _ALONE else f"{text[:_ALONE]}… ({len(text):,} characters)"


def as_json(value: Any) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)
