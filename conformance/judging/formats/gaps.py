"""The coverage gaps of a report, in words: those that follow from a failure are one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.contract.rules import case_words
from conformance.http.display import visible
from conformance.judging.groups import failure_groups
from conformance.judging.summary import MISSED, NOT_MET

if TYPE_CHECKING:
    from conformance.judging.summary import RunReport

__all__ = ["coverage_gaps"]

#: So many rules are named each.
_FEW = 2


def coverage_gaps(run_report: RunReport, *, folded: bool = False) -> tuple[tuple[str, str], ...]:
    """The coverage gaps, rule and reason; rules with the same reason are counted together.

    With `folded`, those of a run that most likely follow from its failures, or from what stayed pending, are one line.
    """
    why = _why(run_report) if folded else ""
    following = {rule for rule, reason in run_report.coverage_gaps if why and _may_follow(reason)}
    following -= {rule for rule, reason in run_report.coverage_gaps if not _may_follow(reason)}
    by_reason: dict[str, list[str]] = {}
    cases: dict[str, list[str]] = {}
    for rule, reason in run_report.coverage_gaps:
        if len(following) > _FEW and _may_follow(reason) and why:
            continue
        if reason.startswith(MISSED):
            cases.setdefault(rule, []).append(case_words(reason.removeprefix(MISSED).strip()))
        else:
            by_reason.setdefault(visible(reason), []).append(rule)
    lines = [(rules[0] if len(rules) == 1 else f"{len(rules)} rules", reason) for reason, rules in by_reason.items()]
    lines += [(rule, f"{MISSED} {', '.join(missed)}") for rule, missed in cases.items()]
    more = [(f"{len(following)} rules", f"not checked, or not in every case, most likely because {why}")]
    return (*(more if len(following) > _FEW else ()), *lines)


def _may_follow(reason: str) -> bool:
    """Whether a gap may be there because something else went wrong."""
    return reason == NOT_MET or reason.startswith(MISSED)


def _why(run_report: RunReport) -> str:
    """What gaps of a run follow from; empty where nothing is known to be wrong, or where not all was sent."""
    if not run_report.policy.is_run or run_report.is_partial:
        return ""
    count = len(failure_groups(run_report))
    if count:
        which = "failure 1" if run_report.failures else "warning 1"
        return f"of {which}" if count == 1 else "of what is wrong above"
    return "conferencing stayed pending" if run_report.kept_waiting else ""
