"""What is wrong with a few exchanges, as text: for tests that judge what they did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from conformance.contract.rules import Rule
from conformance.contract.selection import clause_summaries, contract, select_rules
from conformance.facts import Settings, observe
from conformance.http.exchange import Exchange
from conformance.judging.formats.text import rule_failures
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.summary import Policy, RunReport
from conformance.version import VERSION

__all__ = ["broken_rules", "judged", "text_of_failure"]


def judged(
    exchanges: Iterable[Exchange],
    rules: Iterable[Rule],
    settings: Settings,
    *,
    fail_on: str = "must",
    variables: Mapping[str, str] = MappingProxyType({}),
) -> RunReport:
    """The report on exchanges, in the order sent; `variables` name the variable of each account's token."""
    chosen, known = tuple(rules), tuple(exchanges)
    judge = _judge(tuple(rule.id for rule in chosen))
    judgements = [(judge(facts), 1) for facts in observe(known, settings)]
    return RunReport(
        Report.empty(chosen).with_judgements(judgements).with_exchanges(len(known)),
        chosen,
        subject={"kind": "test", "name": "test"},
        run={},
        contract=contract(),
        tool={"name": "cronofy-conformance", "version": VERSION},
        policy=Policy(fail_on, is_run=False),
        variables=variables,
        clauses=clause_summaries(),
    )


@lru_cache(maxsize=16)
def _judge(ids: tuple[str, ...]) -> Judge:
    """Making rules ready takes longer than judging what one test did."""
    return Judge(select_rules(ids))


def broken_rules(run_report: RunReport) -> tuple[str, ...]:
    """The ids of the rules that failed and count."""
    return tuple(rule.id for rule in run_report.failures)


def text_of_failure(run_report: RunReport) -> str:
    """The failures that count, as the text report has them, without scripts: the test shows them again."""
    return rule_failures(run_report, run_report.failures, scripts=0)
