"""Postman: the examples that are saved in a collection, and the JSON report of Newman."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from conformance.recordings.dialects.dialect import Dialect, LeftOutError, at, has
from conformance.recordings.metadata import MalformedPartError

__all__ = ["COLLECTION", "NEWMAN"]

_VARIABLE = re.compile(r"\{\{([^{}]+)\}\}")
#: A variable in place of a host, which environments define: it stands for some host, and the requests tell which API.
_UNKNOWN_HOST = re.compile(r"\A(?:https?://)?\{\{([^{}]+)\}\}(?=[/?:]|\Z)")
_NO_LABEL = re.compile(r"[^A-Za-z0-9]+")


def _is_collection(document: Any) -> bool:
    return has(document, "info", "item") and isinstance(document["item"], list)


def _examples(document: Mapping[str, Any]) -> Iterator[Any]:
    """The saved examples of all requests, with the collection's variables filled in."""
    values = _values(document.get("variable"))
    for item in _requests(document["item"]):
        saved = item.get("response")
        for example in saved if isinstance(saved, list) else []:
            if isinstance(example, dict):
                request = example.get("originalRequest") or item.get("request")
                yield {"request": _filled(request, values), "response": example}


def _requests(items: Any) -> Iterator[Mapping[str, Any]]:
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            yield item
            yield from _requests(item.get("item"))


def _values(variables: Any) -> dict[str, str]:
    named = [one for one in variables or [] if isinstance(one, dict)] if isinstance(variables, list) else []
    return {str(one.get("key", one.get("id"))): str(one["value"]) for one in named if one.get("value") is not None}


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: values.get(match[1].strip(), match[0]), value)
    if isinstance(value, dict):
        return {name: _filled(held, values) for name, held in value.items()}
    return [_filled(held, values) for held in value] if isinstance(value, list) else value


def _url(item: Mapping[str, Any]) -> Any:
    """The URL, as text or from its parts, with the variables of its path filled in."""
    request = item["request"]
    url = request if isinstance(request, str) else at(request, "url")
    if isinstance(url, dict):
        url = _filled_path(url) if isinstance(url.get("path"), list) and url.get("host") else url.get("raw")
    if isinstance(url, str):
        url = _UNKNOWN_HOST.sub(lambda match: f"http://{_NO_LABEL.sub('-', match[1])}.invalid", url)
    if isinstance(url, str) and "{{" in url:
        raise LeftOutError("examples whose URL has variables that the file does not define")
    return f"http://{url}" if isinstance(url, str) and "://" not in url else url


def _filled_path(url: Mapping[str, Any]) -> str:
    host = url["host"] if isinstance(url["host"], str) else ".".join(map(str, url["host"]))
    variables = _values(url.get("variable"))
    path = "/".join(variables.get(part[1:], part) if part.startswith(":") else part for part in map(str, url["path"]))
    query = "&".join(
        f"{one.get('key')}={'' if one.get('value') is None else one['value']}"
        for one in url.get("query") or []
        if isinstance(one, dict) and not one.get("disabled")
    )
    scheme = "" if "://" in host else f"{url.get('protocol') or 'https'}://"
    port = f":{url['port']}" if url.get("port") else ""
    return f"{scheme}{host}{port}/{path}" + (f"?{query}" if query else "")


def _headers(value: Any) -> Any:
    if isinstance(value, list):
        return [
            (one.get("key"), one.get("value")) for one in value if isinstance(one, dict) and not one.get("disabled")
        ]
    return () if isinstance(value, str) or value is None else value


def _sent_headers(item: Mapping[str, Any]) -> Any:
    """The headers, with the bearer token that Postman adds when it sends."""
    headers = _headers(at(item, "request.header"))
    token = _values(at(item, "request.auth.bearer")).get("token")
    if not isinstance(headers, list | tuple):
        return headers
    sent = [*headers, *([("Authorization", f"Bearer {token}")] if token else [])]
    # A variable without a value in the file: a token was sent, and nothing is known of it.
    return [(name, "{{}}" if _VARIABLE.search(str(value)) else value) for name, value in sent]


def _sent_body(item: Mapping[str, Any]) -> Any:
    """The body that was sent; None for one that stands in a file."""
    body = at(item, "request.body") or {}
    match at(body, "mode"):
        case None:
            return "" if has(item, "request.method") else None
        case "raw":
            return at(body, "raw") or ""
        case "urlencoded":
            pairs = body.get("urlencoded") or []
            return urlencode([(one.get("key"), one.get("value") or "") for one in pairs if not one.get("disabled")])
    return None


def _buffer(item: Mapping[str, Any]) -> Any:
    """The bytes of a response as Node writes a Buffer: a list of numbers."""
    stream = at(item, "response.stream")
    if stream is None:
        return at(item, "response.body")
    try:
        return bytes(stream["data"])
    except (KeyError, TypeError, ValueError):
        raise MalformedPartError("response.stream: expected a Buffer with data") from None


COLLECTION = Dialect(
    name="a Postman collection",
    recognizes=lambda document: _is_collection(document) and any(True for _ in _examples(document)),
    items=_examples,
    method=lambda item: at(item, "request.method") or "GET",
    url=_url,
    status="response.code",
    request_headers=_sent_headers,
    request_body=_sent_body,
    response_headers=lambda item: _headers(at(item, "response.header")),
    # An example that nobody received may have no body.
    response_body=lambda item: at(item, "response.body"),
    ordered=False,
    advice="save the example again, or repair it there",
)

NEWMAN = Dialect(
    name="a report of Newman",
    recognizes=lambda document: has(document, "run.executions") and isinstance(document["run"]["executions"], list),
    items=lambda document: document["run"]["executions"],
    method=lambda item: at(item, "request.method") or "GET",
    url=_url,
    status="response.code",
    request_headers=_sent_headers,
    request_body=_sent_body,
    response_headers=lambda item: _headers(at(item, "response.header")),
    response_body=_buffer,
)
