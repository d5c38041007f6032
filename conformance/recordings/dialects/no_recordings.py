"""Documents about HTTP that are no recording of it: what they are, and what to name instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.recordings.dialects.dialect import has
from conformance.recordings.dialects.postman import COLLECTION

__all__ = ["Refusal", "refusal_of"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A kind of document that holds no exchanges, and what would do in its place."""

    name: str
    recognizes: Callable[[Any], bool]
    advice: str


def _is_of_insomnia(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    return "__export_format" in document or ".insomnia.rest/" in str(document.get("type"))


REFUSALS = (
    Refusal(
        "a Pact contract, which says what a consumer expects",
        lambda document: (
            has(document, "consumer", "provider") and (has(document, "interactions") or has(document, "messages"))
        ),
        "record its verification: `cronofy-conformance proxy`, or any proxy that writes a HAR",
    ),
    Refusal(
        "an OpenAPI description, which says what an API promises",
        lambda document: has(document, "openapi") or has(document, "swagger"),
        "record traffic, or test the server with `cronofy-conformance run`",
    ),
    Refusal(
        "an export of Insomnia, which has requests without responses", _is_of_insomnia, "export it from Insomnia as HAR"
    ),
    Refusal(
        "a Postman collection without saved responses",
        lambda document: has(document, "info", "item") and not COLLECTION.recognizes(document),
        "save responses as examples, or run it with `newman run FILE -r json`",
    ),
    Refusal(
        "a run of Postman, whose export has no bodies",
        lambda document: has(document, "results", "collection_id"),
        "run the collection with `newman run FILE -r json`",
    ),
)


def refusal_of(document: Any) -> Refusal | None:
    """The kind of a document that is known to be no recording; None for any other."""
    return next((refusal for refusal in REFUSALS if refusal.recognizes(document)), None)
