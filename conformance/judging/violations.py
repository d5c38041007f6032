"""Why a rule failed: the place in the facts, what stands there, and a fingerprint of the defect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from conformance.judging.verdict import Violation

if TYPE_CHECKING:
    from jsonschema import ValidationError

    from conformance.contract.rules import Rule
    from conformance.facts import Facts

__all__ = ["explain"]

#: How many characters of a value are quoted.
_EXCERPT = 400


def explain(rule: Rule, facts: Facts) -> Violation:
    """The violation of a rule by facts that break it, by the reference validator, which is slower and says more."""
    from jsonschema import Draft202012Validator

    from conformance.contract.schemas import registry

    document = facts.document
    errors = Draft202012Validator(rule.part("then"), registry=registry()).iter_errors(document)
    path, missing = _place(errors)
    requested = document.get("requested") or document.get("operation") or ""
    generic = "/".join(["*" if isinstance(part, int) else str(part) for part in path] + ([missing] if missing else []))
    event = document.get("event_id")
    return Violation(
        f"expected: {rule.title}; got: {_got(document, path, missing)}",
        "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path),
        event if isinstance(event, str) else None,
        facts.evidence,
        f"{rule.id} {requested} {generic}".strip(),
    )


def _place(errors: Iterator[ValidationError]) -> tuple[list[str | int], str | None]:
    """Where the document is wrong, and which member is missing there, if that is what is wrong."""
    from jsonschema.exceptions import best_match, relevance

    worst = max(errors, key=relevance, default=None)
    if worst is None:
        return [], None
    lacking = next((error for error in _leaves(worst) if error.validator == "required"), None)
    if lacking is not None:
        required: Any = lacking.validator_value
        instance: Any = lacking.instance
        return list(lacking.absolute_path), str(next(name for name in required if name not in instance))
    found = best_match(iter([worst]))
    return list(found.absolute_path) if found is not None else [], None


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The errors that an error consists of; of alternatives the first is what is usual."""
    if not error.context:
        yield error
    for inner in error.context or ():
        yield from _leaves(inner)


def _got(document: dict[str, Any], path: list[str | int], missing: str | None) -> str:
    here: Any = document
    parents: list[Any] = []
    for part in path:
        parents.append(here)
        here = here[part]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".") or "facts"
    if missing is not None:
        return f"no {missing} in {where} = {_excerpt(here)}"
    got = f"{where} = {_excerpt(here)}"
    for parent in reversed(parents):
        if isinstance(parent, dict) and "state" in parent and parent is not here:
            return f"{got} in {_excerpt({name: parent[name] for name in ('state', 'conferencing') if name in parent})}"
    return got


def _excerpt(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
