"""What the team asks of its server; pytest-recording keeps the traffic."""

import pytest

PATH = "/v1/calendars/cal_booking/events"
EVENT = {"summary": "Interview", "start": "2031-05-05T10:00:00Z", "end": "2031-05-05T11:00:00Z"}


def event(client, event_id):
    page = client.get("/v1/events", params={"tzid": "Etc/UTC", "only_managed": "true"}).json()
    return next(event for event in page["events"] if event["event_id"] == event_id)


@pytest.mark.vcr
def test_a_conference_is_pending_at_first(client):
    body = {**EVENT, "event_id": "interview", "conferencing": {"profile_id": "default"}}
    assert client.post(PATH, json=body).status_code == 202
    assert event(client, "interview")["conferencing"] == {"pending": True}


@pytest.mark.vcr
def test_our_own_room_can_be_joined(client):
    room = {
        "profile_id": "explicit",
        "provider_description": "Rooms",
        "join_url": "https://rooms.example.com/Join/R7",
    }
    client.post(PATH, json={**EVENT, "event_id": "room", "conferencing": room})
    assert event(client, "room")["conferencing"]["join_url"].startswith("https://rooms.example.com/")


@pytest.mark.vcr
def test_a_room_goes(client):
    room = {
        "profile_id": "explicit",
        "provider_description": "Rooms",
        "join_url": "https://rooms.example.com/r8",
    }
    client.post(PATH, json={**EVENT, "event_id": "gone", "conferencing": room})
    client.post(PATH, json={**EVENT, "event_id": "gone", "conferencing": {"profile_id": "none"}})
    assert "conferencing" not in event(client, "gone")
