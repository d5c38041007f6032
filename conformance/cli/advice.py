"""What would decide or mean more, a sentence each: options that fit what was judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.contract.rules import Rule
    from conformance.judging.report import Report
    from conformance.judging.unknown_before import UnknownBefore

__all__ = ["for_refused_requests", "for_unknown_before", "one_sided"]

#: Answers that refuse a request for what it says.
_REFUSED = (400, 404, 409, 415, 422)


def for_refused_requests(report: Report, rules: Iterable[Rule], side: str | None) -> Iterator[str]:
    """Names ``--side`` where requests broke rules and were refused: test suites send invalid ones on purpose."""
    if side is not None:
        return
    count = sum(
        rule.applies_to == "client"
        and rule.level == "must"
        and any(
            evidence.status in _REFUSED
            for violation in report.tally(rule.id).violations
            for evidence in violation.evidence
        )
        for rule in rules
    )
    if count:
        yield (
            f"{_counted(count, 'rule')} failed for requests that the server refused: "
            "if they were invalid on purpose, --side server judges the server alone."
        )


def for_unknown_before(report: Report, unknown: UnknownBefore) -> Iterator[str]:
    """Names what decides rules that are open because nobody knows what was there before the first write of an event."""
    count = len(unknown.rules(report))
    if count:
        were = f"{_counted(unknown.events, 'event')} {'was' if unknown.events == 1 else 'were'}"
        yield (
            f"{_counted(count, 'rule')} stayed open because it is not known what was there before "
            f"{were if unknown.events else 'events were'} first written: "
            "a complete reading before, or --complete-recording if every write was recorded, would decide."
        )


def one_sided(subject: Mapping[str, Any], side: str | None) -> dict[str, Any]:
    """The subject of a report by which one side alone was judged, or both (None)."""
    if side is None:
        return dict(subject)
    return {**subject, "name": f"{subject['name']} (its {side} side alone)", "side": side}


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
