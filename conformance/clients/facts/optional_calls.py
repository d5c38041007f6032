"""What is told of calls that not every client has means for: a batch, and the check of a notification's signature."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.clients.facts.requests import body
from conformance.facts.routes import route
from conformance.http.exchange import Exchange
from conformance.http.webhooks import signature, with_checked_signature

__all__ = ["CLIENT_SECRET", "OPTIONAL", "optional_facts"]

#: The methods of these calls.
OPTIONAL = ("batch", "verify_notification")

#: The client secret of every check of a signature, a made-up one: no evidence keeps what stands in its place.
CLIENT_SECRET = "conformance-client-secret"  # noqa: S105 - on purpose no credential


def optional_facts(
    method: str, params: Mapping[str, Any], report: Mapping[str, Any], exchanges: Sequence[Exchange]
) -> dict[str, bool]:
    """Whether what was asked is what was sent, and what came back what the client gives; nothing where that is open.

    Of a batch of which nothing was sent nothing is told: the client may have sent its entries one by one.
    """
    if method == "verify_notification":
        return _verified(params, report)
    batches = [one for one in exchanges if route(one.request.method, one.request.url).name == "batch"]
    facts = {}
    if not batches:
        return {}
    if "unsupported" not in report:
        facts["entries_as_requested"] = all(_listed(body(one)) == params["entries"] for one in batches)
    if "ok" in report:
        facts["entries_as_answered"] = _statuses(report["ok"].get("responses")) == _statuses(_answered(batches[-1]))
    return facts


def _verified(params: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, bool]:
    if "ok" not in report:
        return {}
    headers = (("Cronofy-HMAC-SHA256", params["header"]),)
    right = signature(with_checked_signature(headers, base64.b64decode(params["body_base64"]), CLIENT_SECRET))
    return {"verified_rightly": report["ok"].get("valid") is right}


def _listed(document: Any) -> Any:
    """The entries of a batch without members that are null, which a client may add."""
    entries = document.get("batch") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        return None
    return [{k: v for k, v in one.items() if v is not None} if isinstance(one, dict) else one for one in entries]


def _answered(exchange: Exchange) -> Any:
    try:
        document = exchange.response.json() if exchange.response is not None else None
    except ValueError:
        return None
    return document.get("batch") if isinstance(document, Mapping) else None


def _statuses(entries: Any) -> list[Any] | None:
    if not isinstance(entries, list):
        return None
    return [one.get("status") if isinstance(one, Mapping) else None for one in entries]
