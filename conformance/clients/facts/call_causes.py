"""Which defect of a client a failure shows: distinct ones are told apart, and one is not counted under many names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from msgspec import structs

from conformance.facts.values import Facts
from conformance.judging.verdict import Verdict

__all__ = ["distinct"]

#: The fields of an event that have a name in the documentation; the others are made up anew for each case.
_FIELDS = frozenset(
    {"event_id", "calendar_id", "summary", "description", "start", "end", "tzid", "conferencing", "location", "url"}
    | {"color", "event_private", "transparency", "reminders", "attendees", "subscriptions"}
)
_NUMBER = re.compile(r"/\d+(?=/|$)")
_NAMED = re.compile(r"^/(events|calendars|errors)/[^/]*")
_ERROR_KEY = re.compile(r"^(/errors/\*)/.*")
_EXCEPTION = re.compile(r"[A-Za-z_][A-Za-z_.]*")
#: Most causes that one call is looked through for.
_MOST = 20


def distinct(verdict: Verdict, facts: Facts, judge: Callable[[Facts], tuple[Verdict, ...]]) -> tuple[Verdict, ...]:
    """A failed verdict on a call as one verdict for each defect that it shows, each with a cause of its own.

    `judge` judges by the rule of the verdict alone.
    """
    if verdict.violation is None:
        return (verdict,)
    found: dict[str, Verdict] = {}
    for place, number, text, alone in _one_by_one(facts.document):
        failed = next((one for one in judge(structs.replace(facts, document=alone)) if one.violation is not None), None)
        if failed is not None and failed.violation is not None:
            cause = f"{verdict.rule} {place[-1]} {_generic(text)}"
            path = "/" + "/".join((*place, str(number)))
            found.setdefault(cause, failed._replace(violation=replace(failed.violation, cause=cause, path=path)))
    if found:
        return tuple(found.values())
    return (verdict._replace(violation=replace(verdict.violation, cause=f"{verdict.rule} {_symptom(facts.document)}")),)


def _one_by_one(document: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], int, str, dict[str, Any]]]:
    """Each difference with its place, and the facts as they would be were it the only one."""
    lists = list(_lists(document))
    bare = document
    for place, _ in lists:
        bare = _with(bare, place, [])
    differences = [(place, number, text) for place, texts in lists for number, text in enumerate(texts)]
    for place, number, text in differences[:_MOST]:
        yield place, number, text, _with(bare, place, [text])


def _lists(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    for name, pointers in document.get("compared", {}).items():
        if pointers:
            yield ("compared", name), pointers
    for state, given in document.get("returned", {}).items():
        if given.get("altered"):
            yield ("returned", state, "altered"), given["altered"]


def _with(document: dict[str, Any], place: tuple[str, ...], value: list[str]) -> dict[str, Any]:
    name, *rest = place
    return {**document, name: _with(document[name], tuple(rest), value) if rest else value}


def _generic(pointer: str) -> str:
    """A pointer without what is made up for a case: ids, indices, and the names of unknown fields."""
    named = _NAMED.sub(r"/\1/*", pointer)
    if named != pointer:
        return _ERROR_KEY.sub(r"\1/*", named)
    field = pointer.split("/")[1] if "/" in pointer else ""
    return _NUMBER.sub("/*", pointer) if field in _FIELDS else "/*"


def _symptom(document: Mapping[str, Any]) -> str:
    """What was called for, how it was answered, and what kind of error was raised."""
    status = document.get("last_status")
    family = "" if status is None else str(status) if status in (404, 422, 429) else f"{status // 100}xx"
    error = document.get("reported", {}).get("error")
    raised = _EXCEPTION.match(error.get("message", "")) if isinstance(error, Mapping) else None
    kind = raised[0] if raised and family == "2xx" else ""
    return " ".join(part for part in (document.get("operation", ""), family, kind) if part)
