"""How the tests run: how many at once, and without looking through all that was loaded for garbage again and again."""

from __future__ import annotations

import gc
import os

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests mostly wait, for sockets and for processes of their own."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """What is there once all tests are collected stays until the end."""
    gc.collect()
    gc.freeze()
