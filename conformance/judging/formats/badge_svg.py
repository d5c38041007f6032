"""The report as a badge in SVG: nothing is loaded, and it reads without seeing it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from conformance.judging.formats.badge import badge

if TYPE_CHECKING:
    from conformance.judging.summary import RunReport

__all__ = ["render"]

#: White text on each of these has a contrast of at least 4.5.
_FILLS = {"brightgreen": "#2a7a1f", "red": "#b3261e", "yellow": "#8a5a00"}

_HEIGHT, _MARGIN, _CHARACTER = 20, 6, 6.1


def render(run_report: RunReport) -> str:
    """A document whose texts are as wide as their boxes in any font."""
    label, message, colour = badge(run_report)
    left, right = _width(label), _width(message)
    title = escape(f"{label}: {message}")
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img" aria-label="{title}">
  <title>{title}</title>
  <clipPath id="r"><rect width="{left + right}" height="{_HEIGHT}" rx="3"/></clipPath>
  <g clip-path="url(#r)">
    <rect width="{left}" height="{_HEIGHT}" fill="#444"/>
    <rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{_FILLS[colour]}"/>
  </g>
  <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
    {_text(label, _MARGIN, left)}
    {_text(message, left + _MARGIN, right)}
  </g>
</svg>
"""


def _width(text: str) -> int:
    return round(len(text) * _CHARACTER) + 2 * _MARGIN


def _text(text: str, x: int, width: int) -> str:
    return f'<text x="{x}" y="14" textLength="{width - 2 * _MARGIN}">{escape(text)}</text>'
