"""A reference server for conferencing on events: it follows the documentation, or deviates from it on purpose.

It knows nothing of the rules by which servers are judged.
"""

from __future__ import annotations

from collections.abc import Iterable

from conformance.clock import Clock, RealClock
from conformance.reference.accounts import (
    INVENTORY,
    External,
    ReferenceAccount,
    ReferenceCalendar,
    ReferenceInventory,
    ReferenceProfile,
)
from conformance.reference.app import ReferenceApp, named
from conformance.reference.faults import FAULTS
from conformance.reference.hooks import Fault, Hooks, Variation
from conformance.reference.server import ReferenceServer
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
    inventory: ReferenceInventory = INVENTORY,
) -> ReferenceApp:
    """A fresh, independent server as an ASGI application.

    Conferencing stays pending for `settle` seconds of `clock`.  `seed` changes generated URLs.
    Raises ValueError for an unknown fault or variation.
    """
    hooks = Hooks(named("variation", variations, VARIATIONS), named("fault", faults, FAULTS))
    server = ReferenceServer(inventory, clock or RealClock(), hooks, settle=settle, seed=seed, page_size=page_size)
    return ReferenceApp(server)
