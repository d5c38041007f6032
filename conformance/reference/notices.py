"""Subscriptions to conferencing interactions, and the notifications that follow from writes.

The body of these notifications is documented nowhere, so theirs is a number and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.reference.hooks import Hook
from conformance.reference.model import Key, Store, StoredWrite, Subscription, Version

__all__ = [
    "DELIVERIES",
    "INTERACTIONS",
    "SECRETS",
    "SIGNATURE_HEADER",
    "SUBSCRIBED",
    "Assignment",
    "Notice",
    "Notifications",
    "client_secret",
]

INTERACTIONS = ("conferencing_assigned", "conferencing_failing")
SIGNATURE_HEADER = "Cronofy-HMAC-SHA256"

#: Notices that wait for their time at most; beyond this the oldest go.
_KEPT = 4096


@dataclass(frozen=True)
class Notice:
    """One notification: to which URI, of which interaction and event, since when that is so, and when it is due."""

    uri: str
    interaction: str
    key: Key
    since: float
    at: float
    serial: int = 0

    @property
    def body(self) -> bytes:
        """What is sent, and signed."""
        return json.dumps({"notification": self.serial}).encode()


@dataclass(frozen=True)
class Assignment:
    """What a write leads to: the interaction, if any, from when on, and who has subscribed to the event."""

    write: StoredWrite
    interaction: str | None
    at: float
    subscriptions: tuple[Subscription, ...]


#: Who is subscribed to an event after a write.
SUBSCRIBED: Hook[StoredWrite, tuple[Subscription, ...]] = Hook("subscribed")
#: The notices that follow from a write.
DELIVERIES: Hook[Assignment, tuple[Notice, ...]] = Hook("deliveries")
#: The secrets that a notice is signed with, one signature each.
SECRETS: Hook[Notice, tuple[str, ...]] = Hook("secrets")


def client_secret(account: str) -> str:
    """The client secret of an account: a public test value."""
    return f"reference-client-secret-{account}"


class Notifications:
    """The notices that are due at a time, in their order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[Notice] = []
        self._serial = 0

    def follow(self, write: StoredWrite, versions: tuple[Version, ...]) -> None:
        """Note what a write leads to; what an earlier one led to is void unless this one leaves conferencing alone."""
        subscriptions = self._store.subscriptions
        subscriptions[write.key] = self._store.hooks(SUBSCRIBED, _subscribed(write), write)
        if write.kind != "omitted":
            self._waiting = [each for each in self._waiting if each.key != write.key or each.since <= write.at]
        interaction, since = _interaction(write, versions)
        leads_to = Assignment(write, interaction, since, subscriptions[write.key])
        for notice in self._store.hooks(DELIVERIES, notices(leads_to), leads_to):
            self._serial += 1
            self._waiting.append(replace(notice, serial=self._serial))
        del self._waiting[:-_KEPT]

    def forget(self, key: Key, now: float) -> None:
        """An event is deleted: nothing more comes of it than what has come already."""
        self._waiting = [each for each in self._waiting if each.key != key or each.since <= now]

    def take(self, now: float) -> tuple[Notice, ...]:
        """The notices that are due, each once."""
        due = sorted((notice for notice in self._waiting if notice.at <= now), key=lambda notice: notice.at)
        self._waiting = [notice for notice in self._waiting if notice.at > now]
        return tuple(due)

    @property
    def next_at(self) -> float | None:
        """When the next notice is due; None where there is none."""
        return min((notice.at for notice in self._waiting), default=None)

    def headers(self, notice: Notice) -> Mapping[str, str]:
        """The headers of a notice, with a signature for each active secret."""
        secrets = self._store.hooks(SECRETS, (client_secret(notice.key.account),), notice)
        signatures = (hmac.digest(secret.encode(), notice.body, hashlib.sha256) for secret in secrets)
        signed = ",".join(base64.b64encode(signature).decode() for signature in signatures)
        return {"Content-Type": "application/json; charset=utf-8", SIGNATURE_HEADER: signed}


def notices(leads_to: Assignment) -> tuple[Notice, ...]:
    """A notice for each URI that is subscribed to what a write leads to."""
    if leads_to.interaction is None:
        return ()
    return tuple(
        Notice(subscription.uri, leads_to.interaction, leads_to.write.key, leads_to.at, leads_to.at)
        for subscription in leads_to.subscriptions
        if leads_to.interaction in subscription.interactions
    )


def _subscribed(write: StoredWrite) -> tuple[Subscription, ...]:
    given: Any = write.body.get("subscriptions")
    if given is None:
        return write.store.subscriptions.get(write.key, ()) if not write.creates else ()
    return tuple(
        Subscription(each["uri"], tuple(one["type"] for one in each.get("interactions") or ())) for each in given
    )


def _interaction(write: StoredWrite, versions: tuple[Version, ...]) -> tuple[str | None, float]:
    """What a write leads to: a conference is generated, or its service keeps failing."""
    if write.kind not in ("default", "integrated", "profile") or write.service is None or not write.generates:
        return None, write.at
    if not write.service.connected:
        return "conferencing_failing", write.at + write.settle
    timeline = versions[-1].conferencing if versions else ()
    shows = timeline[-1].shows if timeline else None
    if not isinstance(shows, Mapping) or "join_url" not in shows:
        return None, write.at
    return "conferencing_assigned", timeline[-1].since
