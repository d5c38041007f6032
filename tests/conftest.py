"""How the tests run: how many at once, as on any machine, and without looking for garbage again and again."""

from __future__ import annotations

import gc
import os
import signal

import pytest


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests mostly wait, for sockets and for processes of their own."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    """What a build service sets for its own steps is none of what the tests run, and Ctrl-C is what it always is."""
    # A shell lets what it starts in the background ignore SIGINT, and what that starts inherits it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        os.environ.pop(name, None)


def pytest_collection_finish() -> None:
    """What is there once all tests are collected stays until the end."""
    gc.collect()
    gc.freeze()
