"""Known failures: which causes do not count, and which entries are stale because what they know of is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from conformance.judging.report import KEPT_CAUSES

if TYPE_CHECKING:
    from conformance.contract.rules import Rule
    from conformance.judging.report import Report, Tally

__all__ = ["UNEXPLAINED", "Baseline", "KnownFailure"]

#: The reason of an entry that nobody has explained yet.
UNEXPLAINED = "not explained yet"


@dataclass(frozen=True, slots=True, order=True)
class KnownFailure:
    """A failure that is known: a rule by its id, the `cause` of its violations, and why it is put up with.

    After the day `until`, it counts again.  `cases` are the coverage classes in which it was seen, and `requested` the
    kinds of requests: where one of them was not exercised, nothing says that it is gone.  `examples` and `seed` are
    those of the run that saw it.
    """

    rule: str
    cause: str
    reason: str = UNEXPLAINED
    until: date | None = None
    cases: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()
    examples: int = 0
    seed: int | None = None

    def document(self) -> dict[str, Any]:
        """The entry as a mapping, without what has no value; dates are text."""
        contents = {
            "rule": self.rule,
            "cause": self.cause,
            "reason": self.reason,
            "until": self.until.isoformat() if self.until else None,
            "cases": list(self.cases),
            "requested": list(self.requested),
            "examples": self.examples,
            "seed": self.seed,
        }
        return {name: value for name, value in contents.items() if value or (name == "seed" and value is not None)}


@dataclass(frozen=True)
class Baseline:
    """The known failures of one file, which messages call `name`, as of `today`."""

    name: str
    today: date
    entries: tuple[KnownFailure, ...] = ()
    _by_cause: Mapping[tuple[str, str], KnownFailure] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_cause", {(entry.rule, entry.cause): entry for entry in self.entries})

    def document(self) -> dict[str, Any]:
        """All of it as JSON."""
        entries = [entry.document() for entry in self.entries]
        return {"name": self.name, "today": self.today.isoformat(), "entries": entries}

    @classmethod
    def from_document(cls, contents: Mapping[str, Any]) -> Baseline:
        """The baseline from what `document` gave; raises ValueError, KeyError or TypeError for anything else."""
        return cls(contents["name"], date.fromisoformat(contents["today"]), tuple(map(_entry_of, contents["entries"])))

    def entry(self, rule: str, cause: str) -> KnownFailure | None:
        """The entry of a cause, expired or not."""
        return self._by_cause.get((rule, cause))

    def knows(self, rule: str, cause: str) -> bool:
        """Whether a cause does not count: an entry has it that has not expired."""
        entry = self.entry(rule, cause)
        return entry is not None and not self.expired(entry)

    def expired(self, entry: KnownFailure) -> bool:
        """Whether the last day of an entry is over."""
        return entry.until is not None and entry.until < self.today

    def stale(self, report: Report, rules: Iterable[Rule], run: Mapping[str, Any]) -> tuple[KnownFailure, ...]:
        """The entries whose cause did not show, although everything in which it was seen passed.

        `run` are the facts about a run in its report.
        """
        judged = {rule.id for rule in rules}
        return tuple(
            entry
            for entry in self.entries
            if entry.rule in judged
            and _lacks(report.tally(entry.rule), entry.cause)
            and _as_far(entry, run)
            and _exercised(entry, report.tally(entry.rule))
        )

    def rewritten(self, report: Report, rules: Iterable[Rule], run: Mapping[str, Any]) -> Baseline:
        """The baseline that knows every cause by which `rules` failed.

        Entries keep their reasons and dates; those that are stale are gone, and those that were not exercised stay.
        """
        chosen = tuple(rules)
        stale = {(entry.rule, entry.cause) for entry in self.stale(report, chosen, run)}
        entries = {key: entry for key, entry in self._by_cause.items() if key not in stale}
        for rule in chosen:
            for cause, seen in report.tally(rule.id).causes.items():
                before = entries.get((rule.id, cause))
                entries[rule.id, cause] = KnownFailure(
                    rule.id,
                    cause,
                    UNEXPLAINED if before is None else before.reason,
                    None if before is None else before.until,
                    tuple(sorted(seen.cases)),
                    tuple(sorted(seen.requested)),
                    run.get("max_examples") or 0,
                    run.get("seed") if run.get("max_examples") else None,
                )
        return Baseline(self.name, self.today, tuple(sorted(entries.values(), key=lambda one: (one.rule, one.cause))))


def _entry_of(contents: Mapping[str, Any]) -> KnownFailure:
    until = contents.get("until")
    lists = {name: tuple(contents[name]) for name in ("cases", "requested") if name in contents}
    fields: dict[str, Any] = {**contents, **lists, "until": None if until is None else date.fromisoformat(until)}
    return KnownFailure(**fields)


def _lacks(tally: Tally, cause: str) -> bool:
    """Whether a rule surely did not fail for a cause: of too many causes not all are kept."""
    return cause not in tally.causes and len(tally.causes) < KEPT_CAUSES


def _as_far(entry: KnownFailure, run: Mapping[str, Any]) -> bool:
    """Whether a run generated at least what the run generated that saw the failure."""
    if not entry.examples:
        return True
    return (run.get("max_examples") or 0) >= entry.examples and run.get("seed") == entry.seed


def _exercised(entry: KnownFailure, tally: Tally) -> bool:
    """Whether all in which the failure was seen passed."""
    return (
        tally.passed > 0
        and all(tally.cases.get(case) for case in entry.cases)
        and all(tally.requested.get(kind) for kind in entry.requested)
    )
