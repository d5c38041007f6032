"""The report as a badge: JSON for an endpoint of shields.io."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from conformance.http.display import visible

if TYPE_CHECKING:
    from conformance.judging.summary import RunReport

__all__ = ["Badge", "badge", "render"]

_COLOURS = {"passed": "brightgreen", "failed": "red", "inconclusive": "yellow"}


class Badge(NamedTuple):
    """What a badge says, and the name of its colour."""

    label: str
    message: str
    colour: str


def badge(run_report: RunReport) -> Badge:
    """The outcome and how many rules passed, under the contract's version."""
    counted = [run_report.report.tally(rule.id).outcome for rule in run_report.rules]
    warnings = len(run_report.warnings)
    message = f"{run_report.outcome}, {counted.count('passed')} of {len(counted)} rules"
    if warnings and run_report.outcome == "passed":
        message += f", {warnings} warning{'' if warnings == 1 else 's'}"
    label = f"cronofy conferencing {visible(run_report.contract['version'])}"
    return Badge(label, message, _COLOURS[run_report.outcome])


def render(run_report: RunReport) -> str:
    """A document of version 1 of the endpoint's schema."""
    label, message, colour = badge(run_report)
    document = {
        "schemaVersion": 1,
        "label": label,
        "message": message,
        "color": colour,
        "isError": run_report.outcome == "failed",
    }
    return json.dumps(document, indent=2) + "\n"
