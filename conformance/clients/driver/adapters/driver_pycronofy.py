"""Drives pycronofy, Cronofy's client for Python (``pip install pycronofy``), as its README uses it.

CertificationRun it by ``cronofy-conformance certify -- python driver_pycronofy.py``.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any

import pycronofy  # type: ignore[import-untyped, import-not-found, unused-ignore]  # it ships no types
from pycronofy.exceptions import PyCronofyRequestError  # type: ignore[import-untyped, import-not-found, unused-ignore]

PARAMETERS = {"from": "from_date", "to": "to_date"}


def start(ask: dict[str, Any]) -> dict[str, Any]:
    global client
    pycronofy.settings.API_BASE_URL = ask["base_url"]
    client = pycronofy.Client(access_token=ask["access_token"])
    return {"client": "pycronofy", "version": version("pycronofy"), "language": "python"}


def upsert_event(ask: dict[str, Any]) -> dict[str, Any]:
    client.upsert_event(calendar_id=ask["calendar_id"], event=ask["event"])
    return {}


def read_events(ask: dict[str, Any]) -> dict[str, Any]:
    parameters = {PARAMETERS.get(name, name): value for name, value in ask.get("params", {}).items()}
    events = client.read_events(calendar_ids=ask.get("calendar_ids", ()), **parameters)
    return {"events": events.all()}


def delete_event(ask: dict[str, Any]) -> dict[str, Any]:
    client.delete_event(calendar_id=ask["calendar_id"], event_id=ask["event_id"])
    return {}


def list_calendars(_ask: dict[str, Any]) -> dict[str, Any]:
    return {"calendars": client.list_calendars()}


def stop(_ask: dict[str, Any]) -> dict[str, Any]:
    return {}


KNOWN = {do.__name__: do for do in (start, upsert_event, read_events, delete_event, list_calendars, stop)}


def answer(ask: dict[str, Any]) -> dict[str, Any]:
    if ask["do"] not in KNOWN:
        return {"unsupported": f"pycronofy has no {ask['do']}"}
    try:
        return {"ok": KNOWN[ask["do"]](ask)}
    except PyCronofyRequestError as error:
        return {"error": told(error)}
    except Exception as error:  # noqa: BLE001 - optional modules raise errors of their own
        return {"error": {"message": repr(error)}}


def told(error: PyCronofyRequestError) -> dict[str, Any]:
    result = {"status": error.response.status_code, "message": error.message}
    if error.response.status_code == 422:
        result["errors"] = error.response.json()["errors"]
    return result


client: pycronofy.Client

if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"id": request["id"], **answer(request)}), flush=True)
        if request["do"] == "stop":
            break
