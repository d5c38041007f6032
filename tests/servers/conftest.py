"""Fixtures: hostile and small servers, written independently of the reference server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))


@pytest.fixture
def hostile() -> Callable[..., AbstractContextManager[str]]:
    """A hostile server by its name, on a port of 127.0.0.1."""
    from emulators.hostile import HOSTILE

    def serving(name: str, **options: Any) -> AbstractContextManager[str]:
        return HOSTILE[name](**options)

    return serving


@pytest.fixture
def make_small() -> dict[str, Callable[..., Any]]:
    """The makers of the small servers, ASGI and WSGI."""
    from emulators import small_asgi, small_wsgi

    return {"asgi": small_asgi.make_app, "wsgi": small_wsgi.make_app}
