"""Which rules may apply to a document, and verdicts on documents that come again."""

from __future__ import annotations

import marshal
from typing import Any, NamedTuple

from conformance.contract.rules import Rule
from conformance.judging.verdict import Verdict

__all__ = ["CompiledRule", "RuleIndex", "read_properties"]


class CompiledRule(NamedTuple):
    """A rule with its parts as functions that say whether they admit a document."""

    rule: Rule
    applies: Any
    holds: Any
    is_conclusive: Any | None
    coverage: tuple[str, ...]


#: The fact that most rules of a kind name a value of: by it they are found without asking each whether it applies.
INDEX_FACT = {"write": "requested", "exchange": "operation", "call": "operation"}


#: Kinds of facts that repeat: their verdicts are remembered, of so many documents at a time.
CACHEABLE = frozenset({"exchange", "reading", "conferencing"})


CACHE_SIZE = 4096


#: Keywords whose value says nothing of which properties a schema looks at.
ANNOTATIONS = frozenset({"$schema", "$id", "type", "title", "description", "required", "properties"})


class RuleIndex:
    """The rules about one kind of facts, by the value of one fact: those that name another value do not apply."""

    def __init__(self, about: str, rules: list[CompiledRule]) -> None:
        self._name = INDEX_FACT.get(about)
        self._rules = tuple(rules)
        self._by_value: dict[Any, tuple[CompiledRule, ...]] = {}
        self._comes_again = about in CACHEABLE
        self.read_properties = read_properties(rules)
        self._verdicts: dict[bytes, tuple[Verdict, ...]] = {}

    def key(self, document: dict[str, Any]) -> bytes | None:
        """What two documents share of which the rules say the same; None where the same is not expected again."""
        if not self._comes_again:
            return None
        names = self.read_properties
        part = document if names is None else [(name, document[name]) for name in names if name in document]
        try:
            return marshal.dumps(part, 2)
        except ValueError:
            return None

    def known(self, key: bytes | None) -> tuple[Verdict, ...] | None:
        """The verdicts on a document with this key, if they are remembered."""
        return self._verdicts.get(key) if key is not None else None

    def remember(self, key: bytes | None, verdicts: tuple[Verdict, ...]) -> None:
        """Remember verdicts, unless one of them tells of evidence of its own."""
        if key is None or any(verdict.violation is not None for verdict in verdicts):
            return
        if len(self._verdicts) >= CACHE_SIZE:
            self._verdicts.clear()
        self._verdicts[key] = verdicts

    def candidates(self, document: dict[str, Any]) -> tuple[CompiledRule, ...]:
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


def read_properties(rules: list[CompiledRule]) -> tuple[str, ...] | None:
    """The properties that rules look at, in order; None where that cannot be told at a glance."""
    names: set[str] = set()
    for one in rules:
        parts = [one.rule.schema[part] for part in ("if", "then", "x-conclusive-when") if part in one.rule.schema]
        if one.coverage or not all(_gather(part, names) for part in parts):
            return None
    return tuple(sorted(names))


def _gather(schema: Any, names: set[str]) -> bool:
    """Add the properties at which a schema looks; whether these are all."""
    if not isinstance(schema, dict):
        return True
    names |= {*schema.get("required", ()), *schema.get("properties", {})}
    inner = [part for word in ("allOf", "anyOf", "oneOf") for part in schema.get(word, ())]
    inner += [schema[word] for word in ("not", "if", "then", "else") if word in schema]
    known = ANNOTATIONS | {"allOf", "anyOf", "oneOf", "not", "if", "then", "else"}
    return set(schema) <= known and all(_gather(part, names) for part in inner)


def may_apply(schema: Any, name: str, value: str) -> bool:
    """Whether a schema, as far as it can be told at a glance, admits an object with `value` under `name`."""
    if not isinstance(schema, dict):
        return True
    part = schema.get("properties", {}).get(name, {})
    if isinstance(part, dict) and (value != part.get("const", value) or value not in part.get("enum", [value])):
        return False
    return all(may_apply(other, name, value) for other in schema.get("allOf", ()))
