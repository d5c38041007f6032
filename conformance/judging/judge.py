"""The judge: rules made ready, and a verdict for each that applies to a facts document.  Nothing else decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from msgspec import structs

from conformance.contract.rules import Rule, case_schema
from conformance.contract.schemas import text_only
from conformance.facts import Facts
from conformance.judging.memo import INDEX_FACT, CompiledRule, RuleIndex
from conformance.judging.verdict import Verdict
from conformance.judging.violations import explain

__all__ = ["Judge"]


class _CoverageCache(dict[str, bool]):
    """Whether a document meets a case, found out once for all rules that ask."""

    def __init__(self, document: dict[str, Any], validator: Callable[[str], Callable[[Any], bool]]) -> None:
        self._document, self._validator = document, validator

    def __missing__(self, case: str) -> bool:
        answer = self[case] = self._validator(case)(self._document)
        return answer


class Judge:
    """Rules made ready; calling it with facts gives a verdict for each rule that applies."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        import jsonschema_rs

        from conformance.contract.schemas import rs_registry

        def compiled(schema: dict[str, Any]) -> Any:
            return jsonschema_rs.validator_for(schema, registry=rs_registry()).is_valid

        by_about: dict[str, list[CompiledRule]] = {}
        for rule in rules:
            by_about.setdefault(rule.about, []).append(CompiledRule(rule, compiled))
        self._case = cache(lambda case: compiled(case_schema(case)))
        self._tables: dict[str, RuleIndex[tuple[Verdict, ...]]] = {
            about: RuleIndex(about, rules) for about, rules in by_about.items()
        }

    def __call__(self, facts: Facts) -> tuple[Verdict, ...]:
        """The verdicts on one facts document, in the order of the rules; those that do not apply give none."""
        table = self._tables.get(facts.about)
        if table is None:
            return ()
        try:
            return table.answer(facts.document, lambda rules: self._judged(facts, rules))
        except UnicodeEncodeError:  # `validity` for each part of each rule would cost more
            facts = structs.replace(facts, document=text_only(facts.document))
            return table.answer(facts.document, lambda rules: self._judged(facts, rules))

    def _judged(self, facts: Facts, rules: tuple[CompiledRule, ...]) -> tuple[tuple[Verdict, ...], bool]:
        """The verdicts of rules, and whether they are those on all such documents: one that fails has its evidence."""
        document, is_of_all = facts.document, True
        requested = document.get(INDEX_FACT.get(facts.about, ""), "")
        kind = requested if isinstance(requested, str) else ""
        verdicts = []
        met = _CoverageCache(document, self._case)
        for one in rules:
            if not one.applies(document):
                continue
            rule = one.rule
            cases = tuple([case for case in rule.cases if met[case]])
            if not one.holds(document):
                is_of_all = False
                verdicts.append(Verdict(rule.id, "failed", None, cases, explain(rule, facts), kind))
            elif one.is_conclusive is not None and not one.is_conclusive(document):
                verdicts.append(Verdict(rule.id, "inconclusive", _reason(document), cases, None, kind))
            else:
                verdicts.append(Verdict(rule.id, "passed", None, cases, None, kind))
        return tuple(verdicts), is_of_all


def _reason(document: dict[str, Any]) -> str:
    after = document.get("after", {})
    if after.get("timed_out"):
        return "timed-out"
    if "failures" in document:
        return "unknown"  # what became of it was not said, or only that it failed
    reasons = {
        "next-write": "superseded",
        "open": "watching",
        "recording-ended": "recording-ended",
        "stable": "recording-ended",
    }
    return reasons.get(after.get("closed_by"), "unknown")
