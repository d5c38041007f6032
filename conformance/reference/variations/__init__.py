"""Legal choices where the documentation is silent, by name."""

from __future__ import annotations

from conformance.reference.hooks import Variation
from conformance.reference.variations.deliveries import NOTIFIED
from conformance.reference.variations.generation import GENERATION
from conformance.reference.variations.neighbours import NEIGHBOURS
from conformance.reference.variations.surroundings import SURROUNDINGS

__all__ = ["VARIATIONS"]

#: Every legal variation by its name; any of them can be combined.
VARIATIONS: dict[str, Variation] = {
    variation.name: variation for area in (GENERATION, SURROUNDINGS, NEIGHBOURS, NOTIFIED) for variation in area
}
