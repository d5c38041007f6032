"""Legal choices in subscriptions and notifications."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from conformance.reference.hooks import at, variation
from conformance.reference.model import StoredWrite
from conformance.reference.notices import DELIVERIES, SECRETS, Assignment, Notice
from conformance.reference.overrides import refused

__all__ = ["NOTIFIED"]

_SLOW = 5.0


def _later(right: tuple[Notice, ...], _: Assignment) -> tuple[Notice, ...]:
    return tuple(replace(notice, at=notice.at + _SLOW) for notice in right)


def _out_of_order(right: tuple[Notice, ...], leads_to: Assignment) -> tuple[Notice, ...]:
    """The later a write among its neighbours, the sooner it is notified."""
    return tuple(replace(notice, at=notice.at + 3 - leads_to.write.serial % 4) for notice in right)


def _to_loopback(write: StoredWrite) -> bool:
    given = write.body.get("subscriptions")
    uris = [each.get("uri") for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return any(isinstance(uri, str) and urlsplit(uri).hostname in ("127.0.0.1", "::1", "localhost") for uri in uris)


NOTIFIED = (
    variation("notified-slowly", "2.6", "Notifications come seconds after the conference", at(DELIVERIES, _later)),
    variation("notified-twice", "2.6", "Each notification comes twice", at(DELIVERIES, lambda right, _: right + right)),
    variation("notified-out-of-order", "2.6", "Notifications come in any order", at(DELIVERIES, _out_of_order)),
    variation(
        "signed-with-both-secrets",
        "2.6",
        "Notifications are signed with an older secret too",
        at(SECRETS, lambda right, _: ("an-older-secret", *right)),
    ),
    variation(
        "loopback-subscriptions-refused",
        "2.6",
        "Subscriptions at addresses of this machine are refused: they are not accessible from outside",
        refused(_to_loopback, "subscriptions.uri", "not_accessible"),
    ),
)
