"""Hypothesis strategies: steps and scenarios for an inventory."""

from __future__ import annotations

from conformance.servers.scenarios.scenario_strategies import scenarios, steps

__all__ = ["scenarios", "steps"]
