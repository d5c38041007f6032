"""Deviations in subscriptions and notifications."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from conformance.reference.hooks import Override, at, fault
from conformance.reference.model import StoredWrite, Subscription
from conformance.reference.notices import DELIVERIES, SECRETS, SUBSCRIBED, Assignment, Notice
from conformance.reference.overrides import is_explicit, is_integrated, omits, refused, reset

__all__ = ["NOTIFIED"]

_ASSIGNED = "conferencing_assigned"

#: How often a notification comes that comes for ever, twice a second: for two minutes.
_EVER = 240


def _subscribes(write: StoredWrite) -> bool:
    return bool(write.body.get("subscriptions"))


def _dropped(when: Callable[[StoredWrite], bool]) -> Override:
    return at(DELIVERIES, lambda right, leads_to: () if when(leads_to.write) else right)


def _told_at_once(leads_to: Assignment) -> tuple[Notice, ...]:
    return tuple(
        Notice(subscription.uri, _ASSIGNED, leads_to.write.key, leads_to.write.at, leads_to.write.at)
        for subscription in leads_to.subscriptions
        if _ASSIGNED in subscription.interactions
    )


def _told_without_a_conference(right: tuple[Notice, ...], leads_to: Assignment) -> tuple[Notice, ...]:
    generates = leads_to.interaction is not None or is_explicit(leads_to.write) or omits(leads_to.write)
    return right if generates else _told_at_once(leads_to)


def _told_while_failing(right: tuple[Notice, ...], leads_to: Assignment) -> tuple[Notice, ...]:
    return _told_at_once(leads_to) if leads_to.interaction == "conferencing_failing" else right


def _told_to_another(right: tuple[Notice, ...], leads_to: Assignment) -> tuple[Notice, ...]:
    """The URIs of the event that was subscribed to before this one, in place of its own."""
    write = leads_to.write
    others = [
        subscription.uri
        for key, subscriptions in write.store.subscriptions.items()
        for subscription in subscriptions
        if key.account == write.account.name and key != write.key
    ]
    return tuple(replace(notice, uri=others[-1]) for notice in right) if others else right


def _for_ever(right: tuple[Notice, ...], _: Assignment) -> tuple[Notice, ...]:
    return tuple(replace(notice, at=notice.at + number / 2) for number in range(_EVER) for notice in right)


def _without_updates(right: tuple[Subscription, ...], write: StoredWrite) -> tuple[Subscription, ...]:
    return right if write.creates else ()


NOTIFIED = (
    fault(
        "subscriptions-refused",
        "2.6",
        "always",
        "Writes with subscriptions are refused",
        refused(_subscribes, "subscriptions", "not_supported"),
    ),
    fault(
        "subscriptions-lose-explicit",
        "B8",
        "case",
        "Explicit conferencing beside subscriptions is ignored",
        reset(lambda write: is_explicit(write) and _subscribes(write), lambda write: write.before),
    ),
    fault(
        "subscriptions-forgotten-on-update",
        "2.6",
        "sequence",
        "Subscriptions to an event that exists are ignored",
        at(SUBSCRIBED, _without_updates),
    ),
    fault(
        "integrated-not-notified",
        "2.6",
        "case",
        "Nothing is notified of integrated conferencing",
        _dropped(is_integrated),
    ),
    fault(
        "assigned-notified-while-failing",
        "2.6",
        "case",
        "Conferencing is notified as assigned while its service fails",
        at(DELIVERIES, _told_while_failing),
    ),
    fault(
        "assigned-notified-without-a-conference",
        "2.6",
        "case",
        "Conferencing is notified as assigned after writes that request none",
        at(DELIVERIES, _told_without_a_conference),
    ),
    fault(
        "assigned-notified-for-another-event",
        "2.6",
        "always",
        "Notifications go to the subscriber of another event",
        at(DELIVERIES, _told_to_another),
    ),
    fault(
        "notifications-wrongly-signed",
        "2.6",
        "always",
        "Notifications are signed with another secret",
        at(SECRETS, lambda right, notice: ("another-secret",)),
    ),
    fault("nothing-notified", "2.6", "always", "Nothing is ever notified", _dropped(lambda _: True), endless=True),
    fault(
        "notified-for-ever",
        "2.6",
        "always",
        "Each notification comes twice a second, for ever",
        at(DELIVERIES, _for_ever),
        endless=True,
    ),
)
