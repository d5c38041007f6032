"""A statement says what a report comes to: by which terms, about which subject and run, and what was not proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from conformance.contract.rules import LEVELS
from conformance.http.curl import curl
from conformance.judging.report import Report, RuleOutcome

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.verdict import Violation

__all__ = ["MISSED", "Policy", "Reproduction", "RunReport", "document"]

Outcome = Literal["passed", "failed", "inconclusive"]

#: What a line of `coverage_gaps` says before the name of a case.
MISSED = "nothing that passed meets the case"

_REASONS = {
    "superseded": "each write was followed by another before its outcome could be seen",
    "recording-ended": "the recording ended before the outcome could be seen",
    "watching": "it was still being watched when the run ended",
    "unknown": "what was seen does not say enough to decide",
    "timed-out": "it was still pending when the time to settle ran out",
}
_NOTHING_MET_IT = "nothing that was seen meets its condition"


@dataclass(frozen=True)
class Policy:
    """What a report is measured by.

    `fail_on` is one of `LEVELS` and means it and the stricter ones.  `reachable_coverage` are the cases that the subject's world
    can show (None: all of them); `why` says of a rule, by its id, why this subject cannot exercise it; `cut_short` says
    why the run ended before its plan, `interrupted` that Ctrl-C ended it.
    """

    fail_on: str = "must"
    require_coverage: bool = False
    reachable_coverage: frozenset[str] | None = None
    why: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cut_short: str | None = None
    interrupted: bool = False


@dataclass(frozen=True)
class Reproduction:
    """How a failure is shown again: `scenarios` as Python source for ``conformance.servers.replay``, `commands` as curl."""

    rule: str
    title: str
    scenarios: tuple[str, ...]
    commands: tuple[str, ...]


@dataclass(frozen=True)
class RunReport:
    """A report and all that it is about: the rules, the terms, the subject, the run and the contract.

    `subject`, `run`, `contract`, `tool` and `evidence` are the parts of that name of ``schemas/report.json``;
    `variables` names the environment variable of each account's token, `clauses` says in our words what each states.
    `counterexamples` are the smallest failures, a few lines each, `remarks` and `advice` sentences, of which `advice`
    stands beside the outcome: all for people alone;
    `repros` are the same failures for a file of tests.
    """

    report: Report
    rules: tuple[Rule, ...]
    subject: Mapping[str, Any]
    run: Mapping[str, Any]
    contract: Mapping[str, str]
    tool: Mapping[str, str]
    terms: Policy = Policy()
    evidence: Mapping[str, Any] | None = None
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    clauses: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    counterexamples: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    repros: tuple[Reproduction, ...] = ()

    @property
    def failed(self) -> tuple[Rule, ...]:
        """The rules that failed."""
        return self._with("failed")

    @property
    def outcome(self) -> Outcome:
        """Failed if a rule of any level failed; inconclusive if what binds is still open; else passed."""
        if self.failed:
            return "failed"
        return "inconclusive" if self._open else "passed"

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C; 1 if a rule of the ``fail_on`` level failed, 3 if what binds is still open, else 0."""
        if self.terms.interrupted:
            return 130
        fatal = LEVELS[: LEVELS.index(self.terms.fail_on) + 1]
        if any(rule.level in fatal for rule in self.failed):
            return 1
        return 3 if self._open else 0

    @property
    def coverage_gaps(self) -> tuple[tuple[str, str], ...]:
        """Rule id and reason of everything that was not shown, a line for each case that a passed rule has not met."""
        lines: list[tuple[str, str]] = []
        for rule in self.rules:
            tally = self.report.tally(rule.id)
            if tally.outcome in ("untested", "inconclusive"):
                lines.append((rule.id, self.reason(rule) or ""))
            elif tally.outcome == "passed":
                missed = [case for case in rule.cases if self._offers(case) and case not in tally.cases]
                lines += [(rule.id, f"{MISSED} {case}") for case in missed]
        return tuple(lines)

    @property
    def fully_covered(self) -> bool:
        """Whether every rule was decided, in every case that the subject's world offers."""
        return not self.coverage_gaps and not self._cut

    def reason(self, rule: Rule) -> str | None:
        """Why a rule is inconclusive or untested, as a sentence; None where it passed or failed."""
        tally = self.report.tally(rule.id)
        if tally.outcome == "untested":
            return self.terms.why.get(rule.id, _NOTHING_MET_IT)
        return None if tally.reason is None else _REASONS.get(tally.reason, tally.reason)

    def _with(self, outcome: RuleOutcome) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if self.report.tally(rule.id).outcome == outcome)

    def _offers(self, case: str) -> bool:
        return self.terms.reachable_coverage is None or case in self.terms.reachable_coverage

    @property
    def _open(self) -> bool:
        open_rules = self._with("inconclusive")
        if self.terms.require_coverage:
            open_rules += self._with("untested")
        return self._cut or any(rule.level == "must" for rule in open_rules)

    @property
    def _cut(self) -> bool:
        return self.terms.interrupted or self.terms.cut_short is not None


def document(statement: RunReport) -> dict[str, Any]:
    """The report as ``schemas/report.json`` describes it."""
    said: dict[str, Any] = {
        "version": 2,
        "tool": dict(statement.tool),
        "subject": dict(statement.subject),
        "run": dict(statement.run),
        "outcome": statement.outcome,
        "fully_covered": statement.fully_covered,
        "contract": dict(statement.contract),
    }
    if statement.evidence is not None:
        said["evidence"] = dict(statement.evidence)
    said["rules"] = [_rule(statement, rule) for rule in statement.rules]
    said["coverage_gaps"] = [{"rule": rule, "reason": reason} for rule, reason in statement.coverage_gaps]
    return said


def _rule(statement: RunReport, rule: Rule) -> dict[str, Any]:
    tally = statement.report.tally(rule.id)
    said: dict[str, Any] = {
        "id": rule.id,
        "title": rule.title,
        "applies_to": rule.applies_to,
        "level": rule.level,
        "clauses": list(rule.clauses),
        "outcome": tally.outcome,
        "counts": {"passed": tally.passed, "failed": tally.failed, "inconclusive": tally.inconclusive},
    }
    reason = statement.reason(rule)
    if reason is not None:
        said["reason"] = reason if tally.reason is None else tally.reason
    said["violations"] = [_violation(statement, violation) for violation in tally.violations]
    return said


def _violation(statement: RunReport, violation: Violation) -> dict[str, Any]:
    said: dict[str, Any] = {"message": violation.message, "path": violation.path}
    if violation.event is not None:
        said["event"] = violation.event
    said["exchanges"] = [evidence.label for evidence in violation.evidence]
    said["curl"] = [curl(evidence.request, statement.variables) for evidence in violation.evidence]
    return said
