"""Request bodies: JSON or form-encoded, as one object."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

__all__ = ["read_body"]

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")


def read_body(content_type: str, body: bytes) -> dict[str, Any]:
    """The object in a body; an empty body is an empty object.

    Raises ValueError for a body that is neither JSON of an object nor a form, by its content type.
    """
    if not body.strip():
        return {}
    if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        return _form(body)
    try:
        parsed = json.loads(body, parse_constant=_no_constant)
        if b"\\u" in body:
            json.dumps(parsed, ensure_ascii=False).encode()  # rejects half a surrogate pair
    except RecursionError:
        raise ValueError("the body is JSON nested too deep") from None
    except ValueError:
        raise ValueError("the body is no JSON in UTF-8") from None
    if not isinstance(parsed, dict):
        raise ValueError("the body is JSON but no object")  # noqa: TRY004 - one error for bad bodies
    return parsed


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _form(body: bytes) -> dict[str, Any]:
    """Names in brackets nest: ``a[b]=1`` is ``{"a": {"b": "1"}}``, ``a[]=1`` is ``{"a": ["1"]}``."""
    result: dict[str, Any] = {}
    for name, value in parse_qsl(body.decode("utf-8"), keep_blank_values=True):
        match = _NAME.match(name)
        if match is None:
            raise ValueError(f"the form has a name that does not nest: {name!r}")
        _put(result, [match[1], *_PART.findall(match[2])], value)
    return result


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    first, *rest = path
    if not rest:
        into[first] = value
        return
    if rest[0] != "":
        inner = into.setdefault(first, {})
        if not isinstance(inner, dict):
            raise ValueError(f"the form gives {first!r} two shapes")
        _put(inner, rest, value)
        return
    items = into.setdefault(first, [])
    if not isinstance(items, list):
        raise ValueError(f"the form gives {first!r} two shapes")  # noqa: TRY004 - one error for bad bodies
    if len(rest) == 1:
        items.append(value)
        return
    if not items or not isinstance(items[-1], dict) or rest[1] in items[-1]:
        items.append({})
    _put(items[-1], rest[1:], value)
