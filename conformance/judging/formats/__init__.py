"""A report for people and for programs: one module a format, each with ``render(run_report) -> str``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from conformance.judging.summary import RunReport

__all__ = ["FORMATS", "NAMES", "Destination", "destination", "renderer"]

#: The format that a file's suffix asks for.
FORMATS: Mapping[str, str] = MappingProxyType(
    {".json": "json", ".xml": "junit", ".md": "markdown", ".html": "html", ".py": "pytest", ".svg": "svg"}
)

#: The module of each format; ``badge`` has no suffix of its own.
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "json": "json",
        "junit": "junit",
        "markdown": "markdown",
        "html": "html",
        "pytest": "pytest_file",
        "svg": "badge_svg",
        "badge": "badge",
    }
)


class Destination(NamedTuple):
    """Where a report goes, ``-`` being standard output, and its format by name."""

    format: str
    path: str


def destination(text: str) -> Destination:
    """The destination that FORMAT:PATH or a PATH with a known suffix names; raises ValueError for any other text.

    >>> destination("markdown:summary.txt"), destination("out/report.html")
    (Destination(format='markdown', path='summary.txt'), Destination(format='html', path='out/report.html'))
    """
    name, colon, path = text.partition(":")
    if colon and name in NAMES:
        if not path:
            raise ValueError(f"{text!r} names no file: put a path after the colon, or - for standard output")
        return Destination(name, path)
    suffix = Path(text).suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(
            f"{text!r} names no format: end it in {' '.join(FORMATS)}, put {' '.join(f'{name}:' for name in NAMES)} "
            "before it, or give - for text on standard output"
        )
    return Destination(FORMATS[suffix], text)


def renderer(name: str) -> Callable[[RunReport], str]:
    """The ``render`` of a format by its name or suffix; raises KeyError for an unknown one."""
    from importlib import import_module

    render: Callable[[RunReport], str] = import_module(
        f"conformance.judging.formats.{NAMES[FORMATS.get(name, name)]}"
    ).render
    return render
