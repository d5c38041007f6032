"""One run of a recording: the settings that it was made with, and the report on it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from conformance.errors import UsageError
from conformance.facts import Settings
from conformance.judging.check import examine
from conformance.judging.report import Report

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.facts import Facts
    from conformance.facts.share import Crossing, Share
    from conformance.http.exchange import Exchange
    from conformance.judging.judge import Judge
    from conformance.recordings import RecordingMetadata

__all__ = ["judge_run", "settings_from"]

T = TypeVar("T")

#: How many more objects there are before it is looked for those that refer to each other alone.
_OBJECTS = 50_000


def judge_run(
    exchanges: Iterable[Exchange],
    rules: Sequence[Rule],
    settings: Settings,
    take: Callable[[Facts], None] = lambda _: None,
    judge: Judge | None = None,
    share: Share | None = None,
    crossed: Callable[[Crossing], object] = lambda _: None,
) -> Report:
    """The report on the exchanges of one run; those of a driven client are judged with its calls.

    `take` is given the facts about all others; `judge` is one over the same rules, if there is one already.  With a
    `share` of the accounts, it is the report on these, and `crossed` is given what it takes from others.
    """
    rest = iter(exchanges)
    first = next(rest, None)
    if first is None:
        return Report.empty(rules)
    everything = chain((first,), rest)
    if not first.request.url.startswith("http"):
        from conformance.clients.transcript import is_driver_call, judge_calls

        if is_driver_call(first):
            return judge_calls(everything, rules)
    with _seldom_collected():
        return examine(everything, rules, settings, take=take, judge=judge, share=share, crossed=crossed)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Next to nothing that exchanges leave behind refers to itself: to look for it as often as usual takes long."""
    usual = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def settings_from(header: RecordingMetadata | None) -> Settings:
    """The settings that a recording was made with, and the usual ones where its header has none.

    Raises UsageError for invalid settings.
    """
    recorded, usual = (header.settings if header else {}), Settings()
    declared = recorded.get("default_profiles") or {}
    if not isinstance(declared, Mapping) or not all(isinstance(name, str) for name in declared.values()):
        raise UsageError("the recording's default_profiles are not profile ids by account; record it again")
    return Settings(
        quiet=_seconds(recorded, "quiet", usual.quiet),
        window=_seconds(recorded, "window", usual.window),
        settle_timeout=_seconds(recorded, "settle_timeout", usual.settle_timeout),
        default_profiles=dict(declared),
        complete_recording=recorded.get("complete_recording") is True,
        only_writer=recorded.get("only_writer") is True,
    )


def _seconds(recorded: Mapping[str, Any], name: str, usual: T) -> float | T:
    value = recorded.get(name)
    if value is None:
        return usual
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= sys.float_info.max:
        raise UsageError(f"the recording's setting {name} is {value!r}, expected seconds; record it again")
    return float(value)
