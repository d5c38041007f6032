"""Deliberate deviations from the documentation, by name."""

from __future__ import annotations

from conformance.reference.decisions import Fault

__all__ = ["FAULTS"]

FAULTS: dict[str, Fault] = {}
