"""WireMock: the mappings that its recorder wrote, one or many a file, and its request journal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance.recordings.attachments import attached_in
from conformance.recordings.dialects.dialect import Dialect, LeftOutError, at, has, milliseconds
from conformance.recordings.parsing import base64_bytes, json_bytes

__all__ = ["JOURNAL", "MAPPINGS"]

#: A stub matches requests to any host.
_ANY_HOST = "http://localhost"


_PATTERNS = tuple(f"request.{name}" for name in ("urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate"))


def _is_stub(value: Any) -> bool:
    """Whether a value is a stub; its URL has no host."""
    routed = str(at(value, "request.url")).startswith("/") or any(has(value, place) for place in _PATTERNS)
    return has(value, "response") and (routed or has(value, "request.method", "uuid"))


def _stubs(document: Any) -> Any:
    return document.get("mappings", [document])


def _url(stub: Mapping[str, Any]) -> str:
    if has(stub, "request.url"):
        return f"{_ANY_HOST}{at(stub, 'request.url')}"
    if not has(stub, "request.urlPath"):
        raise LeftOutError("stubs for a pattern of URLs")
    pairs = []
    for name, matcher in (at(stub, "request.queryParameters") or {}).items():
        exact = matcher.get("hasExactly", [matcher]) if isinstance(matcher, dict) else []
        for one in exact:
            if not isinstance(one, dict) or not isinstance(one.get("equalTo"), str):
                raise LeftOutError("stubs for a pattern of URLs")
            pairs.append(f"{quote(name, safe='')}={quote(one['equalTo'], safe='')}")
    return f"{_ANY_HOST}{at(stub, 'request.urlPath')}" + ("?" + "&".join(pairs) if pairs else "")


def _method(stub: Mapping[str, Any]) -> Any:
    method = at(stub, "request.method")
    if method in (None, "ANY"):
        raise LeftOutError("stubs for any method")
    return method


def _sent_headers(stub: Mapping[str, Any]) -> dict[str, str]:
    held = at(stub, "request.headers") or {}
    exact = {name: at(matcher, "equalTo") for name, matcher in held.items()} if isinstance(held, dict) else {}
    return {name: value for name, value in exact.items() if isinstance(value, str)}


def _sent_body(stub: Mapping[str, Any]) -> Any:
    """The body that a stub expects to the letter; None for any other pattern."""
    patterns = at(stub, "request.bodyPatterns") or [{}]
    exact = patterns[0] if isinstance(patterns, list) and len(patterns) == 1 else {}
    body = at(exact, ("equalToJson", "equalTo"))
    return base64_bytes(exact["binaryEqualTo"], "request.bodyPatterns") if has(exact, "binaryEqualTo") else body


def _status(stub: Mapping[str, Any]) -> Any:
    response = stub["response"]
    if any(response.get(name) for name in ("proxyBaseUrl", "fault")):
        raise LeftOutError("stubs that hand on or fail")
    if response.get("transformers"):
        raise LeftOutError("stubs whose response is a template")
    return response.get("status", 200)


def _body(response: Mapping[str, Any]) -> Any:
    """The body of a response; None where it stands in a file of its own."""
    if "jsonBody" in response:
        return json_bytes(response["jsonBody"], "response.jsonBody")
    for name in ("base64Body", "bodyAsBase64"):
        if response.get(name):
            return base64_bytes(str(response[name]), f"response.{name}")
    return response.get("body", None if "bodyFileName" in response else "")


def _attached(path: Path, stub: Any) -> bytes | None:
    """A body that stands in a file: WireMock keeps them beside its folder of mappings."""
    above = next((depth for depth, folder in enumerate(path.parents, 1) if folder.name == "mappings"), 0)
    return attached_in(path, f"{'../' * above}__files", at(stub, "response.bodyFileName"))


MAPPINGS = Dialect(
    name="WireMock's mappings",
    recognizes=lambda document: (
        isinstance(document, dict)
        and (
            _is_stub(document)
            or (isinstance(document.get("mappings"), list) and all(map(_is_stub, document["mappings"])))
        )
    ),
    items=_stubs,
    is_part=_is_stub,
    method=_method,
    url=_url,
    status=_status,
    request_headers=_sent_headers,
    request_body=_sent_body,
    response_headers="response.headers",
    response_body=lambda stub: _body(stub["response"]),
    attached=_attached,
    ordered=False,
)

JOURNAL = Dialect(
    name="WireMock's request journal",
    recognizes=lambda document: (
        isinstance(document, dict)
        and isinstance(document.get("requests"), list)
        and has(document, "meta")
        and all(has(item, "request.absoluteUrl") for item in document["requests"])
    ),
    # The latest request comes first.
    items=lambda document: reversed(document["requests"]),
    method="request.method",
    url="request.absoluteUrl",
    status="response.status",
    request_headers="request.headers",
    request_body=lambda item: _body(item["request"]),
    response_headers="response.headers",
    response_body=lambda item: _body(item["response"]),
    sent_at=lambda item: milliseconds(at(item, "request.loggedDate"), "request.loggedDate"),
    answered_at=lambda item: (
        (milliseconds(at(item, "request.loggedDate"), "request.loggedDate") or 0.0)
        + (milliseconds(at(item, "timing.totalTime"), "timing.totalTime") or 0.0)
        or None
    ),
)
