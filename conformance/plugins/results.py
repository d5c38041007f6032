"""What a campaign found of each rule, in words: run once a session, whatever the number of processes that ask."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.servers.run_options import RunOptions
    from conformance.servers.subject import Subject

__all__ = ["CampaignResults", "RuleResult", "found", "results_once"]


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What became of one rule: `outcome` as in the report, `told` why, `counts` whether it decides the result."""

    outcome: str
    told: str
    counts: bool


@dataclass(frozen=True)
class CampaignResults:
    """What became of each rule by its id, or of the campaign itself where it could not judge (`refused`)."""

    rules: Mapping[str, RuleResult]
    refused: str | None = None

    @property
    def failed(self) -> tuple[str, ...]:
        """The ids of the rules that failed."""
        return tuple(rule for rule, finding in self.rules.items() if finding.outcome == "failed")

    def text(self) -> str:
        """The findings as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, text: str) -> CampaignResults:
        """The findings in what `text` gave."""
        said = json.loads(text)
        return cls({rule: RuleResult(**finding) for rule, finding in said["rules"].items()}, said["refused"])


def found(options: RunOptions, subject: Subject) -> CampaignResults:
    """Run a campaign and tell what it found; a configuration that allows none is told, not raised."""
    from conformance.cli.run_command import run
    from conformance.cli.status_line import StatusLine
    from conformance.errors import UsageError
    from conformance.http.redaction import Redactor
    from conformance.servers.subject import ConfigurationError

    redactor = Redactor(subject.tokens)
    try:
        statement, _ = run(options, subject, redactor, StatusLine(shown=False))
    except (UsageError, ConfigurationError) as error:
        return CampaignResults({}, str(error))
    if statement.terms.interrupted:
        raise KeyboardInterrupt
    results = CampaignResults({rule.id: _finding(statement, rule) for rule in statement.rules})
    redactor.check(results.text(), "what the tests tell")
    return results


def results_once(options: RunOptions, subject: Subject, folder: Path) -> CampaignResults:
    """As `found`, by the first of all processes that share `folder`; the others wait for it and take what it found."""
    from filelock import FileLock

    from conformance.cli.files import write

    kept = folder / "conformance-findings.json"
    with FileLock(folder / "conformance-findings.lock"):
        if kept.exists():
            return CampaignResults.of(kept.read_text(encoding="utf-8"))
        results = found(options, subject)
        write(kept, results.text(), lambda text, where: None)
        return results


def _finding(statement: RunReport, rule: Rule) -> RuleResult:
    from conformance.contract.rules import LEVELS
    from conformance.judging.formats.text import explained

    outcome = statement.report.tally(rule.id).outcome
    if outcome == "failed":
        fatal = LEVELS[: LEVELS.index(statement.terms.fail_on) + 1]
        return RuleResult(outcome, explained(statement, rule), rule.level in fatal)
    if outcome == "passed":
        return RuleResult(outcome, "", counts=True)
    why = statement.terms.cut_short or statement.reason(rule)
    return RuleResult(outcome, f"{outcome}: {why}", statement.terms.require_coverage and rule.level == "must")
