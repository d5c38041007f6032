"""Smaller cases: every one that a case may be cut down to by one cut, the boldest cuts first."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from conformance.clients.cases.driver_call import Case, CaseStep, StubBehavior

__all__ = ["shrink", "shrink_candidates", "with_new_ids"]

_KEPT = ("event_id", "summary", "start", "end")
_PLAIN = {"start": "T10:00:00Z", "end": "T11:00:00Z"}


async def shrink(case: Case, fails: Callable[[Case], Awaitable[bool]], budget: int) -> Case:
    """The smallest case found that still fails, after at most `budget` tries; `fails` plays a case."""
    tries = 0
    found = True
    while found:
        found = False
        for candidate in shrink_candidates(case):
            if tries >= budget:
                return case
            tries += 1
            if await fails(candidate):
                case, found = candidate, True
                break
    return case


def shrink_candidates(case: Case) -> Iterator[Case]:
    """All cases that are one cut smaller."""
    if case.seeds:
        yield replace(case, seeds=())
    steps = case.steps
    if len(steps) > 1:
        for number in reversed(range(len(steps))):
            yield replace(case, steps=steps[number:] if number else steps[:-1])
        for number in range(len(steps)):
            yield replace(case, steps=steps[:number] + steps[number + 1 :])
    for number in range(len(case.seeds)):
        yield replace(case, seeds=case.seeds[:number] + case.seeds[number + 1 :])
    for number, step in enumerate(steps):
        for cut in _smaller_steps(step):
            yield replace(case, steps=(*steps[:number], cut, *steps[number + 1 :]))


def _smaller_steps(step: CaseStep) -> Iterator[CaseStep]:
    if step.behavior != StubBehavior():
        yield replace(step, behavior=StubBehavior())
    if step.behavior.extra:
        yield replace(step, behavior=replace(step.behavior, extra=False))
    for number in range(len(step.behavior.overrides)):
        overrides = step.behavior.overrides
        yield replace(step, behavior=replace(step.behavior, overrides=overrides[:number] + overrides[number + 1 :]))
    params = step.call.params
    for name in ("event_ids", "calendar_ids"):
        if len(params.get(name, ())) > 1:
            for one in params[name]:
                yield _with(step, {**params, name: [one]})
    if "event" in params:
        for event in _smaller_events(params["event"]):
            yield _with(step, {**params, "event": event})


def _with(step: CaseStep, params: Mapping[str, Any]) -> CaseStep:
    return replace(step, call=replace(step.call, params=params))


def _smaller_events(event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    optional = [key for key in event if key not in _KEPT]
    for kept in [(), *((key,) for key in optional)]:
        if set(kept) != set(optional):
            yield {key: value for key, value in event.items() if key in _KEPT or key in kept}
    for key in optional:
        yield {name: value for name, value in event.items() if name != key}
    if event["summary"] != "S":
        yield {**event, "summary": "S"}
    if not isinstance(event["start"], str) or not event["start"].endswith(_PLAIN["start"]):
        day = json.dumps(event["start"]).strip('{"time: ')[:10]
        yield {**event, **{key: day + time for key, time in _PLAIN.items()}}
    for key in event:
        if key == "conferencing":  # without one of its fields a client may refuse it
            for name, inner in event[key].items():
                for cut in _smaller_values(inner) if name != "profile_id" else ():
                    yield {**event, key: {**event[key], name: cut}}
        elif key not in ("event_id", "start", "end"):
            for value in _smaller_values(event[key]):
                yield {**event, key: value}


def _smaller_values(value: Any) -> Iterator[Any]:
    if isinstance(value, str) and len(value) > 1:
        yield from _smaller_texts(value)
    elif isinstance(value, Mapping):
        for key in value:
            yield {name: inner for name, inner in value.items() if name != key}
        for key, inner in value.items():
            for cut in _smaller_values(inner):
                yield {**value, key: cut}
    elif isinstance(value, list):
        if len(value) > 1:
            for one in value:
                yield [one]
        for number, inner in enumerate(value):
            for cut in _smaller_values(inner):
                yield [*value[:number], cut, *value[number + 1 :]]


def _smaller_texts(text: str) -> Iterator[str]:
    if "://" in text:
        scheme, _, rest = text.partition("://")
        host, slash, path = rest.partition("/")
        candidates = [f"{scheme}://{host}/A", f"{scheme}://{host}/a"]
        if slash:
            candidates += [f"{scheme}://{host}/{path[: len(path) // 2]}", f"{scheme}://{host}/{path[len(path) // 2 :]}"]
        yield from (cut for cut in candidates if len(cut) < len(text))
        return
    half = len(text) // 2
    yield from (cut for cut in ("S", text[:half], text[half:]) if cut.strip() and cut != text)


def with_new_ids(case: Case, mark: str) -> Case:
    """The same case about events of other names: a client may remember those that it has met."""

    def name(event_id: str) -> str:
        return f"{event_id}{mark}"

    def step(one: CaseStep) -> CaseStep:
        params = dict(one.call.params)
        if "event" in params:
            params["event"] = {**params["event"], "event_id": name(params["event"]["event_id"])}
        if "event_id" in params:
            params["event_id"] = name(params["event_id"])
        if "event_ids" in params:
            params["event_ids"] = [name(event_id) for event_id in params["event_ids"]]
        behavior = replace(
            one.behavior,
            overrides=tuple(replace(shown, event_id=name(shown.event_id)) for shown in one.behavior.overrides),
            last=tuple(map(name, one.behavior.last)),
        )
        return replace(one, call=replace(one.call, params=params), behavior=behavior)

    seeds = tuple((calendar, {**event, "event_id": name(event["event_id"])}) for calendar, event in case.seeds)
    return replace(case, steps=tuple(map(step, case.steps)), seeds=seeds)
