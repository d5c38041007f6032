"""Where Hypothesis keeps its tables of Unicode while this suite draws from it: not where the user happens to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["away_from_here"]


@contextmanager
def away_from_here() -> Iterator[None]:
    """Meanwhile Hypothesis leaves no ``.hypothesis`` in the working directory: its home is in the user's cache.

    A user's own tests keep theirs.  Where there is no home directory, or it cannot be written, nothing is kept.
    """
    from hypothesis.configuration import set_hypothesis_home_dir  # slow to import, and seldom needed

    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    set_hypothesis_home_dir(Path(cache) / "cronofy-conformance" / "hypothesis")
    try:
        yield
    finally:
        set_hypothesis_home_dir(None)
