"""The inventory as a TOML file: it round-trips, and what is wrong in it is told in one sentence."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from reference_probe import StandingClock

from conformance.errors import UsageError
from conformance.reference import FAULTS, VARIATIONS
from conformance.reference.accounts import ReferenceInventory
from conformance.reference.calls import Call
from conformance.reference.hooks import Hooks
from conformance.reference.inventory_file import ServedInventory, inventory_text, parse_inventory, read_inventory
from conformance.reference.server import ReferenceServer

SMALL = '[[accounts]]\nname = "a"\n[[accounts.calendars]]\nname = "W"\nprovider_name = "google"\n'


def test_the_default_round_trips() -> None:
    text = inventory_text(ServedInventory())
    assert parse_inventory(text, "default") == ServedInventory()
    assert inventory_text(parse_inventory(text, "default")) == text


def test_texts_round_trip_whatever_they_hold() -> None:
    served = parse_inventory(SMALL, "small")
    [account] = served.inventory.accounts
    [calendar] = account.calendars
    odd = type(calendar)(**{**vars(calendar), "name": 'a"b\\c\n\t\u2028é😀 #'})
    changed = ServedInventory(ReferenceInventory((type(account)("a", (odd,)),)), 7.25, 3)
    assert parse_inventory(inventory_text(changed), "odd") == changed


def test_what_is_left_out_is_made_of_the_names() -> None:
    text = SMALL + 'integrated = "google_meet"\n[[accounts.profiles]]\nprovider_name = "zoom"\n'
    served = parse_inventory(text, "small")
    [account] = served.inventory.accounts
    assert (served.settling, served.page_size, account.token, account.chosen) == (0.5, 30, "reference-a-token", None)
    assert (account.calendars[0].provider_service, account.calendars[0].integrated) == ("gmail", "google_meet")
    assert account.calendars[0].calendar_id.startswith("cal_")
    assert account.profiles[0].profile_id.startswith("pro_")
    assert account.profiles[0].profile_name == "a@example.com"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "f: there is no account; add [[accounts]] with a name, and its calendars"),
        ("accounts = 1", "f: accounts is 1; expected tables, each as [[…accounts]]"),
        ("settling = -1\n" + SMALL, "f: settling is -1; expected a number of seconds, 0 or more"),
        ("settling = nan\n" + SMALL, "f: settling is nan; expected a number of seconds, 0 or more"),
        ("page_size = 0\n" + SMALL, "f: page_size is 0; expected a whole number of events, 1 or more"),
        ("page_size = true\n" + SMALL, "f: page_size is True; expected a whole number of events, 1 or more"),
        ("pagesize = 3\n" + SMALL, "f: unknown key 'pagesize'; did you mean 'page_size'?"),
        (SMALL + SMALL.replace("W", "V"), "f: the name 'a' is there twice; give each its own"),
        (
            SMALL.replace('"a"', '"a b"'),
            "f, accounts 1: name is 'a b'; expected up to 64 letters, digits and . _ - (but",
        ),
        (SMALL + "primary = 1", "f, accounts 1, calendars 1: primary is 1; expected true or false"),
        (SMALL + "integrated = true", "f, accounts 1, calendars 1: integrated is True; expected a text"),
        (SMALL + 'calendar_id = ""', "f, accounts 1, calendars 1: calendar_id is ''; expected a text"),
        (SMALL.replace('name = "W"', ""), "f, accounts 1, calendars 1: name is missing; expected a text"),
        (
            SMALL + '[[accounts.profiles]]\nprofile = "z"',
            "f, accounts 1, profiles 1: unknown key 'profile'; did you mean",
        ),
        (SMALL.replace("[[accounts.c", 'default_profile = "p"\n[[accounts.c'), "f, accounts 1: default_profile is 'p'"),
        (
            SMALL + '[[accounts.events]]\nsummary = "s"\ncalendar_id = "c"\nstarts_in = 1\nlasts = 1\n',
            "f, accounts 1: events.calendar_id is 'c'; expected the calendar_id of a calendar",
        ),
        ("a = ", "f is not TOML: "),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_place(text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_inventory(text, "f")
    assert str(caught.value).startswith(told)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory; name a TOML file"):
        read_inventory(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(UsageError, match="is not UTF-8 text; name a TOML file"):
        read_inventory(tmp_path / "latin.toml")


def test_every_fault_and_variation_serves_the_smallest_inventory() -> None:
    inventory = parse_inventory(SMALL, "small").inventory
    calendar_id = inventory.accounts[0].calendars[0].calendar_id
    headers = {"authorization": "Bearer reference-a-token", "content-type": "application/json"}
    event = {"event_id": "e", "summary": "s", "start": "2031-05-05T10:00:00Z", "end": "2031-05-05T11:00:00Z"}

    def statuses(hooks: Hooks) -> list[int]:
        server = ReferenceServer(inventory, StandingClock(), hooks, settle=0.0, seed=0, page_size=1)

        def answer(method: str, path: str, body: Any = None) -> int:
            sent = b"" if body is None else json.dumps(body).encode()
            return server.answer(Call(method, path, "tzid=Etc/UTC", headers, sent, "http://h")).status

        written = [
            answer("POST", f"/v1/calendars/{calendar_id}/events", {**event, "conferencing": {"profile_id": kind}})
            for kind in ("default", "integrated", "none", "pro_other")
        ]
        return [*written, *(answer("GET", f"/v1/{name}") for name in ("calendars", "userinfo", "events"))]

    chosen = [((), (fault,)) for fault in FAULTS.values()] + [((each,), ()) for each in VARIATIONS.values()]
    for variations, faults in chosen:
        assert len(statuses(Hooks(variations, faults))) == 7


def test_the_file_names_the_keys_of_the_readme() -> None:
    document = tomllib.loads(inventory_text(ServedInventory()))
    assert set(document) == {"settling", "page_size", "accounts"}
    assert {key for account in document["accounts"] for key in account} == {
        "name",
        "default_profile",
        "calendars",
        "profiles",
        "events",
    }
