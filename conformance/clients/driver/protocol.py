"""The driver protocol: JSON-RPC 2.0, one message a line, as ``schemas/driver.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NoReturn

from conformance.contract.schemas import read, registry, uri, validity
from conformance.errors import UserError

__all__ = ["DriverError", "excerpt", "named", "read_response", "report_of", "request_line"]

#: The error code for a request, or an event, that the client has no means for.
_UNSUPPORTED = -32601

#: Error codes that say that the adapter could not read the request at all.
_UNREAD = {-32700: "a parse error", -32600: "an invalid request"}

#: Methods whose result is not ignored.
_WITH_RESULT = frozenset({"start", "read_events", "list_calendars", "batch", "verify_notification"})


class DriverError(UserError):
    """The adapter crashed, hung or broke the protocol: a finding about the adapter, not about the client."""


def request_line(number: int, method: str, params: Mapping[str, Any]) -> bytes:
    """The line of one request."""
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def read_response(line: bytes, number: int, method: str = "") -> dict[str, Any]:
    """The response to request `number`, ``{"result": …}`` or ``{"error": …}``; raises DriverError for anything else."""
    request = named(number, method)
    try:
        response = json.loads(line.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DriverError(f"answered {request} with what is not JSON in UTF-8: {excerpt(line)} ({error})") from None
    if not isinstance(response, dict):
        raise DriverError(f"answered {request} with {excerpt(line)}, expected a JSON object")
    if response.get("jsonrpc") != "2.0":
        raise DriverError(f'answered {request} with {excerpt(line)}, expected "jsonrpc": "2.0"')
    kinds = [kind for kind in ("result", "error") if kind in response]
    if len(kinds) != 1:
        raise DriverError(f"answered {request} with {excerpt(line)}, expected either result or error")
    kind, value = kinds[0], response[kinds[0]]
    if not isinstance(value, dict):
        raise DriverError(f"answered {request} with {kind}: {excerpt(line)}, expected an object")
    if kind == "error":
        _check("error", value, request, kind)
        if value["code"] in _UNREAD:
            raise DriverError(f"answered {request} with {_UNREAD[value['code']]}: {value['message']:.200}")
    if type(response.get("id")) is not int or response["id"] != number:
        raise DriverError(
            f"answered {request} with the id {response.get('id')!r:.80}, expected {number}: one response a request"
        )
    if kind == "result" and method in _WITH_RESULT:
        _check(f"{method}-result", value, request, kind)
    return {kind: value}


def report_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What a client reported, in the terms of facts.

    ``{"ok": result}``, ``{"error": {"message": …, "status"?: …, "errors"?: …}}`` or ``{"unsupported": why}``.
    """
    if "result" in answer:
        return {"ok": answer["result"]}
    error = answer["error"]
    if error["code"] == _UNSUPPORTED:
        return {"unsupported": error["message"]}
    data = error.get("data")
    known = {name: data[name] for name in ("status", "errors") if name in data} if isinstance(data, Mapping) else {}
    return {"error": {"message": error["message"], **known}}


def named(number: int, method: str) -> str:
    """What a request is called in a sentence about it."""
    return "stop" if method == "stop" else f"request {number}" + (f" ({method})" if method else "")


def excerpt(line: bytes) -> str:
    """The beginning of a line as text, in quotation marks."""
    text = line.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= 160 else text[:157] + "…")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check(part: str, value: dict[str, Any], request: str, kind: str) -> None:
    if _validity(part)(value):
        return
    from jsonschema import Draft202012Validator  # slow to import, and only a wrong answer needs it
    from jsonschema.exceptions import best_match

    schema = {"$ref": f"{uri('driver')}#/$defs/{part}"}
    wrong = best_match(Draft202012Validator(schema, registry=registry()).iter_errors(value))
    if wrong is not None:
        raise DriverError(f"answered {request} with {_place(kind, wrong.absolute_path)}: {_expected(wrong)}")


def _place(kind: str, path: Iterable[str | int]) -> str:
    return kind + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _expected(wrong: Any) -> str:
    found = excerpt(json.dumps(wrong.instance).encode())
    if wrong.validator == "required":
        missing = [name for name in wrong.validator_value if name not in wrong.instance]
        return f"{found}, expected it to have {' and '.join(missing)} (see --print-driver schema)"
    if wrong.validator in ("minimum", "maximum"):
        return f"{found}, expected an HTTP status (see --print-driver schema)"
    types = wrong.validator_value if isinstance(wrong.validator_value, list) else [wrong.validator_value]
    return f"{found}, expected {' or '.join(map(str, types))} (see --print-driver schema)"


@cache
def _validity(part: str) -> Callable[[Any], bool]:
    return validity({"$ref": f"{read('driver')['$id']}#/$defs/{part}"})
