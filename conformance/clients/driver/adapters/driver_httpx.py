"""An example to copy from: a minimal client on httpx, and the adapter that lets the suite drive it.

The adapter reads JSON-RPC 2.0 from standard input, one message a line, uses the client as its users do, and writes
what the client gave back (``schemas/driver.json``).  Run it by

    cronofy-conformance certify -- python driver_httpx.py
"""

from __future__ import annotations

import base64
import hmac
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import httpx


class Client:
    """A client of the API: one method an endpoint, JSON in and JSON out."""

    def __init__(self, base_url: str, access_token: str) -> None:
        self._http = httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {access_token}"})

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Sends one request; raises httpx.HTTPStatusError for what is no success."""
        return self._http.request(method, url, **options).raise_for_status()

    def upsert_event(self, calendar_id: str, event: Mapping[str, Any]) -> None:
        """Creates an event, or updates it."""
        self.request("POST", f"/v1/calendars/{calendar_id}/events", json=event)

    def read_events(self, params: Mapping[str, Any], calendar_ids: Sequence[str] = ()) -> list[dict[str, Any]]:
        """The events of all pages."""
        query = {**params, "calendar_ids[]": list(calendar_ids)}
        page = self.request("GET", "/v1/events", params=query).json()
        events = list(page["events"])
        while next_page := page["pages"].get("next_page"):
            page = self.request("GET", next_page).json()
            events += page["events"]
        return events

    def delete_event(self, calendar_id: str, event_id: str) -> None:
        """Deletes an event."""
        self.request("DELETE", f"/v1/calendars/{calendar_id}/events", json={"event_id": event_id})

    def list_calendars(self) -> list[dict[str, Any]]:
        """The account's calendars."""
        calendars: list[dict[str, Any]] = self.request("GET", "/v1/calendars").json()["calendars"]
        return calendars

    def batch(self, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """One answer for each entry."""
        answers: list[dict[str, Any]] = self.request("POST", "/v1/batch", json={"batch": entries}).json()["batch"]
        return answers


def is_genuine(body: bytes, header: str, client_secret: str) -> bool:
    """Whether one of a notification's signatures is right."""
    right = base64.b64encode(hmac.digest(client_secret.encode(), body, "sha256")).decode()
    return any(hmac.compare_digest(part.strip(), right) for part in header.split(","))


class HttpxAdapter:
    """Turns requests of the protocol into calls of the client; a method's parameters are the request's ``params``."""

    methods = (
        "start",
        "upsert_event",
        "read_events",
        "delete_event",
        "list_calendars",
        "batch",
        "verify_notification",
        "stop",
    )
    client_class = Client
    client: Client

    def start(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self.client = self.client_class(params["base_url"], params["access_token"])
        return {"client": "httpx example", "version": httpx.__version__, "language": "python"}

    def upsert_event(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self.client.upsert_event(params["calendar_id"], params["event"])
        return {}

    def read_events(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"events": self.client.read_events(params["params"], params["calendar_ids"])}

    def delete_event(self, params: Mapping[str, Any]) -> dict[str, Any]:
        self.client.delete_event(params["calendar_id"], params["event_id"])
        return {}

    def list_calendars(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        return {"calendars": self.client.list_calendars()}

    def batch(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {"responses": self.client.batch(params["entries"])}

    def verify_notification(self, params: Mapping[str, Any]) -> dict[str, Any]:
        body = base64.b64decode(params["body_base64"])
        return {"valid": is_genuine(body, params["header"], params["client_secret"])}

    def stop(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        self.client.close()
        return {}

    def answer(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The ``result`` or the ``error`` of one request."""
        if method not in self.methods:
            return {"error": {"code": -32601, "message": f"the client has no {method}"}}
        try:
            return {"result": getattr(self, method)(params)}
        except httpx.HTTPStatusError as error:
            return {"error": {"code": -32000, "message": str(error), "data": reported(error.response)}}
        except Exception as error:  # noqa: BLE001 - whatever the client raises is what it reports
            return {"error": {"code": -32000, "message": repr(error)}}

    def run(self) -> None:
        """Answers line by line until it is told to stop."""
        for line in sys.stdin:
            request = json.loads(line)
            answer = self.answer(request["method"], request["params"])
            print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}), flush=True)
            if request["method"] == "stop":
                return


def reported(response: httpx.Response) -> dict[str, Any]:
    """What the client's error tells of the response: its status, and the errors of a 422."""
    errors = {"errors": response.json()["errors"]} if response.status_code == 422 else {}
    return {"status": response.status_code, **errors}


if __name__ == "__main__":
    HttpxAdapter().run()
