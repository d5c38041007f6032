"""The result of a campaign for each rule; one campaign a session, whatever the number of processes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.cli.check_command import CheckOptions
    from conformance.contract.rules import Rule
    from conformance.judging.summary import RunReport
    from conformance.servers.run_options import RunOptions
    from conformance.servers.scenarios.added_scenarios import Source
    from conformance.servers.subject import Subject

__all__ = ["CampaignResults", "RuleResult", "campaign_results", "recording_results", "shared_results"]


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The result for one rule: `outcome` as in the report, the reason as `message`, and whether it fails the run.

    `known` is the reason for which the baseline puts up with its failures, `stale` says that one of them is gone.
    """

    outcome: str
    message: str
    is_fatal: bool
    known: str | None = None
    stale: bool = False


@dataclass(frozen=True)
class CampaignResults:
    """The result for each rule by its id, or the `error` because of which nothing could be judged."""

    rules: Mapping[str, RuleResult]
    error: str | None = None

    @property
    def failed(self) -> tuple[str, ...]:
        """The ids of the rules that failed."""
        return tuple(rule for rule, result in self.rules.items() if result.outcome == "failed")

    def to_json(self) -> str:
        """The results as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> CampaignResults:
        """The results from what `to_json` gave."""
        document = json.loads(text)
        rules = {rule: RuleResult(**result) for rule, result in document["rules"].items()}
        return cls(rules, document["error"])


def campaign_results(options: RunOptions, subject: Subject, scenarios: Source = ()) -> CampaignResults:
    """Run a campaign, with a team's own `scenarios` too; a configuration that allows none becomes the `error`."""
    from conformance.cli.run_command import run
    from conformance.cli.status_line import StatusLine
    from conformance.errors import ConfigurationError, UsageError
    from conformance.http.redaction import Redactor

    redactor = Redactor(subject.tokens)
    try:
        run_report, _ = run(options, subject, redactor, StatusLine(shown=False), scenarios)
    except (UsageError, ConfigurationError) as error:
        return CampaignResults({}, str(error))
    if run_report.policy.interrupted:
        raise KeyboardInterrupt
    if run_report.policy.unjudged is not None:
        return CampaignResults({}, run_report.policy.unjudged)
    results = CampaignResults({rule.id: _rule_result(run_report, rule) for rule in run_report.rules})
    redactor.check(results.to_json(), "the messages of the tests")
    return results


def recording_results(options: CheckOptions) -> CampaignResults:
    """Judge recordings; what cannot be read or judged becomes the `error` of the results."""
    from conformance.cli.check_command import check
    from conformance.cli.status_line import StatusLine
    from conformance.errors import UsageError
    from conformance.http.redaction.collecting import SecretCollector
    from conformance.interrupts import Interruption
    from conformance.recordings import InvalidRecordingError
    from conformance.servers.run_options import tokens

    secrets = SecretCollector(tokens({}, os.environ))
    try:
        with Interruption() as interruption:
            run_report = check(options, interruption, StatusLine(shown=False), secrets)
    except (UsageError, InvalidRecordingError) as error:
        return CampaignResults({}, str(error))
    if run_report.policy.interrupted:
        raise KeyboardInterrupt
    results = CampaignResults({rule.id: _rule_result(run_report, rule) for rule in run_report.rules})
    secrets.redactor().check(results.to_json(), "the messages of the tests")
    return results


def shared_results(work: Callable[[], CampaignResults], folder: Path) -> CampaignResults:
    """What `work` gives to the first of all processes that share `folder`; the others wait and read it."""
    from filelock import FileLock

    from conformance.cli.files import write_atomically

    file = folder / "conformance-results.json"
    with FileLock(folder / "conformance-results.lock"):
        if file.exists():
            return CampaignResults.from_json(file.read_text(encoding="utf-8"))
        results = work()
        write_atomically(file, results.to_json(), lambda text, where: None)  # it was checked for secrets
        return results


def _rule_result(run_report: RunReport, rule: Rule) -> RuleResult:
    from conformance.judging.formats.text import rule_failures

    outcome, is_fatal = run_report.report.tally(rule.id).outcome, run_report.is_fatal(rule)
    stale = any(entry.rule == rule.id for entry in run_report.stale)
    message = ""
    if outcome == "failed":
        message = rule_failures(run_report, (rule,))
    elif outcome != "passed":
        message = f"{outcome}: {run_report.incomplete or run_report.reason(rule)}"
    return RuleResult(outcome, message, is_fatal, _known(run_report, rule), stale)


def _known(run_report: RunReport, rule: Rule) -> str | None:
    """The reasons of the entries that a rule has in the baseline; None where it has none that matters here."""
    baseline = run_report.policy.baseline
    if baseline is None:
        return None
    shown = [
        entry
        for entry in baseline.entries
        if entry.rule == rule.id and (run_report.is_known(rule) or entry in run_report.stale)
    ]
    return "; ".join(dict.fromkeys(entry.reason for entry in shown)) or None
