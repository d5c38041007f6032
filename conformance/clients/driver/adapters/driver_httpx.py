"""Drives a minimal client on httpx: the smallest client that keeps every rule, and a driver to copy from.

CertificationRun it by ``cronofy-conformance certify -- python driver_httpx.py``.
"""

from __future__ import annotations

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


class HttpxAdapter:
    """Turns the lines of the protocol into calls of the client."""

    client_class = Client
    client: Client

    def start(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        self.client = self.client_class(ask["base_url"], ask["access_token"])
        return {"client": "httpx example", "version": httpx.__version__, "language": "python"}

    def upsert_event(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        self.client.upsert_event(ask["calendar_id"], ask["event"])
        return {}

    def read_events(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        return {"events": self.client.read_events(ask.get("params", {}), ask.get("calendar_ids", ()))}

    def delete_event(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        self.client.delete_event(ask["calendar_id"], ask["event_id"])
        return {}

    def list_calendars(self, _ask: Mapping[str, Any]) -> dict[str, Any]:
        return {"calendars": self.client.list_calendars()}

    def stop(self, _ask: Mapping[str, Any]) -> dict[str, Any]:
        self.client.close()
        return {}

    def answer(self, ask: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one request, as the protocol has it."""
        known = ("start", "upsert_event", "read_events", "delete_event", "list_calendars", "stop")
        if ask["do"] not in known:
            return {"unsupported": f"this driver knows no {ask['do']}"}
        try:
            return {"ok": getattr(self, ask["do"])(ask)}
        except httpx.HTTPStatusError as error:
            return {"error": told(error.response)}
        except Exception as error:  # noqa: BLE001 - optional modules raise errors of their own
            return {"error": {"message": repr(error)}}

    def run(self) -> None:
        """Answers line by line until it is told to stop."""
        for line in sys.stdin:
            ask = json.loads(line)
            print(json.dumps({"id": ask["id"], **self.answer(ask)}), flush=True)
            if ask["do"] == "stop":
                return


def told(response: httpx.Response) -> dict[str, Any]:
    """What the client tells of an answer that is no success."""
    error: dict[str, Any] = {"status": response.status_code, "message": response.text}
    if response.status_code == 422:
        error["errors"] = response.json()["errors"]
    return error


if __name__ == "__main__":
    HttpxAdapter().run()
