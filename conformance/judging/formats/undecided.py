"""What a report says of conferencing that stayed pending, so that rules on it cannot be decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.http.display import visible
from conformance.judging.timeline import TimelineEntry, timeline

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport

__all__ = ["UNDECIDED", "Undecided", "undecided"]

#: The heading of this part.
UNDECIDED = "Undecided: conferencing stayed pending"

_ADVICE = "run again with a longer --settle-timeout; the page sets no limit, so waiting alone is no failure"


@dataclass(frozen=True)
class Undecided:
    """How many writes were still pending, the rules that this leaves open, and the time line of one event.

    `advice` says what would decide it.  All texts are visible.
    """

    headline: str
    rules: tuple[Rule, ...]
    event: str
    timeline: tuple[TimelineEntry, ...]
    advice: str = _ADVICE


def undecided(run_report: RunReport) -> Undecided | None:
    """What nobody waited for any longer; None where that leaves no rule open."""
    waiting, rules = run_report.report.exercised.waiting, run_report.kept_waiting
    if waiting.example is None or not rules:
        return None
    return Undecided(
        visible(waiting.sentence()), rules, visible(waiting.example.event or ""), timeline(waiting.example)
    )
