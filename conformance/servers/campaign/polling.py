"""When a subject is read again after its writes."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field

from conformance.servers.campaign.scenario_state import ScenarioState

__all__ = ["Polling"]


@dataclass(slots=True)
class Polling:
    """When to read, in seconds: `first` after a write, then at pauses that grow by `growth` up to `longest`.

    `quiet` and `settle_timeout` are those of the settings.  `typical_delay` are the seconds within which most changes
    have shown so far.
    """

    quiet: float
    settle_timeout: float
    first: float
    growth: float = 1.5
    longest: float = 10.0
    typical_delay: float = 0.0
    _delays: list[float] = field(default_factory=list)

    @property
    def slack(self) -> float:
        """How much later than need be an event may be read, so that others are read with it."""
        return 0.25 * self.quiet

    @property
    def patience(self) -> float:
        """How long a write takes, until what it leads to has been seen to stay."""
        return self.quiet + 1.2 * max(self.typical_delay, self.first) + 2 * self.first

    def record_delay(self, seconds: float) -> None:
        """Count a change that showed so many seconds after its write; four in five show within `typical_delay`."""
        insort(self._delays, min(max(0.0, seconds), self.longest))
        self.typical_delay = self._delays[len(self._delays) * 4 // 5]

    def due(self, states: Iterable[ScenarioState], last_read: float, window: float) -> float:
        """When to read an account next: when a scenario is due, or a little later, if others are due shortly after.

        `states` are its scenarios that a reading can show something about, `last_read` when it was read last.
        """
        reads = sorted(
            (self.next_read(state, last_read, window), state.pending or state.awaits_pending or not state.reads)
            for state in states
        )
        first, changing = reads[0]
        until = first + (self.slack / 4 if changing else self.slack)
        return max(moment for moment, _ in reads if moment <= until)

    def next_read(self, state: ScenarioState, last_read: float, window: float) -> float:
        """When the next reading can show something new about one scenario."""
        read_at = max(state.written_at, last_read)
        if not state.reads and state.read_immediately:
            return state.written_at
        if state.pending or state.looks_wrong or state.reads <= state.read_immediately:
            held = state.stable_since + window + self.quiet
            grown = self._next_poll(state, read_at)
            return min(grown, held) if state.looks_wrong and held > read_at else grown
        for moment in (state.stable_since + self.quiet, state.answered_at + window):
            if moment > read_at:
                return moment
        return self._next_poll(state, read_at)

    def _next_poll(self, state: ScenarioState, after: float) -> float:
        """When to poll for a change: first after the delay that is typical so far, then at growing pauses."""
        expected = 0.0 if state.awaits_pending else self.typical_delay
        moment = state.written_at + max(self.first, expected)
        pause = max(self.first, self.typical_delay / 4)
        while moment <= after:
            moment, pause = moment + pause, min(pause * self.growth, self.longest)
        return moment
