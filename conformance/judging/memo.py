"""Which rules may apply to a document, and answers about documents that come again."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

from conformance.contract.rules import Rule, case_schema
from conformance.contract.schemas import BASE

__all__ = ["CompiledRule", "RuleIndex"]

T = TypeVar("T")


class CompiledRule:
    """A rule with its parts as functions that say whether they admit a document.

    Each is made by `compiled` when it is asked for first: most recordings need a few rules, and start-up would pay.
    """

    def __init__(self, rule: Rule, compiled: Callable[[dict[str, Any]], Callable[[Any], bool]]) -> None:
        self.rule = rule
        self._compiled = compiled

    @cached_property
    def applies(self) -> Callable[[Any], bool]:
        """The part ``if``."""
        return self._compiled(self.rule.part("if"))

    @cached_property
    def holds(self) -> Callable[[Any], bool]:
        """The part ``then``."""
        return self._compiled(self.rule.part("then"))

    @cached_property
    def is_conclusive(self) -> Callable[[Any], bool] | None:
        """The part ``x-conclusive-when``; None where every pass is conclusive."""
        return self._compiled(self.rule.part("x-conclusive-when")) if "x-conclusive-when" in self.rule.schema else None


#: The fact that most rules of a kind name a value of: by it they are found without asking each whether it applies.
INDEX_FACT = {"write": "requested", "exchange": "operation", "call": "operation"}


#: Kinds of facts of which whole documents come again.
REPEATED = frozenset({"exchange", "reading"})


#: After so many documents it pays to find out at which parts of them the rules look.
FEW = 300


#: Answers about so many documents are remembered at a time.
CACHE_SIZE = 4096


#: What the reason of an inconclusive verdict is told by.
REASON = {"properties": {"failures": {}, "after": {"properties": {
    "timed_out": {}, "closed_by": {"enum": ["next-write", "open", "recording-ended", "stable"]},
}}}}  # fmt: skip


class RuleIndex(Generic[T]):
    """The rules about one kind of facts, and what they say of documents that differ in nothing that they look at."""

    def __init__(self, about: str, rules: list[CompiledRule]) -> None:
        self._name = INDEX_FACT.get(about)
        self._rules = tuple(rules)
        self._by_value: dict[Any, tuple[CompiledRule, ...]] = {}
        self._repeated = about in REPEATED
        self._answers: dict[bytes, T] = {}
        self._judged = 0
        self._projection: Callable[[dict[str, Any]], bytes] | None = None

    def answer(self, document: dict[str, Any], judge: Callable[[tuple[CompiledRule, ...]], tuple[T, bool]]) -> T:
        """What is remembered of a document, or else what `judge` says, which is given the rules that may apply.

        It also says whether its answer is that about all documents like this one.
        """
        if not self._repeated:
            return self._found(document, b"", judge)
        try:
            whole = marshal.dumps(document, 2)
        except ValueError:  # nested too deep to be told from others
            return judge(self._candidates(document))[0]
        found = self._answers.get(whole)
        return self._found(document, whole, judge) if found is None else found

    def _found(
        self, document: dict[str, Any], whole: bytes, judge: Callable[[tuple[CompiledRule, ...]], tuple[T, bool]]
    ) -> T:
        """The answer about a document, remembered by what the rules look at in it and by the `whole` of it."""
        try:
            part = self._project(document)
        except ValueError:
            return judge(self._candidates(document))[0]
        found = self._answers.get(part)
        if found is None:
            self._judged += 1
            found, is_of_all = judge(self._candidates(document))
            if not is_of_all:
                return found
            self._remember(part, found)
        self._remember(whole, found)
        return found

    def _project(self, document: dict[str, Any]) -> bytes:
        """What the rules look at in a document; empty while that is not worth finding out."""
        if self._projection is None:
            if self._judged < FEW:
                return b""
            from conformance.judging.projection import Projection  # small recordings need none

            schemas = [(BASE, REASON)]
            for one in self._rules:
                parts = (
                    one.rule.schema[part] for part in ("if", "then", "x-conclusive-when") if part in one.rule.schema
                )
                schemas += [(one.rule.schema["$id"], part) for part in parts]
                schemas += [(BASE, case_schema(case)) for case in one.rule.cases]
            self._projection = Projection(schemas, whole=() if self._name is None else (self._name,))
        return self._projection(document)

    def _remember(self, key: bytes, answer: T) -> None:
        if not key:
            return
        if len(self._answers) >= CACHE_SIZE:
            self._answers.clear()
        self._answers[key] = answer

    def _candidates(self, document: dict[str, Any]) -> tuple[CompiledRule, ...]:
        """The rules that may apply, in order."""
        value = document.get(self._name) if self._name is not None else None
        if not isinstance(value, str):
            return self._rules
        found = self._by_value.get(value)
        if found is None:
            found = tuple(one for one in self._rules if may_apply(one.rule.schema["if"], str(self._name), value))
            if len(self._by_value) < 64:
                self._by_value[value] = found
        return found


def may_apply(schema: Any, name: str, value: str) -> bool:
    """Whether a schema, as far as it can be told at a glance, admits an object with `value` under `name`."""
    if not isinstance(schema, dict):
        return True
    part = schema.get("properties", {}).get(name, {})
    if isinstance(part, dict) and (value != part.get("const", value) or value not in part.get("enum", [value])):
        return False
    return all(may_apply(other, name, value) for other in schema.get("allOf", ()))
