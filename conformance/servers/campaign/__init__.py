"""Runs against a server: scenarios in lockstep, audit, clean-up; and the sweeping of what a crashed run left."""

from conformance.servers.campaign.cleanup import cleanup
from conformance.servers.campaign.run import RunProgress, RunResult, run

__all__ = ["RunProgress", "RunResult", "cleanup", "run"]
