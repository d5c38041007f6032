"""The report as JSON, as ``schemas/report.json`` describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conformance.judging.summary import document

if TYPE_CHECKING:
    from conformance.judging.summary import RunReport

__all__ = ["render"]


def render(run_report: RunReport) -> str:
    """The document of `run_report`, indented, in ASCII; the same bytes for the same run_report."""
    return json.dumps(document(run_report), indent=2) + "\n"
