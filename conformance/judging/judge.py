"""judge(facts, rules) → verdicts: the only place where anything is decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.contract.rules import Rule, case_schema
from conformance.facts import Facts
from conformance.judging.memo import CompiledRule, RuleIndex
from conformance.judging.verdict import Verdict, Violation

__all__ = ["Judge"]


class _CoverageCache(dict[str, bool]):
    """Whether a document meets a case, found out once for all rules that ask."""

    def __init__(self, document: dict[str, Any], cases: dict[str, Any]) -> None:
        self._document, self._cases = document, cases

    def __missing__(self, case: str) -> bool:
        answer = self[case] = bool(self._cases[case](self._document))
        return answer


class Judge:
    """Rules made ready; calling it with facts gives a verdict for each rule that applies."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        import jsonschema_rs

        from conformance.contract.schemas import rs_registry

        def compiled(schema: dict[str, Any]) -> Any:
            return jsonschema_rs.validator_for(schema, registry=rs_registry()).is_valid

        cases: dict[str, Any] = {}
        by_about: dict[str, list[CompiledRule]] = {}
        for rule in rules:
            for case in rule.cases:
                if case not in cases:
                    cases[case] = compiled(case_schema(case))
            by_about.setdefault(rule.about, []).append(
                CompiledRule(
                    rule,
                    compiled(rule.part("if")),
                    compiled(rule.part("then")),
                    compiled(rule.part("x-conclusive-when")) if "x-conclusive-when" in rule.schema else None,
                    rule.cases,
                )
            )

        self._cases = cases
        self._tables = {about: RuleIndex(about, rules) for about, rules in by_about.items()}

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

    def _judged(self, facts: Facts, rules: tuple[CompiledRule, ...]) -> tuple[Verdict, ...]:
        document = facts.document
        verdicts = []
        met = _CoverageCache(document, self._cases)
        for rule, applies, holds, decided, all_cases in rules:
            if not applies(document):
                continue
            cases = tuple([case for case in all_cases if met[case]])
            if not holds(document):
                verdicts.append(Verdict(rule.id, "failed", None, cases, _violation(rule, facts)))
            elif decided is not None and not decided(document):
                verdicts.append(Verdict(rule.id, "inconclusive", _reason(document), cases))
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
    ended = after.get("closed_by")
    reasons = {
        "next-write": "superseded",
        "open": "watching",
        "recording-ended": "recording-ended",
        "stable": "recording-ended",
    }
    return reasons.get(ended, "unknown")


def _violation(rule: Rule, facts: Facts) -> Violation:
    """Explain a failure with the reference validator, which is slower and says more."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    from conformance.contract.schemas import registry

    document = facts.document
    error = best_match(Draft202012Validator(rule.part("then"), registry=registry()).iter_errors(document))
    path = list(error.absolute_path) if error is not None else []
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    seen = _seen(document, path)
    event = document.get("event_id")
    asks = document.get("requested") or document.get("operation") or ""
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
