"""observe(exchanges) → facts: what JSON Schema cannot say is computed once, named, and stated here."""

from conformance.facts.observer import Observer, observe
from conformance.facts.values import Evidence, Facts, Settings

__all__ = ["Evidence", "Facts", "Observer", "Settings", "observe"]
