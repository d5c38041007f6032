"""Drives pycronofy, Cronofy's client for Python (``pip install pycronofy``), as its README uses it.

Run it by ``cronofy-conformance certify -- python driver_pycronofy.py``.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from importlib.metadata import version
from typing import Any

import pycronofy  # type: ignore[import-untyped, import-not-found, unused-ignore]  # it ships no types
from pycronofy.batch import BatchBuilder  # type: ignore[import-untyped, import-not-found, unused-ignore]
from pycronofy.exceptions import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
    PyCronofyPartialSuccessError,
    PyCronofyRequestError,
)  # type: ignore[import-untyped, import-not-found, unused-ignore]

PARAMETERS = {"from": "from_date", "to": "to_date"}


def start(params: dict[str, Any]) -> dict[str, Any]:
    global client
    pycronofy.settings.API_BASE_URL = params["base_url"]
    client = pycronofy.Client(access_token=params["access_token"])
    return {"client": "pycronofy", "version": version("pycronofy"), "language": "python"}


def upsert_event(params: dict[str, Any]) -> dict[str, Any]:
    client.upsert_event(calendar_id=params["calendar_id"], event=params["event"])
    return {}


def read_events(params: dict[str, Any]) -> dict[str, Any]:
    parameters = {PARAMETERS.get(name, name): value for name, value in params["params"].items()}
    return {"events": client.read_events(calendar_ids=params["calendar_ids"], **parameters).all()}


def delete_event(params: dict[str, Any]) -> dict[str, Any]:
    client.delete_event(calendar_id=params["calendar_id"], event_id=params["event_id"])
    return {}


def list_calendars(_params: dict[str, Any]) -> dict[str, Any]:
    return {"calendars": client.list_calendars()}


def batch(params: dict[str, Any]) -> dict[str, Any]:
    builder = BatchBuilder()
    for entry in params["entries"]:
        builder.add_entry(entry["method"], entry["relative_url"], entry["data"])
    try:
        result = client.batch(builder)
    except PyCronofyPartialSuccessError as error:
        result = error.batch_response
    return {"responses": [entry.response for entry in result.entries]}


def verify_notification(params: dict[str, Any]) -> dict[str, Any]:
    verifier = pycronofy.Client(client_secret=params["client_secret"])
    return {"valid": verifier.hmac_valid(params["header"], b64decode(params["body_base64"]).decode())}


def stop(_params: dict[str, Any]) -> dict[str, Any]:
    return {}


OPTIONAL = (batch, verify_notification)
METHODS = {
    method.__name__: method
    for method in (start, upsert_event, read_events, delete_event, list_calendars, *OPTIONAL, stop)
}


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    if method not in METHODS:
        return {"error": {"code": -32601, "message": f"pycronofy has no {method}"}}
    try:
        return {"result": METHODS[method](params)}
    except PyCronofyRequestError as error:
        return {"error": {"code": -32000, "message": str(error.message), "data": reported(error)}}
    except Exception as error:  # noqa: BLE001 - whatever the client raises is what it reports
        return {"error": {"code": -32000, "message": repr(error)}}


def reported(error: PyCronofyRequestError) -> dict[str, Any]:
    status = error.response.status_code
    return {"status": status, **({"errors": error.response.json()["errors"]} if status == 422 else {})}


client: pycronofy.Client

if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        response = {"jsonrpc": "2.0", "id": request["id"], **answer(request["method"], request["params"])}
        print(json.dumps(response), flush=True)
        if request["method"] == "stop":
            break
