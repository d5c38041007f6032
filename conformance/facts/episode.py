"""An episode: one write of one event, what was known before it, and all that was seen of it until its next write."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field, structs

from conformance.facts.comparisons import compare_urls, parse_api_time
from conformance.facts.observed import (
    Before,
    Observation,
    ObservedWrite,
    fingerprint_of,
    identity_key,
    staleness_key,
    state_of,
)
from conformance.facts.requested import FIELDS, RequestedConferencing, field_as_sent
from conformance.facts.values import UNMOVED_HOLD, Evidence, Settings
from conformance.facts.window import Window

__all__ = ["Episode", "Streak", "differ"]

#: How many distinct values of one episode are kept.
_KEPT = 12


#: States in which no earlier request can still make an event pending.
_NOTHING_ON_ITS_WAY = ("nonexistent", "none", "assigned")


class Streak(Struct):
    """Readings in a row that show the same: the first one's answer, the last one's sending, how many."""

    observation: Observation
    key: str
    fingerprint: Any
    first_answered: float
    last_sent: float
    last_evidence: Evidence
    count: int = 1
    fresh: bool = False


class Episode(Struct):
    """The open state of one episode; the observer feeds it sights and asks it for its document.

    `moved` says that its generated conference got another join URL by itself.
    `overwritten` says that what was sent was there, and newer values came in its place.
    `unlisted` are readings of earlier episodes that did not list the event although a write of it had been accepted.
    """

    number: int
    write: ObservedWrite | None
    before: Before
    stale_values: frozenset[str]
    readings: int = 0
    streak: Streak | None = None
    observed: list[tuple[Observation, str, bool]] = field(default_factory=list)
    stable: Streak | None = None
    settled: Observation | None = None
    settled_key: str = ""
    assigned_at: float | None = None
    pending_again: int = 0
    moved: bool = False
    overwritten: bool = False
    stable_without: bool = False
    stable_as_before: bool = False
    replaced_late: bool = False
    deviations: int = 0
    last_deviates: bool = False
    deviation_evidence: list[Evidence] = field(default_factory=list)
    settled_after: float | None = None
    last_sent: float | None = None
    timed: bool = True
    dirty: bool = True
    unlisted: Streak | None = None
    versions: dict[tuple[str, str], float] = field(default_factory=dict)

    def has_just_shown(self, item: dict[str, Any]) -> bool:
        """Whether the last reading showed this very item: the same body was read again, which is parsed once."""
        return self.streak is not None and self.streak.observation.item is item

    def shows_same(self, item: dict[str, Any]) -> bool:
        """Whether an item is, to the last field, what the last reading showed."""
        return self.streak is not None and self.streak.observation.item == item

    def end_in(self, item: dict[str, Any]) -> str | None:
        """How an item ends the episode as a write that nobody recorded does; None where it does not (law attribution).

        ``overwritten``: what was sent was there, and now other values are, newer ones, not those from before.
        ``replaced``: so is conferencing alone, in a much newer version: it was taken back, or somebody else wrote it.
        """
        streak, write = self.streak, self.write
        shown = streak.observation.item if streak is not None else None
        if streak is None or shown is None or write is None or differ(write.event, shown):
            return None
        times = [parse_api_time(one.get("updated")) for one in (shown, item)]
        later = None if times[0] is None or times[1] is None else (times[1][0] - times[0][0]).total_seconds()
        if not differ(write.event, item):
            state, conferencing = state_of(item)
            before = streak.observation
            other = staleness_key(state, conferencing) != staleness_key(before.state, before.conferencing)
            is_late = later is not None and later >= UNMOVED_HOLD
            return "replaced" if is_late and other and state != "pending" and self._has_come(write, streak) else None
        if self.before.item is not None and not differ(self.before.item, item):
            return None
        if later is None:
            return "overwritten" if self.before.state == "nonexistent" or self.before.item is not None else None
        return "overwritten" if later > 0 else None

    def _has_come(self, write: ObservedWrite, streak: Streak) -> bool:
        """Whether the last reading shows the conferencing that the write leads to."""
        shown, requested = streak.observation, write.requested
        if shown.state != "assigned":
            nothing = requested.kind == "omitted" and self.before.state in ("nonexistent", "none")
            return shown.state == "none" and (nothing or requested.kind in ("none", "8x8"))
        if requested.kind == "omitted":
            before = self.before.conferencing
            return isinstance(before, dict) and identity_key("assigned", before) == streak.key
        if requested.kind == "explicit":
            return compare_urls(requested.join_url or "", shown.conferencing["join_url"]) != "different"
        return requested.generates and streak.fresh

    def repeat(self, sent_at: float, evidence: Evidence, settings: Settings, window: Window) -> None:
        """Another reading showed the same."""
        streak = self.streak
        assert streak is not None
        streak.count += 1
        streak.last_sent = self.last_sent = sent_at
        streak.last_evidence = evidence
        self.readings += 1
        if self.settled is None or self.settled_key != streak.key:
            self._update_stability(streak, settings, window)

    def observe(self, observation: Observation, settings: Settings, window: Window) -> None:
        """A reading showed something that may differ from what the last one showed."""
        key = identity_key(observation.state, observation.conferencing)
        fingerprint = (key, fingerprint_of(observation.item))
        self.timed = self.timed and observation.timed
        if self.streak is not None and self.streak.fingerprint == fingerprint:
            self.streak.observation = observation
            self.repeat(observation.sent, observation.evidence, settings, window)
            return
        self.readings += 1
        self.last_sent = observation.sent
        self.dirty = True
        self.moved = self.moved or self._moves(observation)
        fresh = staleness_key(observation.state, observation.conferencing) not in self.stale_values
        self.streak = Streak(
            observation, key, fingerprint, observation.answered, observation.sent, observation.evidence, fresh=fresh
        )
        if len(self.observed) < _KEPT and not any(k == key for _, k, _ in self.observed):
            self.observed.append((observation, key, self.streak.fresh))
        self._note_version(observation, key, settings, window)
        self.stable = None
        if observation.state == "missing" and self.unlisted is not None and self.readings == 1:
            self.streak.first_answered = self.unlisted.first_answered
            self.streak.count += self.unlisted.count
        self._update_stability(self.streak, settings, window)

    def _moves(self, observation: Observation) -> bool:
        """Whether a conference that the write requested gets another join URL, of the same service, without a write."""
        streak, write = self.streak, self.write
        if streak is None or write is None or not streak.fresh or not write.requested.generates:
            return False
        if (
            not streak.observation.state == observation.state == "assigned"
            or self.before.state not in _NOTHING_ON_ITS_WAY
        ):
            return False
        one, other = streak.observation.conferencing, observation.conferencing
        same_service = one.get("provider_name") == other.get("provider_name")
        return same_service and bool(one["join_url"] != other["join_url"])

    def _note_version(self, observation: Observation, key: str, settings: Settings, window: Window) -> None:
        """Remember that a version of the event came back with other conferencing than it was shown with long before."""
        updated = observation.item.get("updated") if observation.item is not None else None
        if not isinstance(updated, str) or observation.state == "pending" or not self.timed:
            return
        if (updated, key) not in self.versions and len(self.versions) == _KEPT:
            return
        first = self.versions.setdefault((updated, key), observation.sent)
        others = [at for (version, other), at in self.versions.items() if version == updated and other != key]
        if others and first < observation.sent and window.is_over(observation.sent - min(others), settings.quiet):
            self.pending_again += 1

    def never_listed(self) -> Streak | None:
        """The readings that did not list the event, if none did since writes that leave it there were accepted."""
        write = self.write
        if write is None or write.outcome != "accepted" or write.method != "POST":
            return None
        streak = self.streak or self.unlisted
        return streak if streak and all(each.state == "missing" for each, _, _ in self.observed) else None

    def _note_stable(self, streak: Streak) -> None:
        """Remember that the event showed for a while what it had before, as if the write had not asked for anything."""
        observation, before = streak.observation, self.before
        if self.assigned_at is not None or self.write is None or not _shows_change(self.write, observation, before):
            return
        if observation.state == "none" and before.state in ("nonexistent", "none"):
            self.stable_without = True
        elif observation.state == before.state == "assigned":
            same = identity_key("assigned", before.conferencing) == streak.key
            self.stable_as_before = self.stable_as_before or same

    def _update_stability(self, streak: Streak, settings: Settings, window: Window) -> None:
        if streak.fresh and streak.observation.state == "assigned" and self.stable_as_before:
            self.replaced_late = True
        if (
            self.assigned_at is None
            and streak.fresh
            and streak.observation.state == "assigned"
            and self.before.state in _NOTHING_ON_ITS_WAY
        ):
            self.assigned_at = streak.first_answered
        if self.assigned_at is not None and streak.observation.state == "pending" and self.timed:
            relapsed = window.is_over(
                streak.last_sent - self.assigned_at, settings.quiet
            )  # a stale reading is not as late
            self.pending_again += relapsed
            self.dirty = self.dirty or relapsed
        if self.settled is not None and streak.key != self.settled_key:
            self.deviations += 1
            self.last_deviates = streak.fresh  # what was shown or asked for before may be a stale reading
            if len(self.deviation_evidence) < 4:
                self.deviation_evidence.append(streak.last_evidence)
            self.dirty = True
        elif self.settled is not None:
            self.dirty = self.dirty or self.last_deviates
            self.last_deviates = False
        if streak.observation.state == "pending" or streak.count < 2 or not self.timed:
            return
        span = streak.last_sent - streak.first_answered - streak.observation.resolution
        if span < settings.quiet:
            return
        if self.stable is not streak:
            self.stable = streak
            self.dirty = True
            self._note_stable(streak)
            if self.write is not None and streak.fresh and _may_be_meant(self.write, streak.observation):
                self.settled_after = max(0.0, streak.first_answered - self.write.answered)
        if self.settled is None and streak.count >= 3:
            hold = settings.quiet + window.seconds
            if not streak.fresh:
                hold = min(max(hold, UNMOVED_HOLD), max(settings.settle_timeout, hold))
            if span >= hold:
                window.rely(span - settings.quiet)
                self.settled, self.settled_key = streak.observation, streak.key
                self.dirty = True

    @property
    def is_stable(self) -> bool:
        """Whether readings that show the same again can change nothing of the facts but their number."""
        streak = self.streak
        return (
            streak is not None
            and self.settled is not None
            and self.stable is streak
            and self.settled_key == streak.key
            and streak.observation.item is not None
            and not self.dirty
            and not self.last_deviates
        )

    def add_repeats(self, count: int, sent: float, evidence: Evidence) -> None:
        """Count readings that showed the same while this was at rest."""
        assert self.streak is not None
        self.streak.count += count
        self.readings += count
        self.streak.last_sent = self.last_sent = sent
        self.streak.last_evidence = evidence

    def stable_item(self, window: Window) -> dict[str, Any] | None:
        """The event as readings showed it for a whole window, so that a later one shows it too; None if they did not.

        After a deletion none need show it: what did may have been stale.
        """
        write, streak = self.write, self.streak
        going = write is not None and write.method == "DELETE" and write.outcome != "refused"
        if streak is None or self.stable is not streak or going:
            return None
        return streak.observation.item if window.is_over(streak.last_sent - streak.first_answered) else None

    def evidence_at_once(self) -> list[Observation]:
        """The distinct values that count as evidence when they are first shown, and pending, in that order.

        No conferencing counts once it was stable in a reading that shows the write as done.
        """
        late = self.stable_without
        return [
            observation
            for observation, key, fresh in self.observed
            if fresh or observation.state == "pending" or (late and key == "none")
        ]

    def evidence(self) -> tuple[Evidence, ...]:
        """The write and the readings that showed something else for the first time, with the newest such."""
        assert self.write is not None
        found = [self.write.evidence]
        observations = [observation for observation, _, _ in self.observed[:4]]
        if self.streak is not None:
            observations.append(self.streak.observation)
        labels = {self.write.evidence.label}
        for observation in observations:
            one = observation.evidence
            if one.label in labels:
                continue
            labels.add(one.label)
            shown = {"state": observation.state}
            if observation.conferencing is not None:
                shown["conferencing"] = observation.conferencing
            until = otherwise = None
            if self.streak is not None and one.label == self.streak.observation.evidence.label:
                until, otherwise = self.streak.last_sent, _otherwise(self._meant, self.streak.observation.item)
            found.append(Evidence(one.label, one.request, one.status, shown, one.at, otherwise, one.continues, until))
        return tuple(found)

    @property
    def _meant(self) -> dict[str, Any]:
        """The event as readings are to show it: as written, or after a refusal as it was."""
        assert self.write is not None
        was = self.before.item
        return self.write.event if was is None or self.write.outcome != "refused" else was

    def seconds_watched(self) -> float:
        """For how many seconds after the write's answer readings went on."""
        if self.write is None or self.last_sent is None or not self.timed:
            return 0.0
        return max(0.0, self.last_sent - self.write.answered - self.write.resolution)

    def next_before(self, *, alone: bool) -> Before:
        """What the next write finds, as far as it is known; `alone`: nobody else writes to the event."""
        write = self.write
        if write is not None and write.outcome == "unknown":
            return Before()
        if write is not None and write.batched:
            return self._shown_stable() or Before()  # that a batch does what single writes do is a conclusion
        pending, start, directory_version = None, None, 0
        if write is not None and write.outcome == "accepted" and write.requested.kind not in ("omitted", "undefined"):
            pending, start, directory_version = write.requested, write.start, write.directory_version
        elif write is not None and (write.outcome == "refused" or write.requested.kind == "omitted"):
            before = self.before
            pending, start, directory_version = before.pending, before.pending_start, before.pending_version
        if write is not None and write.method == "DELETE" and write.outcome == "accepted":
            return Before("nonexistent")
        if alone and self.stable is None and pending is None and (kept := self._left_as_it_was()) is not None:
            return kept
        streak = self.streak
        under_way = Before("in_progress", pending=pending, pending_start=start, pending_version=directory_version)
        if streak is None:
            return under_way if pending else Before()
        shown = self._shown_stable()
        if shown is not None and not self._may_lag(streak, pending, start):
            return shown if shown.state == "nonexistent" else structs.replace(shown, requested_as=self.requested_as())
        return under_way if streak.observation.state == "pending" or pending else Before()

    def _left_as_it_was(self) -> Before | None:
        """What the event had before a write that omits conferencing, unless a reading showed something else since.

        Of a generated conference it is not known: it may follow the event's summary and times.
        """
        write, before = self.write, self.before
        if write is None or (write.outcome, write.requested.kind) != ("accepted", "omitted"):
            return None
        if before.state in ("nonexistent", "none"):
            kept = Before("none", requested_as=before.requested_as, is_assumed=before.is_assumed)
            expected = {"none", "missing"}
        elif before.state == "assigned" and before.requested_as == "explicit":
            kept = structs.replace(before, item=None)
            expected = {identity_key("assigned", before.conferencing)}
        else:
            return None
        return kept if {key for _, key, _ in self.observed} <= expected else None

    def _may_lag(self, streak: Streak, pending: RequestedConferencing | None, start: str | None) -> bool:
        """Whether readings may not show yet what was accepted: they show what was there before (law staleness)."""
        if streak.fresh or self.settled_key == streak.key:
            return False
        if streak.observation.state == "missing":
            return pending is not None or (self.write is not None and self.write.outcome == "accepted")
        nothing = pending is not None and (pending.kind in ("8x8", "none") or (start == "past" and pending.generates))
        return pending is not None and not (nothing and streak.observation.state == "none")  # what it leads to is shown

    def _shown_stable(self) -> Before | None:
        """What the event stably shows; None where it does not."""
        if self.streak is None or self.stable is not self.streak:
            return None
        observation = self.streak.observation
        if observation.state == "missing":
            return Before("nonexistent")
        return Before(observation.state, observation.conferencing, item=observation.item)

    def requested_as(self) -> str | None:
        """The kind of request behind the conferencing that the event has now; None where it is not known."""
        write = self.write
        if write is None or write.outcome == "unknown":
            return None
        kind = write.requested.kind
        if write.outcome == "refused" or kind == "omitted":
            return self.before.pending.kind if self.before.pending else self.before.requested_as
        return kind if kind in ("explicit", "default", "integrated", "profile") else None


def differ(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two forms of an event certainly differ in a field that writes set."""
    for name in FIELDS:  # noqa: SIM110 - of every reading it is asked, and a generator takes as long again
        if field_as_sent(one, other, name) is False:
            return True
    return False


def _otherwise(meant: dict[str, Any], item: dict[str, Any] | None) -> dict[str, Any] | None:
    """The fields of an event as it was read that are not as they are meant to be; None where all are."""
    if item is None:
        return None
    return {name: item[name] for name in FIELDS if field_as_sent(meant, item, name) is False} or None


def _may_be_meant(write: ObservedWrite, observation: Observation) -> bool:
    """Whether what a reading shows may be what the write leads to, so that it tells how long this takes."""
    return write.requested.kind != "explicit" or observation.state == "assigned"


def _shows_change(write: ObservedWrite, observation: Observation, before: Before) -> bool:
    """Whether a reading surely shows the write as done: all is as sent, and something differs from before."""
    item = observation.item
    if item is None or differ(write.event, item):
        return False
    return before.state == "nonexistent" if before.item is None else differ(before.item, item)
