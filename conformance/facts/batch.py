"""The entries of a batch, each as the single request that it stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from msgspec import structs

from conformance.facts.routes import route
from conformance.facts.seen import Seen, asked
from conformance.http.exchange import Request, Response

__all__ = ["answers_each_entry", "entries_of", "is_refused", "twice_written"]


def is_refused(batch: Seen) -> bool:
    """Whether a batch is refused as a whole, so that none of its entries was done."""
    return batch.status is not None and 400 <= batch.status < 500


def answers_each_entry(batch: Seen) -> bool | None:
    """Whether a 207 has one status for each entry that was sent; None for other answers and unreadable requests."""
    sent = _listed(batch.body)
    if batch.status != 207 or sent is None:
        return None
    answers = _listed(batch.answer)
    return answers is not None and len(answers) == len(sent) and all(_status(answer) is not None for answer in answers)


def entries_of(batch: Seen) -> Iterator[Seen]:
    """Each entry of a batch that names a method and a path, with the answer that the batch's answer has for it.

    Evidence is the batch itself, so that what a report repeats is what was sent.
    """
    sent = _listed(batch.body) or []
    answers = _listed(batch.answer) if batch.status is not None and 200 <= batch.status < 300 else None
    for number, entry in enumerate(sent):
        method, address = (entry.get("method"), entry.get("relative_url")) if isinstance(entry, dict) else (None, None)
        if isinstance(method, str) and isinstance(address, str):
            answer = answers[number] if answers is not None and len(answers) == len(sent) else None
            yield _entry(batch, number, method, address, entry.get("data"), answer)


def _entry(batch: Seen, number: int, method: str, address: str, data: Any, answer: Any) -> Seen:
    exchange = batch.exchange
    try:
        url = urljoin(exchange.request.url, address)
        at = route(method.upper(), url)
    except ValueError:  # such as http://[
        url = exchange.request.url
        at = replace(batch.route, name="other", calendar_id=None)
    status = _status(answer)
    headers = exchange.response.headers if exchange.response is not None else ()
    shown = answer.get("data") if status is not None else None
    response = None if status is None else Response(status, headers, b"" if shown is None else b"{}")
    request = Request(method.upper(), url, exchange.request.headers)
    return structs.replace(
        batch,
        exchange=structs.replace(
            exchange, request=request, response=response, label=f"{exchange.label}[{number}]", notes=()
        ),
        status=status,
        route=at,
        asked=asked(request.method, url, request.headers, exchange.headers_complete),
        body=data,
        answer=shown,
        accepted=False,
        failures=0,
    )


def twice_written(entries: list[Seen]) -> set[tuple[str | None, str]]:
    """The events, by calendar and id, that several entries are about: which is done last is not documented."""
    homes = Counter(
        (entry.route.calendar_id, entry.body["event_id"])
        for entry in entries
        if isinstance(entry.body, dict) and isinstance(entry.body.get("event_id"), str)
    )
    return {home for home, times in homes.items() if times > 1}


def _listed(body: Any) -> list[Any] | None:
    entries = body.get("batch") if isinstance(body, dict) else None
    return entries if isinstance(entries, list) else None


def _status(answer: Any) -> int | None:
    status = answer.get("status") if isinstance(answer, dict) else None
    return status if type(status) is int and 100 <= status <= 999 else None
