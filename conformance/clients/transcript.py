"""The transcript of a driven run: calls as exchanges, so that one file keeps them and one function judges them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs

from conformance.clients.cases.driver_call import DriverCall
from conformance.clients.facts.call import CallRecord, call_facts
from conformance.clients.facts.call_causes import distinct
from conformance.contract.rules import Rule
from conformance.facts import Facts, Settings, observe
from conformance.http.exchange import Exchange, Request, Response, bearer
from conformance.judging.judge import Judge
from conformance.judging.report import Report
from conformance.judging.stream import LiveJudge
from conformance.judging.verdict import Verdict

__all__ = ["DRIVER", "CallJudge", "JudgedCall", "as_exchanges", "call_records", "is_driver_call", "judge_calls"]

#: The scheme of a call of a driver that is kept as an exchange.
DRIVER = "driver"

_NOTE = "call"
_CONTEXT = "context"
_ORIGIN = "http://127.0.0.1"
_OPERATIONS = {
    "upsert_event": ("POST", "/v1/calendars/{calendar_id}/events"),
    "delete_event": ("DELETE", "/v1/calendars/{calendar_id}/events"),
    "read_events": ("GET", "/v1/events?tzid=Etc%2FUTC&only_managed=true"),
    "list_calendars": ("GET", "/v1/calendars"),
    "batch": ("POST", "/v1/batch"),
}


def as_exchanges(record: CallRecord) -> tuple[Exchange, ...]:
    """A record as exchanges: the call of the driver first, then the requests that it led to."""
    context: dict[str, Any] = {
        "readings": record.readings,
        "earlier": record.earlier,
        "valid": record.valid,
        "documented": record.documented,
    }
    if record.account is not None:
        context["account"] = record.account
    headers = (("Content-Type", "application/json"),)
    call = Exchange(
        Request("POST", f"{DRIVER}:///{record.call.method}", headers, _json(record.call.as_json())),
        Response(200, headers, _json(record.answer)),
        label=record.name,
        sent_at=record.sent_at,
        answered_at=record.answered_at,
        headers_complete=True,
        notes=((_NOTE, record.name), (_CONTEXT, _json(context).decode("utf-8"))),
    )
    return (call, *(structs.replace(exchange, notes=((_NOTE, record.name),)) for exchange in record.exchanges))


def is_driver_call(exchange: Exchange) -> bool:
    """Whether this exchange is a call of a driver."""
    return exchange.request.url.startswith(f"{DRIVER}:")


def call_records(exchanges: Iterable[Exchange]) -> Iterator[CallRecord]:
    """The records in a driven run's exchanges, in order; ValueError for what `as_exchanges` did not make."""
    record: CallRecord | None = None
    for exchange in exchanges:
        if is_driver_call(exchange):
            if record is not None:
                yield record
            record = _record(exchange)
        elif record is None or dict(exchange.notes).get(_NOTE) != record.name:
            raise ValueError(f"{exchange.label} belongs to no call before it: the order of the evidence was changed")
        else:
            record = replace(record, exchanges=(*record.exchanges, exchange))
    if record is not None:
        yield record


def _record(exchange: Exchange) -> CallRecord:
    notes = dict(exchange.notes)
    if exchange.response is None or _CONTEXT not in notes:
        raise ValueError(f"{exchange.label} is not a call of a driver")
    context = json.loads(notes[_CONTEXT])
    return CallRecord(
        notes[_NOTE],
        DriverCall.from_json(json.loads(exchange.request.body)),
        exchange.response.json(),
        readings=context["readings"],
        earlier=context["earlier"],
        valid=context["valid"],
        documented=context["documented"],
        sent_at=exchange.sent_at,
        answered_at=exchange.answered_at,
        account=context.get("account"),
    )


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can express and UTF-8 cannot
        return json.dumps(value, separators=(",", ":")).encode()


@dataclass(frozen=True)
class JudgedCall:
    """One record, its facts and the verdicts on it."""

    record: CallRecord
    facts: Facts
    verdicts: tuple[Verdict, ...]

    @property
    def causes(self) -> dict[str, str]:
        """The causes of the failures, in order, and the rule that each fails."""
        return {verdict.violation.cause: verdict.rule for verdict in self.verdicts if verdict.violation is not None}


class CallJudge:
    """Judges the records of one run, one after another, and counts the verdicts in `live`.

    Each record is judged by the rules about calls and, except where the call itself breaks them, by those about
    exchanges; at the end all exchanges together are judged by the rules about an account.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rule for rule in rules if rule.applies_to == "client")
        self.live = LiveJudge(Settings(), Judge(rule for rule in self.rules if rule.about == "account"), keep=False)
        self._calls = Judge(rule for rule in self.rules if rule.about == "call")
        self._exchanges = Judge(rule for rule in self.rules if rule.about not in ("call", "account"))
        self._alone: dict[str, Judge] = {}
        self._exempt: dict[bytes, frozenset[str]] = {}

    def judge(self, record: CallRecord) -> JudgedCall:
        """Judge one record, and count its verdicts; one that cannot be judged is named in the report."""
        try:
            judged = self._judged(record)
        except Exception as error:  # noqa: BLE001 - whatever a client answers, its other calls are judged
            self.live.pass_over(record.name, error)
            judged = JudgedCall(record, Facts("call", (record.name,), {}, (), closed=True), ())
        self.live.count(judged.verdicts)
        for exchange in record.exchanges:
            self.live.add(exchange)
        return judged

    def close(self) -> Report:
        """Nothing more comes: the report on all records."""
        self.live.close()
        return self.report

    @property
    def report(self) -> Report:
        """The report so far."""
        return Report.empty(self.rules) + self.live.report

    def _judged(self, record: CallRecord) -> JudgedCall:
        exempt = self._broken_by(record.call)
        facts = call_facts(replace(record, valid=record.valid and not exempt))
        verdicts = tuple(one for verdict in self._calls(facts) for one in self._distinct(verdict, facts))
        if record.exchanges:
            verdicts += tuple(verdict for verdict in self._observed(record.exchanges) if verdict.rule not in exempt)
        return JudgedCall(record, facts, verdicts)

    def _distinct(self, verdict: Verdict, facts: Facts) -> tuple[Verdict, ...]:
        if verdict.outcome != "failed":
            return (verdict,)
        if verdict.rule not in self._alone:
            self._alone[verdict.rule] = Judge(rule for rule in self.rules if rule.id == verdict.rule)
        return distinct(verdict, facts, self._alone[verdict.rule])

    def _observed(self, exchanges: Sequence[Exchange]) -> list[Verdict]:
        return [verdict for facts in observe(exchanges, Settings()) for verdict in self._exchanges(facts)]

    def _broken_by(self, call: DriverCall) -> frozenset[str]:
        """The rules that the call itself breaks: a client that sends what it was called for is not to blame."""
        if call.method not in _OPERATIONS:
            return frozenset()  # nothing is sent for it
        ideal = ideal_exchange(call)
        key = f"{ideal.request.method} {ideal.request.url} ".encode() + ideal.request.body
        if key not in self._exempt:
            failed = {verdict.rule for verdict in self._observed((ideal,)) if verdict.outcome == "failed"}
            self._exempt[key] = frozenset(failed)
        return self._exempt[key]


def ideal_exchange(call: DriverCall) -> Exchange:
    """The exchange of a client that sends exactly what it is called for."""
    method, path = _OPERATIONS[call.method]
    body = call.params.get("event")
    if call.method == "batch":
        body = {"batch": call.params["entries"]}
    if call.method == "delete_event":
        body = {"event_id": call.params["event_id"]}
    headers = (("Authorization", bearer("default")), ("Content-Type", "application/json; charset=utf-8"))
    request = Request(method, _ORIGIN + path.format(**call.params), headers, b"" if body is None else _json(body))
    return Exchange(request, Response(202 if body is not None else 200), "ideal", 0.0, 0.0, headers_complete=True)


def judge_calls(exchanges: Iterable[Exchange], rules: Iterable[Rule]) -> Report:
    """The report on a driven run's exchanges, as `certify` makes it; raises ValueError for a changed order."""
    judge = CallJudge(rules)
    for record in call_records(exchanges):
        judge.judge(record)
    return judge.close()
