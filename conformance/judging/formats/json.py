"""The report as JSON, as ``schemas/report.json`` describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conformance.judging.summary import document

if TYPE_CHECKING:
    from conformance.judging.summary import RunReport

__all__ = ["render"]


def render(statement: RunReport) -> str:
    """The document of `statement`, indented, in ASCII; the same bytes for the same statement."""
    return json.dumps(document(statement), indent=2) + "\n"
