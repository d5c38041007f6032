"""How many tests run at once."""

from __future__ import annotations

import os

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests mostly wait, for sockets and for processes of their own."""
    return (os.cpu_count() or 1) + 1
