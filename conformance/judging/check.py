"""examine(exchanges) → report: the one path, for exchanges that are all there already."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.contract.rules import Rule
from conformance.facts import Settings, observe
from conformance.http.exchange import Exchange
from conformance.judging.judge import Judge
from conformance.judging.report import Report

__all__ = ["examine"]


def examine(
    exchanges: Iterable[Exchange],
    rules: Iterable[Rule],
    settings: Settings,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """The report on `exchanges`, given in the order in which they were sent.

    Memory follows the events that the exchanges name, not their number.
    """
    rules = tuple(rules)
    judge = Judge(rules)
    count = 0

    def counted() -> Iterable[Exchange]:
        nonlocal count
        for exchange in exchanges:
            count += 1
            if progress is not None and count % 1000 == 0:
                progress(count)
            yield exchange

    judgements = (judge(facts) for facts in observe(counted(), settings))
    return Report.empty(rules).with_judgements(judgements).with_exchanges(count)
