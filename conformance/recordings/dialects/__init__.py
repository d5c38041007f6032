"""The dialects of recorders whose documents are read whole: each is declared in a module of its own."""

from __future__ import annotations

from typing import Any

from conformance.recordings.dialects import hoverfly, wiremock
from conformance.recordings.dialects.dialect import Dialect, exchanges_of
from conformance.recordings.dialects.nock import NOCK
from conformance.recordings.dialects.postman import COLLECTION, NEWMAN
from conformance.recordings.dialects.python_responses import RESPONSES
from conformance.recordings.dialects.talkback import TAPE

__all__ = ["DIALECTS", "Dialect", "dialect_of", "exchanges_of"]

DIALECTS = (
    NOCK,
    NEWMAN,
    COLLECTION,
    wiremock.JOURNAL,
    wiremock.MAPPINGS,
    hoverfly.SIMULATION,
    hoverfly.JOURNAL,
    TAPE,
    RESPONSES,
)


def dialect_of(document: Any) -> Dialect | None:
    """The dialect of a document, by its content; None for any other."""
    return next((dialect for dialect in DIALECTS if dialect.recognizes(document)), None)
