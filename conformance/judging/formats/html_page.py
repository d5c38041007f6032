"""The frame of every HTML page: one file in UTF-8, no script, and nothing that is loaded."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["page"]


def page(title: str, style: str, body: Iterable[str]) -> str:
    """A complete document; `title` and the lines of `body` are HTML, `style` is CSS."""
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{title}</title>",
        f"<style>{style}</style>",
        "</head>",
        "<body>",
        *body,
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"
