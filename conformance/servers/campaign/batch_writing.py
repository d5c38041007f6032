"""Writes of several scenarios as the entries of one batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from conformance.http.exchange import Exchange
from conformance.servers.scenarios.scenario import WriteRequest
from conformance.servers.subject.transport import Transport

__all__ = ["BATCH", "is_refused", "send_batch", "statuses"]

#: The most entries of a batch (2.1.m).
BATCH = 50


async def send_batch(transport: Transport, account: str, writes: Sequence[WriteRequest], *, reserve: int) -> Exchange:
    """The answer to a batch of at most BATCH writes; `reserve` as in `Transport.send`."""
    entries = [{"method": write.method, "relative_url": write.path, "data": write.body} for write in writes]
    return await transport.send(
        "POST", "/v1/batch", account=account, document={"batch": entries}, reserve=reserve, attempts=1
    )


def is_refused(batch: Exchange) -> bool:
    """Whether a batch is refused as a whole, as it is by a subject that has no such endpoint."""
    return batch.response is not None and 400 <= batch.response.status < 500


def statuses(batch: Exchange, count: int) -> Iterable[int | None]:
    """The status of each of `count` entries, which is that of a batch that is refused; None where there is none."""
    whole = batch.response.status if batch.response is not None and is_refused(batch) else None
    return [*_statuses(batch), *[whole] * count][:count]


def _statuses(batch: Exchange) -> Iterator[int | None]:
    try:
        body = batch.response.json() if batch.response is not None and batch.response.status < 300 else None
    except ValueError:
        return
    answers = body.get("batch") if isinstance(body, dict) else None
    for answer in answers if isinstance(answers, list) else ():
        status = answer.get("status") if isinstance(answer, dict) else None
        yield status if isinstance(status, int) else None
