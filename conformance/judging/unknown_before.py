"""Rules that stay open because nobody knows what was there before the first write of an event (law before)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

from conformance.contract.rules import Rule
from conformance.facts import Facts
from conformance.judging.memo import CompiledRule, RuleIndex
from conformance.judging.report import Report

__all__ = ["UnknownBefore"]

#: The account of requests whose tokens were filtered out: nothing in its readings is foreign.
_NAMELESS = (None, "unknown")


#: After so many writes in a row, of one account and with the same request, that tell nothing new, no more of them are
#: looked at: a run has fewer, and a day of traffic has many more.
_DULL = 250


class UnknownBefore:
    """Takes the facts of a recording, and finds the rules that would be decided if first writes created their events.

    `events` counts those of which it is not known what was there before their first write; `decided` are the rules,
    and those that need all events of an account.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        every = tuple(rules)
        self._rules = tuple(rule for rule in every if rule.about == "write" and '"before"' in json.dumps(rule.schema))
        self._of_all = [
            (rule.id, name)
            for rule in every
            for name in ("wrong_calendar", "other_account")
            if rule.about == "reading" and f'"{name}"' in json.dumps(rule.schema)
        ]
        self.decided: frozenset[str] = frozenset()
        self._known: dict[tuple[object, object], tuple[frozenset[str], int]] = {}
        self.events = 0

    def __call__(self, facts: Facts) -> None:
        """Take the closed facts of one document."""
        document = facts.document
        if facts.about == "reading":
            if document["items"] and document.get("account") not in _NAMELESS:
                self.decided |= {rule for rule, listing in self._of_all if listing not in document["listing"]}
            return
        if facts.about != "write" or facts.key[-1] != "1" or document.get("requested") == "delete":
            return
        before = document.get("before", {})
        if "state" in before and before.get("known_by") != "created":
            return
        self.events += 1
        alike = document.get("account"), document.get("requested")
        known, dull = self._known.get(alike, (frozenset(), 0))
        if dull >= _DULL:
            return
        created = _created(document)
        found = known | self._index.answer(created, lambda rules: (_decided(created, rules), True))
        self._known[alike] = found, dull + 1 if found == known else 0
        self.decided |= found

    def add(self, events: int, decided: frozenset[str]) -> None:
        """Take what was found elsewhere, in other facts."""
        self.events += events
        self.decided |= decided

    def rules(self, report: Report) -> tuple[str, ...]:
        """The rules that it would decide, and that are untested or inconclusive in the report."""
        ids = [*(rule.id for rule in self._rules), *(rule for rule, _ in self._of_all)]
        return tuple(
            rule for rule in ids if rule in self.decided and report.tally(rule).outcome in ("untested", "inconclusive")
        )

    @cached_property
    def _index(self) -> RuleIndex[frozenset[str]]:
        from conformance.contract.schemas import validity

        return RuleIndex("write", [CompiledRule(replace(rule, cases=()), validity) for rule in self._rules])


def _decided(document: dict[str, Any], rules: Iterable[CompiledRule]) -> frozenset[str]:
    """The rules that are neither inapplicable to a document nor inconclusive."""
    return frozenset(
        one.rule.id
        for one in rules
        if one.applies(document)
        and (not one.holds(document) or one.is_conclusive is None or one.is_conclusive(document))
    )


def _created(document: dict[str, Any]) -> dict[str, Any]:
    """The facts of a write as they were if it had created its event: then what is shown is new."""
    after = document.get("after", {})
    observed = after.get("observed") or ([after["latest"]] if "latest" in after else [])
    return {
        **document,
        "before": {"state": "nonexistent"},
        "is_create": True,
        "after": {**after, "observed": observed},
    }
