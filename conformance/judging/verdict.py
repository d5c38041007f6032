"""What became of one rule on one facts document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from conformance.facts import Evidence

__all__ = ["Verdict", "Violation"]


@dataclass(frozen=True, slots=True)
class Violation:
    """What was expected and seen, where in the facts (`path`, a JSON pointer), and the exchanges that show it.

    Violations of the same `cause` are one defect seen several times.
    """

    message: str
    path: str
    event: str | None
    evidence: tuple[Evidence, ...]
    cause: str


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
