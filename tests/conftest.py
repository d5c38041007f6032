"""How the tests run: how many at once, as on any machine, and without looking for garbage again and again."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from importlib import import_module

import pytest
from hypothesis import HealthCheck, settings


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests mostly wait, for sockets and for processes of their own."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    """A build service, a shell or a busy machine around the tests makes no difference to them."""
    # A shell lets what it starts in the background ignore SIGINT, nohup SIGHUP; what these start inherits it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        os.environ.pop(name, None)
    # How fast an example is says nothing on a machine that does other things too.
    settings.register_profile(
        "whatever the load", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("whatever the load")


@pytest.fixture(scope="session", autouse=True)
def _time_of_runs() -> Iterator[None]:
    """A run whose time is not what is tested has as much as a busy machine needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("conformance.servers.campaign.run"), "SHORTEST_LIMIT", 600.0)
        yield


def pytest_collection_finish() -> None:
    """What is there once all tests are collected stays until the end."""
    gc.collect()
    gc.freeze()
