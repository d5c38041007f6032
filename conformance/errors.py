"""Errors whose message is one sentence for the user, and the sentence that suggests a known word."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["ConfigurationError", "UsageError", "nearest"]


class ConfigurationError(Exception):
    """Nothing can be judged because of how the run is configured; the message says what to do."""


class UsageError(Exception):
    """A command, option or file cannot be used as given; the message says what to do."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that suggests the known words nearest to `word`, or names a few.

    >>> nearest("explict", ["explicit", "none"])
    "did you mean 'explicit'?"
    """
    from difflib import get_close_matches  # only errors need it, and it takes time to import

    words = sorted(known)
    close = get_close_matches(word, words, n=3, cutoff=0.6) or [name for name in words if word and word in name][:3]
    if close:
        return f"did you mean {' or '.join(map(repr, close))}?"
    if len(words) <= 12:
        return f"there is {', '.join(words)}" if words else "there is none"
    return f"there are {len(words)}, {words[0]} and {words[1]} among them"
