"""examine(exchanges) → report: the one path, for exchanges that are all there already."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.contract.rules import Rule
from conformance.facts import Facts, Settings
from conformance.facts.share import Crossing, Share
from conformance.http.exchange import Exchange
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.stream import LiveJudge

__all__ = ["examine"]


def examine(
    exchanges: Iterable[Exchange],
    rules: Iterable[Rule],
    settings: Settings,
    progress: Callable[[int], None] | None = None,
    take: Callable[[Facts], None] = lambda _: None,
    judge: Judge | None = None,
    share: Share | None = None,
    crossed: Callable[[Crossing], object] = lambda _: None,
) -> Report:
    """The report on `exchanges`, given in the order in which they were sent.

    Memory follows the events that the exchanges name, not their number.  `take` is given all facts as they close, as
    `LiveJudge` gives them; `judge` is one over the same rules, if there is one already.  With a `share` of accounts,
    it is the report on these, `Report.together` makes one of all shares, and `crossed` is given what each must know of
    the others.
    """
    rules = tuple(rules)
    live = LiveJudge(
        settings,
        Judge(rules) if judge is None else judge,
        keep=False,
        share=share,
        on_judged=lambda facts, _verdicts: take(facts),
    )
    for count, exchange in enumerate(exchanges, 1):
        live.add(exchange)
        if progress is not None and count % 1000 == 0:
            progress(count)
    live.close()
    crossed(live.observer.crossing)
    return Report.empty(rules) + live.report
