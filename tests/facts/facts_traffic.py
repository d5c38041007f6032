"""Traffic made by hand: one account, one calendar, exchanges at times that a test chooses."""

from __future__ import annotations

import json
from typing import Any

from conformance.facts import Facts, Observer, Settings
from conformance.http.exchange import Exchange, Request, Response, bearer

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z
CALENDAR = "cal_A"
HEADERS = (("Authorization", bearer("default")), ("Content-Type", "application/json"))
READ = "http://127.0.0.1/v1/events?tzid=Etc%2FUTC&only_managed=true"
ASSIGNED = {"join_url": "https://meet.example/abc", "provider_name": "zoom"}


def explicit(url: str) -> dict[str, str]:
    """Conferencing as written: explicit."""
    return {"profile_id": "explicit", "provider_description": "Custom", "join_url": url}


def event(**fields: Any) -> dict[str, Any]:
    """An event as written, a month ahead."""
    return {
        "event_id": "e1",
        "summary": "Board",
        "start": "2026-10-21T10:00:00Z",
        "end": "2026-10-21T11:00:00Z",
        **fields,
    }


def item(conferencing: Any = None, **fields: Any) -> dict[str, Any]:
    """An event as read."""
    shown = {"calendar_id": CALENDAR, **event(**fields)}
    return shown if conferencing is None else {**shown, "conferencing": conferencing}


class Traffic:
    """Exchanges in a row; `at` is in seconds after `NOW`, and an answer takes a tenth of a second."""

    def __init__(self, *, times: bool = True) -> None:
        self.exchanges: list[Exchange] = []
        self._times = times

    def add(
        self, at: float, method: str, url: str, body: Any, status: int | None, answer: Any, took: float = 0.1
    ) -> Traffic:
        request = Request(method, url, HEADERS, b"" if body is None else json.dumps(body).encode())
        response = None
        if status is not None:
            response = Response(status, (), b"" if answer is None else json.dumps(answer).encode())
        sent, answered = (NOW + at, NOW + at + took) if self._times else (None, None)
        label = f"#{len(self.exchanges) + 1}"
        self.exchanges.append(Exchange(request, response, label, sent, answered, headers_complete=True))
        return self

    def write(self, at: float, body: dict[str, Any], status: int | None = 202, took: float = 0.1) -> Traffic:
        return self.add(at, "POST", f"http://127.0.0.1/v1/calendars/{CALENDAR}/events", body, status, None, took)

    def delete(self, at: float, status: int | None = 202) -> Traffic:
        url = f"http://127.0.0.1/v1/calendars/{CALENDAR}/events"
        return self.add(at, "DELETE", url, {"event_id": "e1"}, status, None)

    def read(self, at: float, *items: dict[str, Any], url: str = READ, took: float = 0.1) -> Traffic:
        return self.add(at, "GET", url, None, 200, {"pages": {"current": 1, "total": 1}, "events": list(items)}, took)

    def facts(self, settings: Settings | None = None) -> list[Facts]:
        observer = Observer(settings or Settings(quiet=2.0, settle_timeout=15.0))
        for exchange in self.exchanges:
            observer.add(exchange)
        observer.close()
        return observer.changed()

    def writes(self, settings: Settings | None = None) -> list[dict[str, Any]]:
        """The facts of the writes, in order."""
        return [facts.document for facts in self.facts(settings) if facts.about == "write"]
