"""A call, its answer, and where faults and variations alter what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.reference.account_lists import AccountLists
from conformance.reference.accounts import ReferenceAccount, ReferenceCalendar, ReferenceInventory
from conformance.reference.hooks import Hook
from conformance.reference.model import Removal, StoredWrite, Version
from conformance.reference.validation import Errors

__all__ = [
    "ACCEPTED",
    "ADMIT",
    "AUTHENTICATE",
    "BATCH",
    "BATCH_ENTRY",
    "CALENDAR",
    "DELETED",
    "EXECUTED_FOR",
    "LEFT_BY_REFUSAL",
    "MAY_WRITE",
    "PAGE_READER",
    "REFUSAL",
    "RETAINED_FIELDS",
    "UNAUTHORIZED",
    "USERINFO_ANSWER",
    "Answer",
    "Batch",
    "CalendarLookup",
    "Call",
    "OwnedCalendar",
    "RefusedWrite",
]


@dataclass(frozen=True)
class Call:
    """One request: `origin` is the server as the client addressed it, `number` counts from 1."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    origin: str
    number: int = 1

    @property
    def token(self) -> str | None:
        scheme, _, token = self.headers.get("authorization", "").strip().partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


@dataclass(frozen=True)
class Answer:
    """One response: `body` is JSON, None for an empty one."""

    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True)
class RefusedWrite:
    """A write that is refused, with its errors."""

    write: StoredWrite
    errors: Errors


@dataclass(frozen=True)
class Batch:
    """The entries of a batch as they were sent."""

    entries: tuple[Mapping[str, Any], ...]


#: The inventory, the account that a calendar is looked up for, and the calendar_id.
CalendarLookup = tuple[ReferenceInventory, ReferenceAccount, str]
OwnedCalendar = tuple[ReferenceAccount, ReferenceCalendar]

#: The answer before anything is looked at; None to go on.
ADMIT: Hook[Call, Answer | None] = Hook("admit")
#: The account of a call; None if it has no known token.
AUTHENTICATE: Hook[tuple[ReferenceInventory, Call], ReferenceAccount | None] = Hook("authenticate")
#: The answer to a call without a known token.
UNAUTHORIZED: Hook[Call, Answer] = Hook("unauthorized")
#: The account for which a call without a known token is executed all the same; None for nobody.
EXECUTED_FOR: Hook[tuple[ReferenceInventory, Call], ReferenceAccount | None] = Hook("executed-for")
#: A calendar and its owner; None if the account has no such calendar.
CALENDAR: Hook[CalendarLookup, OwnedCalendar | None] = Hook("calendar")
#: The refusal of writes to a calendar; None if they are allowed.
MAY_WRITE: Hook[ReferenceCalendar, Answer | None] = Hook("may-write")
#: The answer to a write with errors.
REFUSAL: Hook[RefusedWrite, Answer] = Hook("refusal")
#: The version that a refused write stores all the same; None for none.
LEFT_BY_REFUSAL: Hook[RefusedWrite, Version | None] = Hook("left-by-refusal")
#: The answer to a write that is accepted.
ACCEPTED: Hook[StoredWrite, Answer] = Hook("accepted")
#: The fields that an update retains if it omits them.
RETAINED_FIELDS: Hook[StoredWrite, Mapping[str, Any]] = Hook("retained-fields")
#: The answer to a deletion.
DELETED: Hook[Removal, Answer] = Hook("deleted")
#: The answer to a request for userinfo.
USERINFO_ANSWER: Hook[AccountLists, Answer] = Hook("userinfo-answer")
#: An entry of a batch as it is done, after those before it.
BATCH_ENTRY: Hook[Batch, Mapping[str, Any]] = Hook("batch-entry")
#: The answer to a batch.
BATCH: Hook[Batch, Answer] = Hook("batch")
#: Whether another account, or nobody, may read a page of an account's reading.
PAGE_READER: Hook[tuple[str, ReferenceAccount | None], bool] = Hook("page-reader")
