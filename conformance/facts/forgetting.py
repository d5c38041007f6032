"""Events and accounts at rest are forgotten, so that traffic without an end is judged in bounded memory."""

from __future__ import annotations

from conformance.facts.account_state import AccountState
from conformance.facts.event import Event, Key
from conformance.facts.state import ObserverState

__all__ = ["Forgetting"]

#: How many of the things that an account gathers are kept, each.
_KEPT = 1_000


class Forgetting:
    """Closes and drops events that have been at rest, or untouched, for `seconds`, and accounts that were not used, as
    of tokens that were replaced; the times are those of the traffic.

    Of an event that was dropped nothing is known any more, as of any at the start of a recording: that no reading shows
    it, or that it was not there before, follows from the next complete reading only.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at_rest_since: dict[Key, float] = {}

    def sweep(self, fold: ObserverState, now: float) -> tuple[str, ...]:
        """Drop what has been at rest until `now`; the names of the accounts that are dropped."""
        at_rest: dict[Key, float] = {}
        for account in fold.accounts.values():
            account.last_reading = None
            for events in account.calendars.values():
                for event_id, event in list(events.items()):
                    since = self._since(event, now)
                    if now - since < self.seconds:
                        at_rest[event.key] = since
                        continue
                    fold.close_episode(event, "recording-ended")
                    event.forget()
                    del events[event_id]
                    account.complete = account.read_completely = account.shows_every_write = False
            _trim(account)
        unused = [one for one in fold.accounts.values() if now - one.used >= self.seconds and not one.has_events]
        for account in unused:
            fold.drop(account)
        self._at_rest_since = at_rest
        fold.forget_urls_of_dropped_events()
        return tuple(account.name for account in unused)

    def _since(self, event: Event, now: float) -> float:
        """Since when nothing was learnt of an event; of one at rest, since a sweep first found it so."""
        if event.is_at_rest:
            return self._at_rest_since.get(event.key, now)
        episode = event.state.episode
        times = (episode.last_sent, None if episode.write is None else episode.write.answered)
        return max((time for time in times if time is not None), default=self._at_rest_since.get(event.key, now))


def _trim(account: AccountState) -> None:
    """What an account gathers beside its events is bounded."""
    del account.services[:-_KEPT]
    for gathered in (account.readings, account.suspects):
        for key in list(gathered)[:-_KEPT]:
            del gathered[key]
