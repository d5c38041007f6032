"""Cases of what a client need not have: batches, and the check of a notification's signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

from conformance.clients.cases.case_steps import PARAMS, Fixture, event
from conformance.clients.cases.driver_call import Case, CaseStep, DriverCall
from conformance.clients.cases.standard_values import EXPLICIT
from conformance.clients.facts.optional_calls import CLIENT_SECRET

__all__ = ["optional_cases"]

#: Another client secret than that of the cases.
_OTHER = "conformance-other-secret"

#: A body with characters of several bytes, and spaces that a parser would drop.
_BODY = '{"notification": {"type": "verification"},  "channel": "Größe 計画"}'.encode()


def optional_cases(fixture: Fixture) -> tuple[Case, ...]:
    """All such cases; a client answers that it has no means for what it lacks."""
    return (*_batches(fixture), Case("signatures of notifications", tuple(_signatures())))


def _batches(fixture: Fixture) -> Iterator[Case]:
    here = fixture.calendar_id
    path = f"/v1/calendars/{here}/events"
    writes = [event(fixture, "batch-a", EXPLICIT), event(fixture, "batch-b", {"profile_id": "none"})]
    entries = [{"method": "POST", "relative_url": path, "data": body} for body in writes]
    deletion = {"method": "DELETE", "relative_url": path, "data": {"event_id": "batch-b"}}
    elsewhere = {"method": "POST", "relative_url": "/v1/calendars/cal_nobody_has/events", "data": writes[0]}
    read = DriverCall("read_events", {"calendar_ids": [here], "event_ids": ["batch-a"], "params": PARAMS})
    yield Case("a batch of writes", (_batch(entries), CaseStep(read)))
    yield Case("a batch with an entry that is refused", (_batch([entries[0], elsewhere]),))
    yield Case("a batch with a deletion", (_batch([entries[0], deletion]),))


def _batch(entries: list[dict[str, Any]]) -> CaseStep:
    return CaseStep(DriverCall("batch", {"entries": entries}))


def _signatures() -> Iterator[CaseStep]:
    right, other = _signed(CLIENT_SECRET), _signed(_OTHER)
    yield _signature(_BODY, right)
    yield _signature(_BODY, other)
    yield _signature(_BODY, f"{other},{right}")
    yield _signature(_BODY, "")
    yield _signature(_BODY.replace(b"verification", b"verificatioN"), right)


def _signed(secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), _BODY, hashlib.sha256)).decode()


def _signature(body: bytes, header: str) -> CaseStep:
    encoded = base64.b64encode(body).decode()
    params = {"body_base64": encoded, "header": header, "client_secret": CLIENT_SECRET}
    return CaseStep(DriverCall("verify_notification", params))
