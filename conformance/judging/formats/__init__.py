"""A report for people and for programs: one module a format, each with ``render(run_report) -> str``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conformance.judging.summary import RunReport

__all__ = ["FORMATS", "renderer"]

#: The format that a file's suffix asks for.
FORMATS: Mapping[str, str] = MappingProxyType(
    {".json": "json", ".xml": "junit", ".md": "markdown", ".html": "html", ".py": "pytest_file"}
)


def renderer(suffix: str) -> Callable[[RunReport], str]:
    """The ``render`` of the format of a file suffix; raises KeyError for an unknown suffix."""
    from importlib import import_module

    render: Callable[[RunReport], str] = import_module(f"conformance.judging.formats.{FORMATS[suffix]}").render
    return render
