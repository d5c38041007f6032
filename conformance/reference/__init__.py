"""A reference server for conferencing on events: it follows the documentation, or deviates from it on purpose.

It knows nothing of the rules that judge servers.
"""

from __future__ import annotations

from collections.abc import Iterable

from conformance.clock import Clock
from conformance.reference.app import ReferenceApp, named, serve
from conformance.reference.decisions import Decisions, Fault, Variation
from conformance.reference.faults import FAULTS
from conformance.reference.variations import VARIATIONS
from conformance.reference.world import WORLD, Account, Calendar, External, Profile, World

__all__ = [
    "FAULTS",
    "VARIATIONS",
    "WORLD",
    "Account",
    "Calendar",
    "External",
    "Fault",
    "Profile",
    "ReferenceApp",
    "Variation",
    "World",
    "reference_app",
]


def reference_app(
    *,
    clock: Clock | None = None,
    settle: float = 0.15,
    faults: Iterable[str] = (),
    variations: Iterable[str] = (),
    seed: int = 0,
    page_size: int = 30,
    world: World = WORLD,
) -> ReferenceApp:
    """A fresh, independent server as an ASGI application.

    Conferences settle `settle` seconds of `clock` after the write.  `seed` changes generated URLs.
    Raises ValueError for an unknown fault or variation.
    """
    decide = Decisions(named("variation", variations, VARIATIONS), named("fault", faults, FAULTS))
    return serve(world, clock=clock, settle=settle, decide=decide, seed=seed, page_size=page_size)
