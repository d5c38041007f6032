"""Scenarios as values: the core table of them, and strategies for more.

A team that tests its own server draws `scenarios(inventory)` in Hypothesis tests, or takes `core(inventory)`, and sends
the requests of `write_requests(scenario, run)`.
"""

from conformance.servers.scenarios.core import core, waves
from conformance.servers.scenarios.plan import Plan, plan
from conformance.servers.scenarios.scenario import RunContext, Scenario, Step, WriteRequest, write_requests
from conformance.servers.scenarios.scenario_values import KINDS

__all__ = ["KINDS", "Plan", "RunContext", "Scenario", "Step", "WriteRequest", "core", "plan", "waves", "write_requests"]
