"""A reference server for conferencing on events: it follows the documentation, or deviates from it on purpose.

It knows nothing of the rules that judge servers.
"""

from __future__ import annotations

from collections.abc import Iterable

from conformance.clock import Clock
from conformance.reference.accounts import (
    INVENTORY,
    External,
    ReferenceAccount,
    ReferenceCalendar,
    ReferenceInventory,
    ReferenceProfile,
)
from conformance.reference.app import ReferenceApp, named, serve
from conformance.reference.faults import FAULTS
from conformance.reference.hooks import Fault, Hooks, Variation
from conformance.reference.variations import VARIATIONS

__all__ = [
    "FAULTS",
    "INVENTORY",
    "VARIATIONS",
    "External",
    "Fault",
    "ReferenceAccount",
    "ReferenceApp",
    "ReferenceCalendar",
    "ReferenceInventory",
    "ReferenceProfile",
    "Variation",
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
    world: ReferenceInventory = INVENTORY,
) -> ReferenceApp:
    """A fresh, independent server as an ASGI application.

    Conferences settle `settle` seconds of `clock` after the write.  `seed` changes generated URLs.
    Raises ValueError for an unknown fault or variation.
    """
    decide = Hooks(named("variation", variations, VARIATIONS), named("fault", faults, FAULTS))
    return serve(world, clock=clock, settle=settle, decide=decide, seed=seed, page_size=page_size)
