"""A counterexample: the smallest case that shows a failure, as asked, sent and expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.clients.transcript import JudgedCall, ideal_exchange
from conformance.contract.rules import Rule
from conformance.http.display import visible
from conformance.http.exchange import Exchange

__all__ = ["CallCounterexample"]

_WIDEST = 1200


@dataclass(frozen=True)
class CallCounterexample:
    """One failed rule and the records of the smallest case that fails it, the failing one last."""

    rule: Rule
    records: tuple[JudgedCall, ...]

    def text(self) -> str:
        """A few lines: what was asked before, asked, sent, answered, told, and what was expected."""
        judged = self.records[-1]
        rows = [("before", _asked(earlier.record.ask)) for earlier in self.records[:-1]]
        rows.append(("asked", _asked(judged.record.ask)))
        if judged.record.exchanges:
            for exchange in judged.record.exchanges:
                rows += [("sent", _sent(exchange)), ("answered", _answered(exchange))]
        else:
            rows.append(("sent", "nothing"))
        rows.append(("told", _told(judged.facts.document["reported"])))
        rows.append(("expected", self._expected(judged)))
        lines = [f"{self.rule.id} ({self.rule.level}): {self.rule.title}"]
        return "\n".join([*lines, *(f"  {name:<9} {what}" for name, what in rows)])

    def _expected(self, judged: JudgedCall) -> str:
        found = {name: places for name, places in judged.facts.document["compared"].items() if places}
        parts = [f"{name.replace('_', ' ')} {', '.join(places)}" for name, places in found.items()]
        if any(name.startswith("request") for name in found) or not judged.record.exchanges:
            parts.insert(0, _sent(ideal_exchange(judged.record.ask)))
        return "; ".join(parts) if parts else self.rule.title


def _asked(ask: Mapping[str, Any]) -> str:
    return f"{ask['do']} {_short({key: value for key, value in ask.items() if key != 'do'})}"


def _sent(exchange: Exchange) -> str:
    request = exchange.request
    at = request.url.split("://", 1)[-1]
    path = at[at.find("/") :]
    return f"{request.method} {path} {_text(request.body)}".rstrip()


def _answered(exchange: Exchange) -> str:
    if exchange.response is None:
        return "nothing"
    return f"{exchange.response.status} {_text(exchange.response.body)}".rstrip()


def _told(told: Mapping[str, Any]) -> str:
    kind = next(iter(told))
    return f"{kind} {_short(told[kind])}"


def _short(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _text(body: bytes) -> str:
    return _cut(body.decode("utf-8", "backslashreplace"))


def _cut(text: str) -> str:
    return visible(text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…")
