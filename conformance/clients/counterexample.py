"""A counterexample: the smallest case that shows a failure, as called, sent and expected."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from conformance.clients.cases.driver_call import DriverCall
from conformance.clients.transcript import JudgedCall, ideal_exchange
from conformance.contract.rules import Rule
from conformance.http.display import visible
from conformance.http.exchange import Exchange

__all__ = ["CallCounterexample"]

_LONGEST = 1200


@dataclass(frozen=True)
class CallCounterexample:
    """One failed rule and the calls of the smallest case that fails it, the failing one last."""

    rule: Rule
    calls: tuple[JudgedCall, ...]

    def text(self) -> str:
        """A few lines: earlier calls, the call, its requests and responses, what was reported and what was expected."""
        judged = self.calls[-1]
        fields = _fields(judged.facts.document.get("compared") or {})
        rows = [("earlier", _call(earlier.record.call)) for earlier in self.calls[:-1]]
        rows.append(("call", _call(judged.record.call)))
        for exchange in judged.record.exchanges:
            rows += [("request", _request(exchange)), ("response", _response(exchange, fields))]
        if not judged.record.exchanges:
            rows.append(("request", "none"))
        rows += [("reported", _report(judged.facts.document["reported"], fields)), ("expected", self._expected(judged))]
        return "\n".join(
            [f"{self.rule.id} ({self.rule.level}): {self.rule.title}", *(f"  {name:<9} {text}" for name, text in rows)]
        )

    def _expected(self, judged: JudgedCall) -> str:
        compared = judged.facts.document.get("compared")
        if compared is None:  # what a client need not have: its rule alone says what is right
            return self.rule.title
        found = {name: pointers for name, pointers in compared.items() if pointers}
        parts = [f"{name.replace('_', ' ')} {', '.join(pointers)}" for name, pointers in found.items()]
        if any(name.startswith("request") for name in found) or not judged.record.exchanges:
            parts.insert(0, _request(ideal_exchange(judged.record.call)))
        return "; ".join(parts) if parts else self.rule.title


def _call(call: DriverCall) -> str:
    return f"{call.method} {_json(call.params)}"


def _request(exchange: Exchange) -> str:
    request = exchange.request
    address = request.url.split("://", 1)[-1]
    return f"{request.method} {address[address.find('/') :]} {_text(request.body)}".rstrip()


def _response(exchange: Exchange, fields: frozenset[str]) -> str:
    if exchange.response is None:
        return "none"
    shown = _text(exchange.response.body)
    with suppress(ValueError, RecursionError):
        shown = _json(_only(json.loads(exchange.response.body), fields))
    return f"{exchange.response.status} {shown}".rstrip()


def _report(report: Mapping[str, Any], fields: frozenset[str]) -> str:
    kind = next(iter(report))
    return f"{kind} {_json(_only(report[kind], fields))}"


def _fields(compared: Mapping[str, Any]) -> frozenset[str]:
    """The fields of events that differ, where pointers such as ``/events/ID/FIELD`` say so."""
    pointers = (pointer.split("/") for pointers in compared.values() for pointer in pointers)
    return frozenset(parts[3] for parts in pointers if parts[:2] == ["", "events"] and len(parts) > 3)


def _only(value: Any, fields: frozenset[str]) -> Any:
    """A value whose events have what names them and what differs, and how many fields more."""
    events = value.get("events") if isinstance(value, dict) else None
    if not fields or not isinstance(events, list):
        return value
    kept = {"calendar_id", "event_id", *fields}
    return {"events": [_shortened(event, kept) if isinstance(event, dict) else event for event in events]}


def _shortened(event: Mapping[str, Any], kept: Collection[str]) -> dict[str, Any]:
    others = len(event.keys() - kept)
    shown = {name: value for name, value in event.items() if name in kept}
    return {**shown, "…": f"{others} more"} if others else shown


def _json(value: Any) -> str:
    return _truncated(json.dumps(value, ensure_ascii=False))


def _text(body: bytes) -> str:
    return _truncated(body.decode("utf-8", "backslashreplace"))


def _truncated(text: str) -> str:
    return visible(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")
