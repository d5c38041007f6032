"""An application that books rooms for meetings, and tells where they can be joined."""

import os

import httpx

WHEN = {"start": "2031-05-05T10:00:00Z", "end": "2031-05-05T10:15:00Z"}
ROOM = {"profile_id": "explicit", "provider_description": "Rooms", "join_url": "https://rooms.example.com/Join/R7"}
if os.environ.get("ROOMS_BROKEN"):
    ROOM["join_url"] = "rooms.example.com/Join/R7"


class Rooms:
    def __init__(self, api_url, access_token, calendar_id):
        self.api = httpx.Client(base_url=api_url, headers={"Authorization": f"Bearer {access_token}"})
        self.path = f"/v1/calendars/{calendar_id}/events"

    def book(self, meeting, conferencing):
        self.api.post(self.path, json={"event_id": meeting, "summary": meeting, **WHEN, "conferencing": conferencing})

    def where(self, meeting):
        """Where a meeting can be joined; None while that is not known."""
        page = self.api.get("/v1/events", params={"tzid": "Etc/UTC", "only_managed": "true"}).raise_for_status().json()
        shown = {event["event_id"]: event.get("conferencing") or {} for event in page["events"]}
        return shown.get(meeting, {}).get("join_url")
