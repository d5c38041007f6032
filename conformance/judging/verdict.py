"""What became of one rule on one facts document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from conformance.facts import Evidence

__all__ = ["Verdict", "Violation"]


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong in one sentence, where in the facts (`path`, a JSON pointer), and the exchanges that show it.

    Violations of the same `cause` are one defect seen several times; those that share a `symptom` show the same wrong
    value of the same event, or of the same exchange, whatever their rules.  `expected` and `actual` are the values on
    the wire where they can be compared, else words.  `earlier` are the writes of the event before, and what readings
    showed between them; `shown_by` is the label of the exchange that shows the wrong value.  `traits` are those of what
    was judged, and `context` is what else it takes to see that the rule applies, each with a name.  `effect`
    is what is wrong of any event, whatever was requested; empty of what is no event.  `place` orders
    violations that were found apart.
    """

    message: str
    path: str
    event: str | None
    evidence: tuple[Evidence, ...]
    cause: str
    expected: str = ""
    actual: str = ""
    symptom: str = ""
    shown_by: str | None = None
    earlier: tuple[Evidence, ...] = ()
    traits: frozenset[str] = frozenset()
    place: tuple[float, ...] = field(default=(), compare=False)
    context: tuple[tuple[str, str], ...] = ()
    effect: str = ""


class Verdict(NamedTuple):
    """What became of one rule on one facts document.

    `outcome` is ``passed``, ``failed`` or ``inconclusive``; `reason` says why inconclusive: ``superseded``,
    ``recording-ended``, ``timed-out``, ``watching`` or ``unknown``.  `cases` are those that the facts meet, and
    `requested` is the kind of request that they are about, if they are about one.
    """

    rule: str
    outcome: str
    reason: str | None
    cases: tuple[str, ...]
    violation: Violation | None = None
    requested: str = ""
