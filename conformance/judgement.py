"""judge(facts, rules) → verdicts: the only place where anything is decided."""

from __future__ import annotations

import marshal
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from conformance.facts import Evidence, Facts
from conformance.rules import Rule, case_schema

__all__ = ["Judge", "Verdict", "Violation"]


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

    `outcome` is ``passed``, ``failed`` or ``undecided``; `reason` says why undecided: ``superseded``,
    ``recording-ended``, ``timed-out``, ``watching`` or ``unknown``.  `cases` are those that the facts meet.
    """

    rule: str
    outcome: str
    reason: str | None
    cases: tuple[str, ...]
    violation: Violation | None = None


class _Compiled(NamedTuple):
    rule: Rule
    applies: Any
    holds: Any
    decided: Any | None
    cases: tuple[str, ...]


class _Met(dict[str, bool]):
    """Whether a document meets a case, found out once for all rules that ask."""

    def __init__(self, document: dict[str, Any], cases: dict[str, Any]) -> None:
        self._document, self._cases = document, cases

    def __missing__(self, case: str) -> bool:
        answer = self[case] = bool(self._cases[case](self._document))
        return answer


#: The fact by whose value most rules are told apart without asking each whether it applies.
_TOLD_BY = {"write": "asks", "exchange": "operation", "ask": "do"}


#: Facts of which the same come again and again: what they were found to be is remembered, of so many at a time.
_COMES_AGAIN = frozenset({"exchange", "reading", "conferencing"})
_REMEMBERED = 4096

#: Keywords whose value says nothing of which properties a schema looks at.
_SILENT = frozenset({"$schema", "$id", "type", "title", "description", "required", "properties"})


class _Table:
    """The rules about one kind of facts, by the value of one fact: those that name another value do not apply."""

    def __init__(self, about: str, rules: list[_Compiled]) -> None:
        self._name = _TOLD_BY.get(about)
        self._rules = tuple(rules)
        self._by_value: dict[Any, tuple[_Compiled, ...]] = {}
        self._comes_again = about in _COMES_AGAIN
        self._looked_at = _looked_at(rules)
        self._verdicts: dict[bytes, tuple[Verdict, ...]] = {}

    def key(self, document: dict[str, Any]) -> bytes | None:
        """What two documents share of which the rules say the same; None where the same is not expected again."""
        if not self._comes_again:
            return None
        names = self._looked_at
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
        if len(self._verdicts) >= _REMEMBERED:
            self._verdicts.clear()
        self._verdicts[key] = verdicts

    def candidates(self, document: dict[str, Any]) -> tuple[_Compiled, ...]:
        """The rules that may apply, in order."""
        value = document.get(self._name) if self._name is not None else None
        if not isinstance(value, str):
            return self._rules
        found = self._by_value.get(value)
        if found is None:
            found = tuple(one for one in self._rules if _admits(one.rule.schema["if"], str(self._name), value))
            if len(self._by_value) < 64:
                self._by_value[value] = found
        return found


def _looked_at(rules: list[_Compiled]) -> tuple[str, ...] | None:
    """The properties that rules look at, in order; None where that cannot be told at a glance."""
    names: set[str] = set()
    for one in rules:
        parts = [one.rule.schema[part] for part in ("if", "then", "x-decided") if part in one.rule.schema]
        if one.cases or not all(_gather(part, names) for part in parts):
            return None
    return tuple(sorted(names))


def _gather(schema: Any, names: set[str]) -> bool:
    """Add the properties at which a schema looks; whether these are all."""
    if not isinstance(schema, dict):
        return True
    names |= {*schema.get("required", ()), *schema.get("properties", {})}
    inner = [part for word in ("allOf", "anyOf", "oneOf") for part in schema.get(word, ())]
    inner += [schema[word] for word in ("not", "if", "then", "else") if word in schema]
    known = _SILENT | {"allOf", "anyOf", "oneOf", "not", "if", "then", "else"}
    return set(schema) <= known and all(_gather(part, names) for part in inner)


def _admits(schema: Any, name: str, value: str) -> bool:
    """Whether a schema, as far as it can be told at a glance, admits an object with `value` under `name`."""
    if not isinstance(schema, dict):
        return True
    part = schema.get("properties", {}).get(name, {})
    if isinstance(part, dict) and (value != part.get("const", value) or value not in part.get("enum", [value])):
        return False
    return all(_admits(other, name, value) for other in schema.get("allOf", ()))


class Judge:
    """Rules made ready; calling it with facts gives a verdict for each rule that applies."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        import jsonschema_rs

        from conformance.schemas import rs_registry

        def compiled(schema: dict[str, Any]) -> Any:
            return jsonschema_rs.validator_for(schema, registry=rs_registry()).is_valid

        cases: dict[str, Any] = {}
        by_about: dict[str, list[_Compiled]] = {}
        for rule in rules:
            for case in rule.cases:
                if case not in cases:
                    cases[case] = compiled(case_schema(case))
            by_about.setdefault(rule.about, []).append(
                _Compiled(
                    rule,
                    compiled(rule.part("if")),
                    compiled(rule.part("then")),
                    compiled(rule.part("x-decided")) if "x-decided" in rule.schema else None,
                    rule.cases,
                )
            )

        self._cases = cases
        self._tables = {about: _Table(about, rules) for about, rules in by_about.items()}

    def __call__(self, facts: Facts) -> tuple[Verdict, ...]:
        """The verdicts on one facts document, in the order of the rules; those that do not apply give none."""
        try:
            return self._verdicts(facts)
        except UnicodeEncodeError:  # half a surrogate pair is no text that a validator of another language takes
            return self._verdicts(facts._replace(document=_text_only(facts.document)))

    def _verdicts(self, facts: Facts) -> tuple[Verdict, ...]:
        table = self._tables.get(facts.about)
        if table is None:
            return ()
        key = table.key(facts.document)
        verdicts = table.known(key)
        if verdicts is None:
            verdicts = self._judged(facts, table.candidates(facts.document))
            table.remember(key, verdicts)
        return verdicts

    def _judged(self, facts: Facts, rules: tuple[_Compiled, ...]) -> tuple[Verdict, ...]:
        document = facts.document
        verdicts = []
        met = _Met(document, self._cases)
        for rule, applies, holds, decided, all_cases in rules:
            if not applies(document):
                continue
            cases = tuple([case for case in all_cases if met[case]])
            if not holds(document):
                verdicts.append(Verdict(rule.id, "failed", None, cases, _violation(rule, facts)))
            elif decided is not None and not decided(document):
                verdicts.append(Verdict(rule.id, "undecided", _reason(document), cases))
            else:
                verdicts.append(Verdict(rule.id, "passed", None, cases))
        return tuple(verdicts)


def _text_only(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_text_only(name): _text_only(part) for name, part in value.items()}
    return [_text_only(part) for part in value] if isinstance(value, list) else value


def _reason(document: dict[str, Any]) -> str:
    after = document.get("after", {})
    if after.get("timed_out"):
        return "timed-out"
    if "failures" in document:
        return "unknown"  # what became of it was not said, or only that it failed
    ended = after.get("ended")
    reasons = {
        "next-write": "superseded",
        "open": "watching",
        "recording-ended": "recording-ended",
        "quiet": "recording-ended",
    }
    return reasons.get(ended, "unknown")


def _violation(rule: Rule, facts: Facts) -> Violation:
    """Explain a failure with the reference validator, which is slower and says more."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    from conformance.schemas import registry

    document = facts.document
    error = best_match(Draft202012Validator(rule.part("then"), registry=registry()).iter_errors(document))
    path = list(error.absolute_path) if error is not None else []
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    seen = _seen(document, path)
    event = document.get("event_id")
    asks = document.get("asks") or document.get("operation") or document.get("do") or ""
    generic = "/".join("*" if isinstance(part, int) else str(part) for part in path)
    return Violation(
        f"expected: {rule.title}; seen: {seen}",
        pointer,
        event if isinstance(event, str) else None,
        facts.evidence,
        f"{rule.id} {asks} {generic}".strip(),
    )


def _seen(document: dict[str, Any], path: list[str | int]) -> str:
    import json

    here: Any = document
    parents: list[Any] = []
    for part in path:
        parents.append(here)
        here = here[part]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    seen = f"{where or 'facts'} = {_short(json.dumps(here, ensure_ascii=False))}"
    for parent in reversed(parents):
        if isinstance(parent, dict) and "state" in parent and parent is not here:
            shown = {name: parent[name] for name in ("state", "conferencing") if name in parent}
            return f"{seen} in {_short(json.dumps(shown, ensure_ascii=False))}"
    return seen


def _short(text: str) -> str:
    return text if len(text) <= 400 else text[:397] + "..."
