"""What `--strength` prints: by section of the page, what would be caught, what would slip through, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.judging.strength import Strength
    from conformance.judging.summary import RunReport

__all__ = ["with_strength_notes"]


def with_strength_notes(run_report: RunReport) -> RunReport:
    """The report with a note for each section, each fault that would not be caught, and each addition that helps."""
    if run_report.strength is None:
        return run_report
    return replace(run_report, notes=(*run_report.notes, *_notes(run_report.strength)))


def _notes(strength: Strength) -> Iterator[str]:
    for section, (caught, known) in strength.sections.items():
        yield f"Strength, {section}: {caught} of {known} known faults would be caught."
    for fault in strength.missed:
        yield f"Not caught: {fault.name} ({fault.title})."
    for addition in strength.additions:
        yield f"To catch {addition.gain} more: {addition.text}."
