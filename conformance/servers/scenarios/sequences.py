"""Sequences of kinds of writes that try every kind in every state that another kind leaves."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["sequences"]

#: How the first sequences begin: alternating kinds, and pairs whose effect depends on the write before.
_SEEDS = (
    ("explicit", "none", "explicit", "none", "omitted"),
    ("default", "none", "default", "none"),
    ("integrated", "explicit", "integrated", "explicit"),
    ("omitted", "omitted", "explicit", "omitted"),
    ("none", "omitted", "default"),
    ("profile", "integrated", "profile", "none", "integrated"),
    ("8x8", "omitted", "default", "omitted"),
    ("explicit", "delete", "omitted", "integrated"),
)

#: States: before the first write, after a DELETE, without conferencing so far, and with conferencing removed.
_ABSENT, _GONE, _NEVER, _REMOVED = "absent", "gone", "never", "removed"


def _after(state: str, kind: str) -> str:
    """The state of an event after a write of a kind in `state`."""
    if kind == "omitted":
        return _NEVER if state in (_ABSENT, _GONE) else state
    if kind == "none":
        return _NEVER if state in (_ABSENT, _GONE, _NEVER) else _REMOVED
    return _GONE if kind == "delete" else kind


def sequences(kinds: tuple[str, ...], longest: int) -> Iterator[tuple[str, ...]]:
    """Sequences of at most `longest` kinds, each from an event's first write on, that cover every (state, kind) pair.

    `kinds` begin with those that give an event conferencing, before ``none``.
    """
    states = (_ABSENT, _GONE, _NEVER, _REMOVED, *kinds[: kinds.index("none")])
    impossible = {(state, "delete") for state in (_ABSENT, _GONE)}
    open_pairs = {(state, kind) for state in states for kind in kinds} - impossible
    for seed in (*_SEEDS, *(() for _ in range(len(open_pairs)))):
        if not set(seed) <= set(kinds):
            continue
        if not open_pairs:
            return
        sequence: list[str] = []
        state = _ABSENT
        for kind in seed:
            open_pairs.discard((state, kind))
            state = _after(state, kind)
            sequence.append(kind)
        while len(sequence) < longest:
            following = _next_kind(state, kinds, open_pairs, longest - len(sequence))
            if following is None:
                break
            open_pairs.discard((state, following))
            state = _after(state, following)
            sequence.append(following)
        if sequence:
            yield tuple(sequence)


def _next_kind(state: str, kinds: tuple[str, ...], open_pairs: set[tuple[str, str]], room: int) -> str | None:
    """The next kind: one that covers an open pair, or leads towards one within `room` writes; None if there is none."""

    def worth(kind: str) -> tuple[bool, int]:
        reached = _after(state, kind)
        return (state, kind) in open_pairs, sum((reached, other) in open_pairs for other in kinds)

    choices = [kind for kind in kinds if kind != "delete" or state not in (_ABSENT, _GONE)]
    best = max(choices, key=worth)
    opens, beyond = worth(best)
    if opens or (beyond and room > 1):
        return best
    if room <= 2:
        return None
    towards = (kind for kind in choices if _next_kind(_after(state, kind), kinds, open_pairs, room - 1))
    return next(towards, None)
