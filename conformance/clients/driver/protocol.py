"""The answers of a driver: what a line says, and what is wrong with one that is no answer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, NoReturn

import jsonschema_rs

from conformance.contract.schemas import read, registry, rs_registry, uri

__all__ = ["DriverError", "excerpt", "named", "read_answer"]


class DriverError(Exception):
    """The driver crashed, hung, or answered what is no answer: a finding about the adapter, never about the client."""


def read_answer(line: bytes, number: int, do: str = "") -> dict[str, Any]:
    """The answer to request `number`, ``{id, ok|error|unsupported}``; DriverError says what is wrong with a line.

    An `ok` has the form that ``schemas/driver.json`` describes for what was to `do`.
    """
    asked = named(number, do)
    try:
        answer = json.loads(line.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DriverError(f"answered {asked} with what is no JSON in UTF-8: {excerpt(line)} ({error})") from None
    if not isinstance(answer, dict):
        raise DriverError(f"answered {asked} with {excerpt(line)}, expected a JSON object")
    if type(answer.get("id")) is not int or answer["id"] != number:
        raise DriverError(
            f"answered {asked} with the id {answer.get('id')!r:.80}: answers come in order, one for each request"
        )
    kinds = [kind for kind in ("ok", "error", "unsupported") if kind in answer]
    if len(kinds) != 1:
        raise DriverError(f"answered {asked} with {excerpt(line)}, expected one of ok, error and unsupported")
    kind, value = kinds[0], answer[kinds[0]]
    if kind == "unsupported":
        if not isinstance(value, str):
            raise DriverError(f"answered {asked} with unsupported: {value!r:.200}, expected the reason as a text")
    elif not isinstance(value, dict):
        raise DriverError(f"answered {asked} with {kind}: {excerpt(line)}, expected an object")
    elif kind == "error":
        _check_error(value, asked)
    elif do in _GIVEN:
        _check(f"{do}-ok", value, asked, "ok")
    return {"id": number, kind: value}


def named(number: int, do: str) -> str:
    """What a request is called in a sentence about it."""
    return "stop" if do == "stop" else f"request {number}" + (f" ({do})" if do else "")


#: What is asked where an answer under ``ok`` is not ignored.
_GIVEN = frozenset({"start", "read_events", "list_calendars"})


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _check_error(error: dict[str, Any], asked: str) -> None:
    status = error.get("status")
    if status is not None and (type(status) is not int or not 100 <= status <= 999):
        raise DriverError(f"answered {asked} with the error status {status!r:.80}, expected an HTTP status or none")
    _check("error", error, asked, "error")


def _check(part: str, value: dict[str, Any], asked: str, kind: str) -> None:
    if _validator(part).is_valid(value):
        return
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    schema = {"$ref": f"{uri('driver')}#/$defs/{part}"}
    wrong = best_match(Draft202012Validator(schema, registry=registry()).iter_errors(value))
    if wrong is None:
        return
    raise DriverError(f"answered {asked} with {_place(kind, wrong.absolute_path)}: {_expected(wrong)}")


def _place(kind: str, path: Iterable[str | int]) -> str:
    return kind + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _expected(wrong: Any) -> str:
    seen = excerpt(json.dumps(wrong.instance).encode())
    if wrong.validator == "required":
        missing = [name for name in wrong.validator_value if name not in wrong.instance]
        return f"{seen}, expected it to have {' and '.join(missing)} (schemas/driver.json)"
    kinds = wrong.validator_value if isinstance(wrong.validator_value, list) else [wrong.validator_value]
    return f"{seen}, expected {' or '.join(map(str, kinds))} (schemas/driver.json)"


@cache
def _validator(part: str) -> Any:
    return jsonschema_rs.validator_for({"$ref": f"{read('driver')['$id']}#/$defs/{part}"}, registry=rs_registry())


def excerpt(line: bytes) -> str:
    """The beginning of a line as text, in quotation marks."""
    text = line.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= 160 else text[:157] + "…")
