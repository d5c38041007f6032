"""Subscriptions of writes, the notifications that came to them, and what both are told in facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from conformance.facts.episode import Episode
from conformance.facts.event import Event, Key
from conformance.facts.observed import ObservedWrite
from conformance.facts.seen import Seen
from conformance.facts.values import Evidence, Facts, Settings
from conformance.facts.window import Window
from conformance.http.webhooks import address, is_public, signature

__all__ = ["Notified", "Subscriptions", "reach_of"]

#: Notifications at one address whose evidence is kept.
_KEPT = 4

#: What a conference is generated for, and what for none is.
_GENERATED = ("default", "integrated", "profile")
_NOT_GENERATED = ("none", "8x8", "omitted")


@dataclass(slots=True)
class Notified:
    """One address that a write subscribed: for which interactions, and what came there while the episode was open.

    Of one that is `shared` with another write it is not known which of them a notification is about.
    """

    key: Key
    episode: int
    uri: str
    interactions: tuple[str, ...]
    arrived: int = 0
    first_at: float = 0.0
    signed: int = 0
    unsigned: int = 0
    shared: bool = False
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(slots=True)
class Subscriptions:
    """The addresses of open episodes; `reached` says whether anything has come to one at all."""

    reached: bool = False
    _by_address: dict[str, Notified] = field(default_factory=dict)
    _by_key: dict[Key, list[Notified]] = field(default_factory=dict)

    def subscribe(self, event: Event, write: ObservedWrite) -> None:
        """Remember the addresses that a write subscribes."""
        for uri, interactions in _subscribed(write.event):
            at = address(uri)
            known = self._by_address.get(at or "")
            if known is not None and (known.key, known.episode) == (event.key, event.state.episode.number):
                known.interactions = tuple(dict.fromkeys((*known.interactions, *interactions)))
            elif known is not None:
                known.shared = True
            elif at is not None:
                one = Notified(event.key, event.state.episode.number, uri, interactions)
                self._by_address[at] = one
                self._by_key.setdefault(event.key, []).append(one)

    def arrive(self, seen: Seen) -> Key | None:
        """A notification came; the event that it is about, None where no open episode subscribed its address."""
        self.reached = True
        one = self._by_address.get(address(seen.exchange.request.url) or "")
        if one is None:
            return None
        one.arrived += 1
        one.first_at = one.first_at or seen.sent
        is_right = signature(seen.exchange.request.headers)
        one.signed += is_right is True
        one.unsigned += is_right is False
        if len(one.evidence) < _KEPT:
            one.evidence.append(seen.evidence)
        return one.key

    def documents(self, event: Event, written: Facts, window: Window, settings: Settings) -> Iterator[Facts]:
        """The facts of each address that the event's open episode subscribed; `written` are those of its write.

        Readings must go on after a notification, to show what is then, until the quiet time and a window are over.
        """
        for one in self._by_key.get(event.key, ()):
            if not one.shared and event.state.episode.number == one.episode:
                document = _document(one, event.state.episode, written.document, window, settings, reached=self.reached)
                key = ("notification", *event.key, str(one.episode), one.uri)
                yield Facts("notification", key, document, (written.evidence[0], *one.evidence), written.closed)

    def waiting(self) -> Iterator[Notified]:
        """The addresses where a notification of an assignment may still come."""
        for one in self._by_address.values():
            if not one.arrived and "conferencing_assigned" in one.interactions:
                yield one

    def forget(self, key: Key) -> None:
        """The event's episode is over: what comes to its addresses from now on is about nothing that is known."""
        for one in self._by_key.pop(key, ()):
            self._by_address.pop(address(one.uri) or "", None)


def reach_of(event: dict[str, Any]) -> str | None:
    """Whether all subscriptions of a write, in the documented form, go to a receiver that is public or local.

    None where there are none, or others.
    """
    given, found = event.get("subscriptions"), [uri for uri, _ in _subscribed(event)]
    if not isinstance(given, list) or not found or len(found) != len(given):
        return None
    if any(address(uri) is None for uri in found):
        return None
    return "public" if all(map(is_public, found)) else "local"


def _subscribed(event: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The webhooks of a write, with the names of their interactions."""
    given = event.get("subscriptions")
    for each in given if isinstance(given, list) else ():
        uri = each.get("uri") if isinstance(each, dict) else None
        if isinstance(uri, str) and each.get("type") == "webhook" and isinstance(each.get("interactions"), list):
            names = [one.get("type") for one in each["interactions"] if isinstance(one, dict)]
            yield uri, tuple(name for name in names if isinstance(name, str))


def _document(
    one: Notified, episode: Episode, written: dict[str, Any], window: Window, settings: Settings, *, reached: bool
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "about": "notification",
        "interactions": list(one.interactions),
        "arrived": one.arrived,
        "reachable": reached,
    }
    same = ("account", "event_id", "requested", "outcome", "is_create")
    document |= {name: written[name] for name in same if name in written}
    generates = _generates(written)
    if generates is not None:
        document["generates"] = generates
    after = written["after"]
    document["window_elapsed"] = after["window_elapsed"]
    if "stable" in after and generates:
        document["generated"] = _is_new(after["stable"])
    if one.signed or one.unsigned:
        document["unsigned"] = one.unsigned
    streak = episode.streak
    if one.arrived and streak is not None and streak.last_sent >= one.first_at:
        lasts = streak.count > 1 and window.is_over(streak.last_sent - one.first_at, settings.quiet)
        if lasts or streak.observation.state == "assigned":
            document["shown"] = streak.observation.state
    if episode.seconds_watched() >= settings.settle_timeout:
        document["timed_out"] = True
    return document


def _generates(written: dict[str, Any]) -> bool | None:
    """Whether a write generates a conference for an event that has none; None where that is not sure.

    Of an entry of a batch it is not: that it does what a single write does is a conclusion.
    """
    before, source = written.get("before", {}).get("state"), written.get("resolution", {}).get("source")
    if written["about"] != "write" or written["outcome"] != "accepted" or written.get("start") != "future":
        return None
    if written["requested"] in _GENERATED and source in ("profile", "integrated"):
        return True if before in ("nonexistent", "none", "assigned") else None
    nothing = written["requested"] in _NOT_GENERATED or (written["requested"] == "default" and source == "nothing")
    return False if nothing and before in ("nonexistent", "none") else None


def _is_new(shown: dict[str, Any]) -> bool:
    return shown["state"] == "assigned" and not shown.get("join_url_as_before", False)
