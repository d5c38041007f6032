"""Errors whose message is one sentence for the user, and the sentence that suggests a known word."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path

__all__ = ["ConfigurationError", "UsageError", "UserError", "content_of", "nearest", "place_of"]

#: Bytes that are read at once, and that a file may have which is read as a whole.
_PIECE, _LARGEST = 2**20, 2**26


class UserError(Exception):
    """What ends a command, said in a sentence for its user."""


class ConfigurationError(UserError):
    """Nothing can be judged because of how the run is configured; the message says what to do."""


class UsageError(UserError):
    """A command, option or file cannot be used as given; the message says what to do."""


def content_of(path: Path, name: str, advice: str, largest: int = _LARGEST) -> bytes:
    """What a file holds that is read as a whole; `name` is what messages call it, `advice` how they end.

    Raises UsageError where it cannot be read, or has more than `largest` bytes: a device has no end.
    """
    try:
        with path.open("rb") as file:
            content = b"".join(islice(iter(partial(file.read, _PIECE), b""), largest // _PIECE))
            goes_on = bool(file.read(1))
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror or error}; {advice}") from None
    if goes_on:
        raise UsageError(f"{name}: {os.strerror(errno.EFBIG)}; {advice}")
    return content


def place_of(error: BaseException) -> str:
    """The type of an error that nobody foresaw, and where it was raised: our line, and that of another package.

    Its message may hold a token, and is left out; what the system says of a file or a disk cannot.

    >>> place_of(KeyError("token"))
    'KeyError'
    """
    name = type(error).__name__
    if isinstance(error, OSError) and isinstance(error.errno, int) and error.errno > 0:
        name = f"{name} ({os.strerror(error.errno)})"
    ours = last = None
    traceback = error.__traceback__
    while traceback is not None:
        last = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        ours = last if f"{os.sep}conformance{os.sep}" in last[0] else ours
        traceback = traceback.tb_next
    places = dict.fromkeys(filter(None, (ours, last)))
    return " at ".join([name, *(f"{os.path.basename(file)}:{line}" for file, line in places)])


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
