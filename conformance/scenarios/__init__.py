"""Scenarios: lives of events as values, the core table of them, and strategies for more.

A team that tests its own server draws `lives(world)` in Hypothesis tests, or takes `core(world)`, and sends what
`writes(life, run)` gives.
"""

from conformance.scenarios.core import core, waves
from conformance.scenarios.model import KINDS, Life, Move, Run, Write, writes
from conformance.scenarios.plan import Plan, plan

__all__ = ["KINDS", "Life", "Move", "Plan", "Run", "Write", "core", "plan", "waves", "writes"]
