"""What failures of a client's calls have in common: a field that is never sent, conferencing that never comes back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from conformance.facts.seen import body_of

if TYPE_CHECKING:
    from conformance.judging.verdict import Violation

__all__ = ["dropped", "pointers", "withholds_conferencing"]


def pointers(violation: Violation) -> list[str]:
    """The JSON pointers to what differs between a call and its requests, or its responses and what was given back."""
    try:
        found = json.loads(violation.actual)
    except ValueError:
        found = violation.actual
    return [one for one in (found if isinstance(found, list) else [found]) if isinstance(one, str) and one[:1] == "/"]


def withholds_conferencing(violation: Violation) -> bool:
    """Whether nothing but the conferencing of events that were read is given back otherwise."""
    found = pointers(violation)
    return violation.path.startswith("/returned/") and bool(found) and all("/conferencing/" in one for one in found)


def dropped(violations: Iterable[Violation]) -> Iterator[tuple[str, list[str]]]:
    """Causes of fields that were not sent, each with the causes of empty texts that were not sent there either."""
    known = list(violations)
    lacking = {
        violation.cause.rpartition(" ")[2]: violation.cause
        for violation in known
        if violation.path.startswith("/compared/request_missing")
    }
    for pointer, cause in lacking.items():
        emptied: dict[str, bool] = {}
        for violation in known:
            if violation.path.startswith("/compared/request_emptied") and violation.cause.endswith(f" {pointer}"):
                emptied[violation.cause] = emptied.get(violation.cause, True) and _is_absent(violation)
        if any(emptied.values()):
            yield cause, [one for one, is_absent in emptied.items() if is_absent]


def _is_absent(violation: Violation) -> bool:
    """Whether no request has the fields that a violation is about: neither null nor an empty text."""
    bodies = [body_of(one.request) for one in violation.evidence if one.request.body]
    return bool(bodies) and not any(_has(body, pointer) for body in bodies for pointer in pointers(violation))


def _has(body: Any, pointer: str) -> bool:
    for name in pointer.split("/")[1:]:
        if not isinstance(body, Mapping) or name not in body:
            return False
        body = body[name]
    return True
