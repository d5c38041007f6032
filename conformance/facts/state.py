"""What the fold remembers: accounts, their events, and who asked for or was given which URL."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from conformance.facts.access_refusals import ACCESS_STATUSES
from conformance.facts.account_state import AccountState
from conformance.facts.directory import Directory, resolution
from conformance.facts.event import Event, Home, Key
from conformance.facts.notified import Subscriptions
from conformance.facts.repeats import LastReading
from conformance.facts.requested import RequestedConferencing
from conformance.facts.share import Share, Taken
from conformance.facts.values import Facts, Settings
from conformance.facts.window import Window
from conformance.facts.write_document import Context, write_document

__all__ = ["ObserverState"]

#: What is told of a write that was an entry of a batch.
_OF_A_BATCH = (
    *("account", "event_id", "calendar", "resolution", "request", "response", "outcome", "requested"),
    *("otherwise_valid", "is_create", "start", "all_day", "before", "after"),
)

#: Of how many accounts the last reading is kept.
_POLLED = 32

#: How many events that rest are not packed yet: some megabytes, and most of a small recording.
_UNPACKED = 1024


class ObserverState:
    """The state of the fold; documents that changed wait in `out` (closed) and `dirty` (open).

    With a `share`, facts are made of its accounts alone, and `taken` is what they take from others.
    """

    def __init__(self, settings: Settings, *, revisions: bool, share: Share | None = None) -> None:
        self.settings = settings
        self.revisions = revisions
        self.window = Window(settings)
        self.taken = None if share is None else Taken(share, self.window)
        self.accounts: dict[str, AccountState] = {}
        self.granted: set[str] = set()
        self.subscriptions = Subscriptions()
        self.out: list[Facts] = []
        self.dirty: dict[Key, Event] = {}
        self._asked: dict[int, Event] = {}
        self._shown: dict[int, Event] = {}
        self._resting: deque[Event] = deque()
        self._by_sub: dict[str, set[str]] = {}
        self._polled: dict[str, AccountState] = {}
        self._read_last: AccountState | None = None

    def has(self, account: str | None) -> bool:
        """Whether facts are made of an account."""
        return self.taken is None or self.taken.share.has(account)

    def move(self, *place: float) -> None:
        """Go on to a place, which orders what becomes known there among what other shares tell."""
        if self.taken is not None:
            self.taken.move(place, self.out)

    def account(self, name: str) -> AccountState:
        """An account by its name."""
        account = self.accounts.get(name)
        if account is None:
            account = self.accounts[name] = AccountState(name, Directory(name))
            account.shows_every_write = self.settings.complete_recording
            account.complete = account.shows_every_write and account.is_known
            account.sole_writer = self.settings.complete_recording or self.settings.only_writer
            account.created = self.taken.place if self.taken is not None else ()
        return account

    def mark_dirty(self, event: Event) -> None:
        """An event was seen or written: its facts may have changed, or it may rest."""
        episode = event.state.episode
        if not self.revisions:
            episode.dirty = False
        if episode.dirty:
            self.dirty[event.key] = event
        elif event.rest() or (not self.has(event.home[0]) and event.lay_aside()):
            self._resting.append(event)
            if len(self._resting) > _UNPACKED:
                self._resting.popleft().pack()

    def keep_reading(self, account: AccountState, reading: LastReading | None) -> None:
        """Remember the last reading of an account; of many accounts, those that were read last."""
        account.last_reading = reading
        if account is self._read_last:
            return
        self._read_last = account
        self._polled.pop(account.name, None)
        self._polled[account.name] = account
        if len(self._polled) > _POLLED:
            self._polled.pop(next(iter(self._polled))).last_reading = None

    def drop(self, account: AccountState) -> None:
        """Let go of an account that is used no more: its last facts go out."""
        if self.has(account.name):
            self.out += (*(reading.facts() for reading in account.readings.values()), *account.facts())
        del self.accounts[account.name]
        self.granted.discard(account.name)
        self._polled.pop(account.name, None)
        self._read_last = None
        tokens = self._by_sub.get(account.directory.sub or "", set())
        tokens.discard(account.name)
        if not tokens:
            self._by_sub.pop(account.directory.sub or "", None)

    def locations(self, event_id: str) -> list[Home]:
        """Where somebody was seen to write an event of this id: accounts and calendars."""
        return [
            events[event_id].home
            for account in self.accounts.values()
            for events in account.calendars.values()
            if event_id in events and events[event_id].written
        ]

    def aliases(self, event: Event) -> list[Event]:
        """The same event as other tokens of the same account know it."""
        name, calendar_id = event.home
        sub = self.accounts[name].directory.sub
        if sub is None or len(self._by_sub.get(sub, ())) < 2:
            return []  # of every write it is asked, and there may be many accounts
        return [
            account.calendars[calendar_id][event.event_id]
            for account in self.accounts.values()
            if account.directory.sub == sub and account.name != name
            if event.event_id in account.calendars.get(calendar_id, ())
        ]

    def note_sub(self, account: AccountState) -> None:
        """Remember which tokens are shown to be of one account."""
        if account.directory.sub is not None:
            tokens = self._by_sub.setdefault(account.directory.sub, set())
            tokens.add(account.name)
            if self.taken is not None:
                self.taken.note_tokens(tokens)

    def claim_url(self, url: str, event: Event) -> None:
        """Remember which event was the first to be given an explicit URL (in its normal form)."""
        self._asked.setdefault(hash(url), event)

    def record_shown_url(self, url: str, event: Event) -> None:
        """Remember which event was the first to show a URL (in its normal form) that none was given before."""
        if hash(url) not in self._asked:
            self._shown.setdefault(hash(url), event)
            if self.taken is not None:
                self.taken.show(url)

    def forget_urls_of_dropped_events(self) -> None:
        """Let go of the URLs of events that are known no more."""
        known = {
            id(event) for one in self.accounts.values() for held in one.calendars.values() for event in held.values()
        }
        for urls in (self._asked, self._shown):
            for url in [url for url, event in urls.items() if id(event) not in known]:
                del urls[url]

    def shared_with(self, event: Event, url: str) -> str | None:
        """``requested`` or ``generated`` if a URL (in its normal form) belongs to another event; else None."""
        if url in event.state.requested_urls:
            return None
        owner = self._asked.get(hash(url))
        if owner is not None:
            return "explicit" if owner is not event and not self._same(owner, event) else None
        owner = self._shown.get(hash(url))
        return "generated" if owner is not None and owner is not event and not self._same(owner, event) else None

    def _same(self, one: Event, other: Event) -> bool:
        """Whether two events may be one, under two tokens of one account: a token may have been renewed."""
        subs = {self.accounts[event.home[0]].directory.sub for event in (one, other)}
        return one.key[1:] == other.key[1:] and (len(subs) == 1 or None in subs)

    def calendar_facts(self, name: str | None, calendar_id: str | None) -> dict[str, Any] | None:
        """What is known of a calendar that a request of the account named; None if nothing is."""
        if name is None or calendar_id is None or name not in self.accounts:
            return None
        directory = self.accounts[name].directory
        if not directory.listed:
            return {"calendar_id": calendar_id}
        if directory.knows(calendar_id):
            return {**(directory.calendar(calendar_id) or {"calendar_id": calendar_id}), "listed": True}
        others = (other.directory for other in self.accounts.values() if other.name != name)
        return {
            "calendar_id": calendar_id,
            "listed": False,
            "other_account": any(other.knows(calendar_id) for other in others),
        }

    def close_episode(self, event: Event, closed_by: str) -> None:
        """Let an event's episode end: its last facts go out."""
        self.dirty.pop(event.key, None)
        episode = event.state.episode
        write = episode.write
        if write is None or not self.has(event.home[0]):
            self.subscriptions.forget(event.key)
            return
        facts = self.facts(event, closed_by, closed=True)
        self.out += (facts, *self.notified(event, facts))
        self.subscriptions.forget(event.key)
        if write.requested.kind == "default" and facts.document.get("resolution", {}).get("source") == "profile":
            shown = facts.document["after"].get("stable", {})
            if write.start != "future" or shown.get("join_url_as_before"):
                return  # a conference that was there before says nothing of what default means
            service = shown.get("conferencing", {}).get("provider_name") if shown.get("state") == "assigned" else None
            if isinstance(service, str) and write.outcome == "accepted":
                self.account(event.home[0]).services.append((write.sent, service))

    @property
    def awaits_notifications(self) -> bool:
        """Whether a conference came of which nothing was notified where that was subscribed to."""
        for one in self.subscriptions.waiting():
            name, calendar_id, event_id = one.key
            episode = self.account(name).event(calendar_id, event_id).state.episode
            write, streak = episode.write, episode.streak
            requests = write is not None and write.requested.generates
            if requests and streak is not None and streak.fresh and streak.observation.state == "assigned":
                return True
        return False

    def notified(self, event: Event, written: Facts) -> Iterator[Facts]:
        """The facts of what the write of an event's open episode subscribed; `written` are those of the write."""
        return self.subscriptions.documents(event, written, self.window, self.settings)

    def facts(self, event: Event, closed_by: str, *, closed: bool) -> Facts:
        """The facts of an event's episode as it now stands."""
        key, episode = event.key, event.state.episode
        write = episode.write
        assert write is not None
        account = self.account(key[0])
        requested, asked_at = write.requested, write.directory_version
        if requested.kind in ("omitted", "none"):
            requested, asked_at = episode.before.pending or requested, episode.before.pending_version
        profiles = self._profiles(account.directory.since(write.directory_version))
        if closed_by == "recording-ended" and episode.stable is not None and episode.stable is episode.streak:
            closed_by = "stable"
        status = write.response.get("status")
        refused = write.outcome == "refused" and status in ACCESS_STATUSES
        context = Context(
            account=account.name,
            event_id=key[2],
            calendar=account.directory.since(write.directory_version).calendar(key[1])
            or account.refusals.calendar(key[1], write),
            resolution=self._resolution(account, account.directory.since(asked_at), key[1], requested),
            profiles=None if profiles is None else len(profiles),
            services=frozenset(name for p in profiles or () if isinstance(name := p.get("provider_name"), str)),
            refusals=account.refusals.count(key[1], write.requested.kind, status) if refused else 0,
            shared_with=lambda url: self.shared_with(event, url),
            links_move=account.links_move,
            window=self.window,
            quiet=self.settings.quiet,
            settle_timeout=self.settings.settle_timeout,
            closed_by=closed_by,
            closed=closed,
        )
        document = write_document(event.state, write, context)
        about = "batched_write" if write.batched else "write"
        if write.batched:
            document = {"about": about, **{name: document[name] for name in _OF_A_BATCH if name in document}}
        return Facts(
            about, (about, *key, str(episode.number)), document, episode.evidence(), closed, event.state.earlier
        )

    def _profiles(self, directory: Directory) -> list[dict[str, Any]] | None:
        """The profiles of an account; none where its userinfo leaves out the list that others of the server have."""
        if (
            directory.profiles is None
            and directory.has_userinfo
            and any(account.directory.profiles is not None for account in self.accounts.values())
        ):
            return []
        return directory.profiles

    def _resolution(
        self, account: AccountState, directory: Directory, calendar_id: str, requested: RequestedConferencing
    ) -> dict[str, Any] | None:
        if not requested.generates:
            return None
        declared = self.settings.default_profiles.get(account.name)
        profiles = self._profiles(directory)
        found = resolution(requested, profiles, directory.calendar(calendar_id) or {}, declared)
        if found is None and requested.kind == "profile" and profiles is not None:
            theirs = any(
                profile["profile_id"] == requested.profile_id
                for other in self.accounts.values()
                if other is not account
                for profile in other.directory.profiles or ()
            )
            return {"source": "unlisted", "other_account": theirs}
        return found
