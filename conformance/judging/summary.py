"""What a report comes to: by which policy, about which subject and run, what failed and what was not proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from conformance.contract.rules import LEVELS
from conformance.http.curl import curl
from conformance.judging.report import KEPT_CAUSES, Report, RuleOutcome
from conformance.judging.strength import Strength, strength
from conformance.judging.timeline import TimelineEntry, timeline

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.facts import Evidence
    from conformance.judging.baseline import Baseline, KnownFailure
    from conformance.judging.verdict import Violation

__all__ = ["MISSED", "NOT_MET", "Policy", "Reproduction", "RunReport", "document"]

Outcome = Literal["passed", "failed", "inconclusive"]

#: How a line of `coverage_gaps` begins that names a coverage class.
MISSED = "no pass covers"

_REASONS = {
    "superseded": "each write was followed by another before its outcome was certain",
    "recording-ended": "the recording ended before the outcome was certain",
    "watching": "it was still being watched when the run ended",
    "unknown": "the responses do not say enough",
    "timed-out": "conferencing was still pending at the settle time-out",
}
#: The reason of a rule that nothing was seen for.
NOT_MET = "nothing in the traffic meets the condition"


@dataclass(frozen=True)
class Policy:
    """What a report is measured by.

    `fail_on` is one of `LEVELS` and means it and the stricter ones.  `is_run` says that the exchanges were made to
    test the subject, so that a rule which stays inconclusive is a result; in a recording it is a coverage gap.
    `reachable_coverage` are the coverage classes that the subject's inventory can show (None: all of them);
    `untested_reasons` says of a rule, by its id, why this subject cannot exercise it.  `unmet` are rule and reason of
    what a run meant to show and did not, beside coverage classes.  `baseline` has failures that are known and do not
    count.  `cut_short` says why the run ended before its plan, `unjudged` why the subject could not be judged at all,
    `program_failure` how the watched program itself failed, `interrupted` that Ctrl-C ended it.
    """

    fail_on: str = "must"
    require_coverage: bool = False
    is_run: bool = True
    reachable_coverage: frozenset[str] | None = None
    untested_reasons: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    unmet: tuple[tuple[str, str], ...] = ()
    baseline: Baseline | None = None
    cut_short: str | None = None
    unjudged: str | None = None
    program_failure: str | None = None
    interrupted: bool = False

    @property
    def fatal_levels(self) -> tuple[str, ...]:
        """The levels whose failures count."""
        return LEVELS[: LEVELS.index(self.fail_on) + 1]

    @property
    def fatal_gaps(self) -> tuple[str, ...]:
        """The outcomes of a `must` rule that count although it did not fail."""
        if self.require_coverage:
            return ("inconclusive", "untested")
        return ("inconclusive",) if self.is_run else ()


@dataclass(frozen=True)
class Reproduction:
    """How a failure is shown again: `scenarios` as Python for ``conformance.servers.replay``, `commands` as curl.

    `steps` say the same in words, and `exchanges` are the fewest that show it.  `origin` is the violation of the run
    that it reproduces, `violation` the one that it shows; `reproduces` is false where it was tried and passed.
    `beside` are causes of other failures that are part of the same defect.
    """

    rule: str
    title: str
    scenarios: tuple[str, ...]
    commands: tuple[str, ...]
    steps: tuple[str, ...] = ()
    exchanges: tuple[Evidence, ...] = ()
    origin: Violation | None = None
    violation: Violation | None = None
    reproduces: bool = True
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True)
class RunReport:
    """A report and all that it is about: the rules, the policy, the subject, the run and the contract.

    `subject`, `run`, `contract`, `tool` and `evidence` are the parts of that name of ``schemas/report.json``;
    `variables` names the environment variable of each account's token, `clauses` says in our words what each states.
    `counterexamples` are the smallest failures, a few lines each, `notes` and `advice` sentences, of which `advice`
    stands beside the outcome: all for people alone;
    `reproductions` are the same failures for a file of tests.
    """

    report: Report
    rules: tuple[Rule, ...]
    subject: Mapping[str, Any]
    run: Mapping[str, Any]
    contract: Mapping[str, str]
    tool: Mapping[str, str]
    policy: Policy = Policy()
    evidence: Mapping[str, Any] | None = None
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    clauses: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    counterexamples: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    reproductions: tuple[Reproduction, ...] = ()

    @property
    def failed(self) -> tuple[Rule, ...]:
        """The rules that failed, of any level."""
        return self._with("failed")

    @property
    def failures(self) -> tuple[Rule, ...]:
        """The rules that failed and count."""
        return tuple(rule for rule in self.failed if self.is_fatal(rule))

    @property
    def warnings(self) -> tuple[Rule, ...]:
        """The rules that failed and are too weak to count."""
        return tuple(
            rule for rule in self.failed if rule.level not in self.policy.fatal_levels and not self.is_known(rule)
        )

    @property
    def known(self) -> tuple[Rule, ...]:
        """The rules that failed for causes alone that the baseline knows."""
        return tuple(rule for rule in self.failed if self.is_known(rule))

    @cached_property
    def stale(self) -> tuple[KnownFailure, ...]:
        """The entries of the baseline whose failures are gone; a run that ended early does not tell."""
        baseline = self.policy.baseline
        if baseline is None or self.is_partial:
            return ()
        return baseline.stale(self.report, self.rules, self.run)

    def is_known(self, rule: Rule) -> bool:
        """Whether a rule failed, and for causes alone that the baseline knows; of too many causes it knows not all."""
        baseline, causes = self.policy.baseline, self.report.tally(rule.id).causes
        return (
            baseline is not None
            and 0 < len(causes) < KEPT_CAUSES
            and all(baseline.knows(rule.id, cause) for cause in causes)
        )

    def is_fatal(self, rule: Rule) -> bool:
        """Whether the rule's own outcome keeps that of the whole from being *passed*."""
        outcome = self.report.tally(rule.id).outcome
        if outcome == "failed":
            return rule.level in self.policy.fatal_levels and not self.is_known(rule)
        return rule.level == "must" and outcome in self.policy.fatal_gaps

    @property
    def outcome(self) -> Outcome:
        """Failed if a rule that counts failed or a known failure is gone; inconclusive if something that counts is not
        proved; else passed.
        """
        if self.failures or self.policy.program_failure or self.stale:
            return "failed"
        return "inconclusive" if self.policy.unjudged or self._is_open else "passed"

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C; 2 if nothing could be judged; 1, 3 or 0 for failed, inconclusive or passed."""
        if self.policy.interrupted:
            return 130
        if self.policy.unjudged:
            return 2
        return {"failed": 1, "inconclusive": 3, "passed": 0}[self.outcome]

    @cached_property
    def strength(self) -> Strength | None:
        """How many of the known faults of servers would have been caught; None where no rule on servers was decided."""
        exercised = self.report.exercised
        on_servers = any(rule.applies_to == "server" and rule.id in exercised.decided for rule in self.rules)
        return strength(exercised, waits=self.policy.is_run) if on_servers else None

    @property
    def coverage_gaps(self) -> tuple[tuple[str, str], ...]:
        """Rule id and reason of everything that was not proved, a line for each coverage class that no pass covers."""
        lines: list[tuple[str, str]] = []
        for rule in self.rules:
            tally = self.report.tally(rule.id)
            if tally.outcome in ("untested", "inconclusive"):
                lines.append((rule.id, self.reason(rule) or ""))
            elif tally.outcome == "passed":
                missed = [case for case in rule.cases if self._can_reach(case) and case not in tally.cases]
                lines += [(rule.id, f"{MISSED} {case}") for case in missed]
        return (*lines, *self.policy.unmet)

    @property
    def fully_covered(self) -> bool:
        """Whether every rule was decided, in every coverage class that the subject's inventory can show."""
        return not self.coverage_gaps and not self.is_partial

    @property
    def kept_waiting(self) -> tuple[Rule, ...]:
        """The rules that are inconclusive because conferencing was still pending at the settle time-out."""
        return tuple(rule for rule in self._with("inconclusive") if self.report.tally(rule.id).timed_out)

    @property
    def is_mostly_untested(self) -> bool:
        """Whether at least half of the `must` rules were not exercised."""
        musts = [rule for rule in self.rules if rule.level == "must"]
        return 2 * sum(rule.level == "must" for rule in self._with("untested")) >= len(musts) > 0

    def reason(self, rule: Rule) -> str | None:
        """Why a rule is inconclusive or untested, as a sentence; None where it passed or failed."""
        tally = self.report.tally(rule.id)
        if tally.outcome == "untested":
            return self.policy.untested_reasons.get(rule.id, NOT_MET)
        if tally.reason == "recording-ended" and self.policy.is_run:
            return "the run ended before the outcome was certain"
        return None if tally.reason is None else _REASONS.get(tally.reason, tally.reason)

    def _with(self, outcome: RuleOutcome) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if self.report.tally(rule.id).outcome == outcome)

    def _can_reach(self, case: str) -> bool:
        return self.policy.reachable_coverage is None or case in self.policy.reachable_coverage

    @property
    def _is_open(self) -> bool:
        """Whether something that counts is not proved; without a pass or a known failure, nothing is."""
        return (
            self.is_partial
            or not (self._with("passed") or self.known)
            or any(self.is_fatal(rule) for rule in self.rules)
        )

    @property
    def incomplete(self) -> str | None:
        """Why not all was judged that was to be: how the run was cut short, and what this tool could not judge."""
        return "; ".join(filter(None, (self.policy.cut_short, *map(str, self.report.unjudged)))) or None

    @property
    def is_partial(self) -> bool:
        """Whether not all was judged that was to be."""
        return self.policy.interrupted or self.incomplete is not None


def document(run_report: RunReport) -> dict[str, Any]:
    """The report as ``schemas/report.json`` describes it."""
    contents: dict[str, Any] = {
        "version": 2,
        "tool": dict(run_report.tool),
        "subject": dict(run_report.subject),
        "run": dict(run_report.run),
        "outcome": run_report.outcome,
        "fully_covered": run_report.fully_covered,
        "contract": dict(run_report.contract),
    }
    if run_report.policy.unjudged is not None:
        contents["unjudged"] = run_report.policy.unjudged
    if run_report.report.unjudged:
        contents["unjudged_exchanges"] = [one._asdict() for one in run_report.report.unjudged]
    if run_report.evidence is not None:
        contents["evidence"] = dict(run_report.evidence)
    if run_report.policy.baseline is not None:
        contents["baseline"] = _baseline(run_report, run_report.policy.baseline)
    contents["rules"] = [_rule(run_report, rule) for rule in run_report.rules]
    if run_report.strength is not None:
        contents["strength"] = {"caught": len(run_report.strength.caught), "known": run_report.strength.known}
    contents["coverage_gaps"] = [{"rule": rule, "reason": reason} for rule, reason in run_report.coverage_gaps]
    contents["warnings"] = [rule.id for rule in run_report.warnings]
    return contents


def _baseline(run_report: RunReport, baseline: Baseline) -> dict[str, Any]:
    """What became of the entries: ``known`` failures, ``expired`` ones that count again, and ``stale`` ones."""
    shown = [entry for entry in baseline.entries if entry.cause in run_report.report.tally(entry.rule).causes]
    return {
        "name": baseline.name,
        "known": [entry.document() for entry in shown if not baseline.expired(entry)],
        "expired": [entry.document() for entry in shown if baseline.expired(entry)],
        "stale": [entry.document() for entry in run_report.stale],
    }


def _rule(run_report: RunReport, rule: Rule) -> dict[str, Any]:
    tally = run_report.report.tally(rule.id)
    contents: dict[str, Any] = {
        "id": rule.id,
        "title": rule.title,
        "applies_to": rule.applies_to,
        "level": rule.level,
        "clauses": list(rule.clauses),
        "outcome": tally.outcome,
        "counts": {"passed": tally.passed, "failed": tally.failed, "inconclusive": tally.inconclusive},
    }
    reason = run_report.reason(rule)
    if reason is not None:
        contents["reason"] = reason if tally.reason is None else tally.reason
    contents["violations"] = [_violation(run_report, rule, violation) for violation in tally.violations]
    return contents


def _violation(run_report: RunReport, rule: Rule, violation: Violation) -> dict[str, Any]:
    contents: dict[str, Any] = {
        "message": violation.message,
        "cause": violation.cause,
        "expected": violation.expected,
        "actual": violation.actual,
        "path": violation.path,
    }
    baseline = run_report.policy.baseline
    if baseline is not None and baseline.knows(rule.id, violation.cause):
        contents["known"] = True
    if violation.event is not None:
        contents["event"] = violation.event
    contents["timeline"] = [_entry(entry) for entry in timeline(violation)]
    contents["exchanges"] = [evidence.label for evidence in violation.evidence]
    contents["curl"] = [curl(evidence.request, run_report.variables) for evidence in violation.evidence]
    return contents


def _entry(entry: TimelineEntry) -> dict[str, Any]:
    contents: dict[str, Any] = {
        "exchange": entry.label,
        "seconds": entry.seconds,
        "action": entry.action,
        "summary": entry.summary,
        "status": entry.status,
    }
    if entry.conferencing is not None:
        contents["conferencing"] = entry.conferencing
    if entry.state is not None:
        contents["state"] = entry.state
    return contents | {"earlier": entry.is_earlier, "broken": entry.is_broken}
