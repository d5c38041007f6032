"""The tests of the application, on the reference server; the README shows them."""

import pytest
from rooms import ROOM, Rooms


@pytest.fixture
def rooms(cronofy_server):
    rooms = Rooms(cronofy_server.url, cronofy_server.token, cronofy_server.calendar_id)
    yield rooms
    rooms.api.close()


def test_a_meeting_is_somewhere_in_the_end(rooms, cronofy_server):
    rooms.book("standup", {"profile_id": "default"})
    assert rooms.where("standup") is None
    cronofy_server.advance()  # until nothing is pending
    assert rooms.where("standup").startswith("https://meet.google.com/")


def test_a_meeting_in_our_own_room(rooms):
    rooms.book("retro", ROOM)


@pytest.mark.cronofy_server(fault="explicit-url-lower-cased", settling=60, latency=0.05)
def test_our_room_on_a_server_that_changes_urls(rooms, cronofy_server):
    rooms.book("retro", ROOM)
    cronofy_server.advance(61)
    assert rooms.where("retro") == ROOM["join_url"].lower()
