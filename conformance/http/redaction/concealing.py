"""An exchange that cannot be concealed is left out: what stands for it says only that, and ends nothing."""

from __future__ import annotations

from collections.abc import Callable

from conformance.errors import place_of
from conformance.http.exchange import PASSED_OVER, Exchange, Request

__all__ = ["concealed", "left_out"]

_NOTE = "left-out"


def concealed(exchange: Exchange, conceal: Callable[[Exchange], Exchange]) -> Exchange:
    """What `conceal` makes of an exchange, or else its label and times alone, with the error in a note."""
    if exchange.request is PASSED_OVER:
        return exchange
    try:
        return conceal(exchange)
    except Exception as error:  # noqa: BLE001 - whatever passes, the others are kept
        nothing = Request("GET", "http://redacted/")
        note = (_NOTE, place_of(error))
        return Exchange(nothing, None, exchange.label, exchange.sent_at, exchange.answered_at, notes=(note,))


def left_out(exchange: Exchange) -> str | None:
    """Why this stands for an exchange that was left out; None for any other."""
    return dict(exchange.notes).get(_NOTE) if exchange.notes else None
