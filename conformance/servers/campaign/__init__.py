"""Runs against a server: scenarios, reads in every documented way, clean-up; and clean-up after a crashed run."""

from conformance.servers.campaign.cleanup import cleanup
from conformance.servers.campaign.run import RunProgress, RunResult, run

__all__ = ["RunProgress", "RunResult", "cleanup", "run"]
