"""Legal choices where the documentation is silent."""

from __future__ import annotations

from conformance.reference.decisions import Variation

__all__ = ["VARIATIONS"]

VARIATIONS: dict[str, Variation] = {}
