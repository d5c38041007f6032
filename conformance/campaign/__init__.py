"""Runs against a server: lives in lockstep, audit, clean-up; and the sweeping of what a crashed run left."""

from conformance.campaign.cleaning import sweep
from conformance.campaign.run import Progress, RunResult, run

__all__ = ["Progress", "RunResult", "run", "sweep"]
