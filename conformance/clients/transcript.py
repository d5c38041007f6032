"""Records of asks as exchanges, so that one file keeps them and one function judges them, live or offline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.clients.facts.call import CallRecord, ask_facts
from conformance.contract.rules import Rule
from conformance.facts import Facts, Observer, Settings
from conformance.http.exchange import Exchange, Request, Response, bearer
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.verdict import Verdict

__all__ = ["DRIVER", "JudgedCall", "Records", "as_exchanges", "is_driven", "judge_records", "records"]

#: The scheme of what goes over the line to a driver, where it is kept as an exchange.
DRIVER = "driver"

_NOTE = "ask"
_ORIGIN = "http://127.0.0.1"
_OPERATIONS = {
    "upsert_event": ("POST", "/v1/calendars/{calendar_id}/events"),
    "delete_event": ("DELETE", "/v1/calendars/{calendar_id}/events"),
    "read_events": ("GET", "/v1/events?tzid=Etc%2FUTC&only_managed=true"),
    "list_calendars": ("GET", "/v1/calendars"),
}


def as_exchanges(record: CallRecord) -> tuple[Exchange, ...]:
    """A record as exchanges: what went over the line to the driver first, then what was sent for it."""
    kept: dict[str, Any] = {"readings": record.readings, "earlier": record.earlier, "lawful": record.lawful}
    if record.account is not None:
        kept["account"] = record.account
    line = Exchange(
        Request("POST", f"{DRIVER}:///{record.ask['do']}", (("Content-Type", "application/json"),), _json(record.ask)),
        Response(200, (("Content-Type", "application/json"),), _json(record.told)),
        label=record.name,
        sent_at=record.sent_at,
        answered_at=record.answered_at,
        headers_complete=True,
        notes=((_NOTE, record.name), ("kept", _json(kept).decode("utf-8"))),
    )
    return (line, *(replace(exchange, notes=((_NOTE, record.name),)) for exchange in record.exchanges))


def is_driven(exchange: Exchange) -> bool:
    """Whether this is what went over the line to a driver."""
    return exchange.request.url.startswith(f"{DRIVER}:")


def records(exchanges: Iterable[Exchange]) -> Iterator[CallRecord]:
    """The records in a driven run's exchanges, in order; ValueError for what `as_exchanges` did not make."""
    record: CallRecord | None = None
    for exchange in exchanges:
        if is_driven(exchange):
            if record is not None:
                yield record
            record = _record(exchange)
        elif record is None or dict(exchange.notes).get(_NOTE) != record.name:
            raise ValueError(f"{exchange.label} belongs to no ask before it: the order of the evidence was changed")
        else:
            record = replace(record, exchanges=(*record.exchanges, exchange))
    if record is not None:
        yield record


def _record(exchange: Exchange) -> CallRecord:
    notes = dict(exchange.notes)
    if exchange.response is None or "kept" not in notes:
        raise ValueError(f"{exchange.label} is no ask of a driver")
    kept = json.loads(notes["kept"])
    return CallRecord(
        notes[_NOTE],
        json.loads(exchange.request.body),
        exchange.response.json(),
        readings=kept["readings"],
        earlier=kept["earlier"],
        lawful=kept["lawful"],
        sent_at=exchange.sent_at,
        answered_at=exchange.answered_at,
        account=kept.get("account"),
    )


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class JudgedCall:
    """One record, its facts and what became of the rules on it."""

    record: CallRecord
    facts: Facts
    verdicts: tuple[Verdict, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """The rules that failed, in order and without repeats."""
        return tuple(dict.fromkeys(verdict.rule for verdict in self.verdicts if verdict.outcome == "failed"))


class Records:
    """Judges records one after another: each by the rules about asks and, where the ask itself keeps it, by those
    about the wire; and at the end all of them together by the rules about an account.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        clients = [rule for rule in rules if rule.applies_to == "client"]
        self._asks = Judge(rule for rule in clients if rule.about == "call")
        self._wire = Judge(rule for rule in clients if rule.about not in ("call", "account"))
        self._together = Judge(rule for rule in clients if rule.about == "account")
        self._all = Observer(Settings())
        self._exempt: dict[bytes, frozenset[str]] = {}

    def judge(self, record: CallRecord) -> JudgedCall:
        """What becomes of the rules on one record."""
        exempt = self._broken_by(record.ask)
        facts = ask_facts(replace(record, lawful=record.lawful and not exempt))
        verdicts = list(self._asks(facts))
        if record.exchanges:
            verdicts += [verdict for verdict in self._observed(record.exchanges) if verdict.rule not in exempt]
        for exchange in record.exchanges:
            self._all.add(exchange)
        self._all.changed()
        return JudgedCall(record, facts, tuple(verdicts))

    def close(self) -> tuple[Verdict, ...]:
        """What becomes of the rules about everything together."""
        self._all.close()
        return tuple(verdict for facts in self._all.changed() for verdict in self._together(facts))

    def _observed(self, exchanges: Sequence[Exchange]) -> list[Verdict]:
        observer = Observer(Settings())
        for exchange in exchanges:
            observer.add(exchange)
        observer.close()
        return [verdict for facts in observer.changed() if facts.closed for verdict in self._wire(facts)]

    def _broken_by(self, ask: Mapping[str, Any]) -> frozenset[str]:
        """The rules about the wire that the ask itself breaks: a client that does as it is told is not to blame."""
        ideal = ideal_exchange(ask)
        key = f"{ideal.request.method} {ideal.request.url} ".encode() + ideal.request.body
        if key not in self._exempt:
            failed = {verdict.rule for verdict in self._observed((ideal,)) if verdict.outcome == "failed"}
            self._exempt[key] = frozenset(failed)
        return self._exempt[key]


def ideal_exchange(ask: Mapping[str, Any]) -> Exchange:
    """The exchange of a client that sends just what it is asked."""
    method, path = _OPERATIONS[ask["do"]]
    body = ask.get("event") or ({"event_id": ask["event_id"]} if ask["do"] == "delete_event" else None)
    headers = (("Authorization", bearer("default")), ("Content-Type", "application/json; charset=utf-8"))
    request = Request(method, _ORIGIN + path.format(**ask), headers, b"" if body is None else _json(body))
    return Exchange(request, Response(202 if body is not None else 200), "ideal", 0.0, 0.0, headers_complete=True)


def judge_records(exchanges: Iterable[Exchange], rules: Sequence[Rule]) -> Report:
    """The report on a driven run's exchanges, as `certify` makes it; raises ValueError for a changed order."""
    judging = Records(rules)
    report = Report.empty(rule for rule in rules if rule.applies_to == "client")
    for record in records(exchanges):
        report = report.with_verdicts(judging.judge(record).verdicts).with_exchanges(len(record.exchanges))
    return report.with_verdicts(judging.close())
