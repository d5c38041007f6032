"""The API's shapes: what they accept and refuse, and that the OpenAPI description uses nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from jsonschema import Draft202012Validator

from conformance.contract import schemas
from conformance.contract.openapi import with_shapes

ZOOM = {"join_url": "https://zoom.example/j/1", "provider_name": "zoom"}
EXPLICIT = {"profile_id": "explicit", "provider_description": "Tin cans", "join_url": "https://cans.example/7"}
EVENT = {"event_id": "a", "summary": "A", "start": "2031-03-14T09:00:00Z", "end": "2031-03-14T10:00:00Z"}
CALENDAR = {
    "provider_name": "google",
    "profile_id": "pro_1",
    "profile_name": "tea@home.example",
    "calendar_id": "cal_1",
    "calendar_name": "Home",
    "calendar_readonly": False,
    "calendar_deleted": False,
    "calendar_primary": True,
    "calendar_integrated_conferencing_available": True,
}
PROFILE = {
    "provider_name": "zoom",
    "profile_id": "pro_2",
    "profile_name": "tea@home.example",
    "profile_connected": True,
}
ERROR = {"key": "errors.required", "description": "is required"}
UNAVAILABLE = {"key": "errors.integrated_conferencing_not_available"}


def without(value: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: child for name, child in value.items() if name != key}


def page(*events: Any, **pages: Any) -> dict[str, Any]:
    return {"pages": {"current": 1, "total": 1, **pages}, "events": list(events)}


def account(*profiles: Any, **data: Any) -> dict[str, Any]:
    return {"sub": "acc_1", "cronofy.data": {"profiles": list(profiles), **data}}


def connected(*calendars: Any) -> dict[str, Any]:
    return {**PROFILE, "provider_name": "google", "profile_calendars": list(calendars)}


#: shape: (what it takes, what it refuses)
SHAPES: dict[str, tuple[list[Any], list[Any]]] = {
    "http-uri": (
        [
            *(
                "http://a",
                "HTTPS://A.EXAMPLE/b?c=d#e",
                "https://u:p@h:80/",
                "https://[::1]:8/",
                "https://a?b",
                "https://a#b",
            ),
            *("https://bücher.example/ü", "https://a/%zz|{}"),
        ],
        [
            *("http://", "http:///x", "https:/a", "https:a", "//a", "a", "", "ftp://a", "zoommtg://a", "xhttp://a"),
            *(
                "https://a b",
                " https://a",
                "https://a\n",
                "https://a/\n",
                "https://a\u0000",
                "https://:80",
                "https://[::1",
                5,
                None,
            ),
        ],
    ),
    "http-uri#/$defs/absolute-uri": (
        ["https://a", "zoommtg://a", "tel:1", "urn:a:b", "msteams:ü"],
        ["a", "//a", ":a", "1a:b", "a:", "a: b", "a:b c", "a:b\n", 5, None],
    ),
    "http-uri#/$defs/certainly-not-http-uri": (
        ["http://", "http:///x", "https:/a", "https:a", "//a", "a", "", " ", "ftp://a", "zoommtg://a", 5, None, [], {}],
        [
            "http://a",
            " https://a",
            "https://a\n",
            "https://a b",
            "https://:80",
            "https://[::1",
            "https://@/",
            "HTTP://A",
        ],
    ),
    "http-uri#/$defs/http-uri-within-blanks": (
        [
            *(
                "http://a",
                " https://a",
                "https://a\n",
                "https://[::1",
                "HTTPS://A",
                "https://u:p@h:80/",
                "https://a@b@c",
            ),
            *("https://bücher.example/ü", "https://a/%zz|{}", "\t\nhttps://a/ü?#\t", "https://a\u00a0b"),
        ],
        [
            *(
                "http://",
                "http:///x",
                "https:/a",
                "//a",
                "a",
                "",
                " ",
                "ftp://a",
                "xhttp://a",
                "https://a b",
                "https://@/",
            ),
            *(
                "https://:80",
                "https://u@:80",
                "https://?a",
                "https://#a",
                "https://a\tb",
                "https://a/b c ",
                5,
                None,
                [],
            ),
        ],
    ),
    "times": (
        [
            *(
                "2031-03-14",
                "2031-03-14T09:00:00Z",
                "2031-03-14T09:00Z",
                "2031-03-14T09:00:00.123Z",
                "2031-12-31T23:59:60Z",
            ),
            *("2031-03-14T09:00:00+05:30", "2031-03-14T09:00:00-0800", "2031-03-14T09:00:00"),
            {"time": "2031-03-14T09:00:00", "tzid": "Europe/Paris"},
            {"time": "2031-03-14", "tzid": "Etc/UTC", "more": 1},
        ],
        [
            *(
                "",
                "soon",
                "2031-3-14",
                "2031-13-14",
                "2031-03-32",
                "2031-03-14 09:00",
                "2031-03-14T",
                "2031-03-14T25:00:00Z",
            ),
            *("2031-03-14\n", "2031-03-14T09:00:00Z\n", "\u0662031-03-14", 1931331600, None, {}),
            {"time": "soon", "tzid": "Etc/UTC"},
            {"time": "2031-03-14"},
            {"tzid": "Etc/UTC"},
            {"time": "2031-03-14", "tzid": ""},
        ],
    ),
    "times#/$defs/written": (
        [
            *(
                "2031-03-14",
                "2031-03-14T09:00:00Z",
                "2031-03-14t09:00:00z",
                "2031-03-14T09:00:00+0530",
                "2031-03-14t09:00",
            ),
            *({"time": "2031-03-14T09:00:00", "tzid": "Europe/Paris"}, "2031-03-14T09:00:00.123456+02:00"),
        ],
        [
            *(
                "2031-03-14 09:00:00Z",
                "14/03/2031",
                "20310314T090000Z",
                "2031-03-14T09:00:00Z\n",
                "soon",
                "",
                1931331600,
            ),
            *(None, [], {}, {"time": "2031-03-14T09:00:00Z"}, {"dateTime": "2031-03-14T09:00:00Z"}),
        ],
    ),
    "conferencing-as-written": (
        [
            *({"profile_id": id_} for id_ in ("default", "none", "integrated", "8x8", "pro_1", "int_6_0")),
            EXPLICIT,
            {**EXPLICIT, "join_url": "http://a", "provider_description": "", "more": 1},
            {"profile_id": "default", "join_url": 7},
        ],
        [
            *(
                {},
                None,
                [],
                "default",
                {"profile_id": None},
                {"profile_id": ""},
                {"profile_id": 1},
                {"profile_id": "explicit"},
            ),
            *(without(EXPLICIT, key) for key in EXPLICIT),
            *({**EXPLICIT, "join_url": url} for url in ("ftp://a", "", None)),
            {**EXPLICIT, "provider_description": None},
        ],
    ),
    "conferencing-as-written#/$defs/explicit": (
        [EXPLICIT, {"profile_id": "explicit"}],
        [{}, {"profile_id": "default"}],
    ),
    "conferencing-as-written#/$defs/named": (
        [{"profile_id": "pro_1"}, {"profile_id": "None"}],
        [{"profile_id": id_} for id_ in ("default", "none", "integrated", "explicit", "8x8", "", None)],
    ),
    "conferencing-as-written#/$defs/mistaken": (
        [
            {"profile_id": id_}
            for id_ in (
                *("Default", "NONE", "Explicit", "INTEGRATED", "8X8", "zoom", "Zoom", "go_to", "GoTo", "google_meet"),
                *("Google Meet", "google_meet_api", "ms_teams", "MS_Teams", "teams", "ms_teams_for_business"),
            )
        ],
        [
            *({"profile_id": id_} for id_ in ("default", "none", "integrated", "explicit", "8x8", "pro_1", "", 8)),
            *({"profile_id": id_} for id_ in ("zoom\n", "my-zoom", "zoom_667c", "default1", "go__to", "ms_")),
            *({}, "zoom", None),
        ],
    ),
    "conferencing-as-written#/$defs/wanted": (
        [{"profile_id": id_} for id_ in ("default", "integrated", "explicit", "pro_1")],
        [{"profile_id": "none"}, {"profile_id": "8x8"}, {}, None],
    ),
    "conferencing-as-read": (
        [
            *(None, {"pending": True}, {"pending": True, "more": 1}, ZOOM, {**ZOOM, "pending": False}),
            *({**ZOOM, "provider_name": name} for name in (None, "google_meet", "never_heard_of")),
        ],
        [
            *({}, [], "", True, {"pending": False}, {"pending": "true"}, {"pending": 1}, {"pending": None}),
            *({**ZOOM, "pending": True}, {**ZOOM, "provider_name": ""}, {**ZOOM, "provider_name": 1}),
            *(without(ZOOM, key) for key in ZOOM),
            *({**ZOOM, "join_url": url} for url in (None, "", "zoom", 1)),
        ],
    ),
    "event-as-written": (
        [
            *(EVENT, {**EVENT, "description": "x" * 4096, "summary": "é" * 1024, "tzid": "Etc/UTC", "more": 1}),
            *(
                {**EVENT, "conferencing": EXPLICIT},
                {**EVENT, "location": {"description": ""}},
                {**EVENT, "start": "2031-03-14"},
            ),
            {"event_uid": "evt_1", "summary": "A"},
            {**EVENT, "subscriptions": [{"type": "webhook", "uri": "https://a.example", "interactions": []}]},
        ],
        [
            *(without(EVENT, key) for key in EVENT),
            *(
                {**EVENT, "event_id": ""},
                {**EVENT, "event_id": 1},
                {**EVENT, "summary": "x" * 1025},
                {**EVENT, "summary": None},
            ),
            *(
                {**EVENT, "description": "x" * 4097},
                {**EVENT, "start": "soon"},
                {**EVENT, "conferencing": {}},
                None,
                [],
            ),
            *({**EVENT, "conferencing": None}, {**EVENT, "location": "home"}),
            {**EVENT, "subscriptions": [{"type": "email", "uri": "https://a.example"}]},
            {**EVENT, "subscriptions": [{"type": "webhook", "uri": "a"}]},
        ],
    ),
    "event-as-read": (
        [
            *(
                EVENT,
                {"event_uid": "evt_1"},
                {**EVENT, "conferencing": ZOOM},
                {**EVENT, "conferencing": None, "more": 1},
            ),
            *(
                {**EVENT, "location": None, "description": None},
                {**EVENT, "start": {"time": "2031-03-14", "tzid": "Etc/UTC"}},
            ),
        ],
        [
            *({}, None, [], {**EVENT, "conferencing": {}}, {**EVENT, "conferencing": {"pending": False}}),
            *({**EVENT, "deleted": "no"}, {**EVENT, "start": 1}, {**EVENT, "location": "home"}),
        ],
    ),
    "event-as-read#/$defs/event": ([{**EVENT, "conferencing": {}}], [without(EVENT, "event_id")]),
    "events-page": (
        [
            page(),
            page(EVENT),
            page(total=2, next_page="http://127.0.0.1:1/v1/events/pages/x"),
            page(next_page=None, total=0),
        ],
        [
            *(
                {},
                None,
                without(page(), "pages"),
                without(page(), "events"),
                {**page(), "events": None},
                page(None),
                page({}),
            ),
            *(
                page(current=0),
                page(total="1"),
                page(next_page=""),
                page(next_page="/v1/events"),
                page({**EVENT, "conferencing": 1}),
            ),
            {"pages": {"current": 1}, "events": []},
        ],
    ),
    "events-page#/$defs/page": ([page({"conferencing": 1})], [without(page(), "pages")]),
    "calendars": (
        [
            {"calendars": []},
            {"calendars": [CALENDAR], "sub": "acc_1"},
            {"calendars": [{**CALENDAR, "provider_name": "new"}]},
        ],
        [
            *({}, [], None, {"calendars": {}}, {"calendars": [None]}, {"calendars": [], "sub": 1}),
            *(
                {"calendars": [without(CALENDAR, key)]}
                for key in CALENDAR
                if key not in ("profile_name", "calendar_primary")
            ),
            {"calendars": [{**CALENDAR, "calendar_integrated_conferencing_available": "true"}]},
            {"calendars": [{**CALENDAR, "calendar_readonly": None}]},
        ],
    ),
    "userinfo": (
        [
            *(account(), account(connected(CALENDAR)), account(PROFILE, conferencing_profiles=[PROFILE])),
            *(account(conferencing_profiles=None), {"sub": "acc_2", "cronofy.type": "service_account"}),
            account(
                conferencing_profiles=[
                    {**PROFILE, "profile_connected": False, "profile_relink_url": "https://a.example"}
                ]
            ),
        ],
        [
            *({}, None, {"cronofy.data": {}}, {"cronofy.data": None}, {"sub": "acc_1", "cronofy.type": "account"}),
            *(account(without(PROFILE, key)) for key in PROFILE if key != "profile_name"),
            *(account(conferencing_profiles=[without(PROFILE, key)]) for key in PROFILE if key != "profile_name"),
            account(conferencing_profiles=[{**PROFILE, "profile_id": "pró"}]),
            account(conferencing_profiles=[{**PROFILE, "profile_connected": "yes"}]),
            account(conferencing_profiles={}),
            account(connected(without(CALENDAR, "calendar_integrated_conferencing_available"))),
        ],
    ),
    "errors": (
        [
            {"errors": {"start": [ERROR]}},
            {"errors": {"start": [ERROR, ERROR], "end": [{**ERROR, "more": 1}]}, "more": 1},
        ],
        [
            *({}, None, [], {"errors": {}}, {"errors": []}, {"errors": {"start": []}}, {"errors": {"start": ERROR}}),
            *({"errors": {"start": [without(ERROR, key)]}} for key in ERROR),
            {"errors": {"start": ["is required"]}},
        ],
    ),
    "errors#/$defs/integrated-not-available": (
        [
            {"errors": {"conferencing.profile_id": [UNAVAILABLE]}},
            {"errors": {"conferencing.profile_id": [ERROR, UNAVAILABLE], "start": [ERROR]}},
        ],
        [
            *(
                {},
                {"errors": {}},
                {"errors": {"conferencing.profile_id": []}},
                {"errors": {"conferencing.profile_id": [ERROR]}},
            ),
            {"errors": {"conferencing": {"profile_id": [UNAVAILABLE]}}},
            {"errors": {"conferencing.profile_id": UNAVAILABLE}},
            {"errors": {"profile_id": [UNAVAILABLE]}},
        ],
    ),
    "delete": ([{"event_id": "a"}, {"event_uid": "evt_1"}], [{}, None, [], {"event_id": ""}, {"event_id": None}]),
}


def accepts(shape: str, value: Any) -> bool:
    """What both validators say of a value."""
    name, _, inside = shape.partition("#")
    reference = {"$ref": schemas.uri(f"api/{name}") + (f"#{inside}" if inside else "")}
    python = Draft202012Validator(reference, registry=schemas.registry()).is_valid(value)
    assert jsonschema_rs.validator_for(reference, registry=schemas.rs_registry()).is_valid(value) == python, value
    return python


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_accepts_what_is_documented_or_left_open_and_nothing_else(shape: str) -> None:
    good, bad = SHAPES[shape]
    assert [value for value in good if not accepts(shape, value)] == []
    assert [value for value in bad if accepts(shape, value)] == []


def test_every_shape_is_tested() -> None:
    shapes = {name for name in schemas.names("api") if schemas.is_schema(schemas.read(name))}
    assert {f"api/{shape.partition('#')[0]}" for shape in SHAPES} == shapes


def test_no_value_both_is_an_http_uri_and_is_certainly_none() -> None:
    shape = "http-uri#/$defs/http-uri-within-blanks"
    values = [value for shape in SHAPES if shape.startswith("http-uri") for side in SHAPES[shape] for value in side]
    both = [v for v in values if accepts("http-uri", v) and accepts("http-uri#/$defs/certainly-not-http-uri", v)]
    assert both == []
    assert [v for v in values if accepts("http-uri", v) and not accepts(shape, v)] == []
    assert [v for v in values if accepts(shape, v) and accepts("http-uri#/$defs/certainly-not-http-uri", v)] == []


OPENAPI = schemas.read("api/openapi")


def media_types(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield from value.get("content", {}).values()
        for child in value.values():
            yield from media_types(child)


def component(shape: str) -> str:
    """The name of the component that is made of a shape."""
    name, _, part = shape.partition("#/$defs/")
    return "".join(word[:1].upper() + word[1:] for word in f"{name}-{part}".split("-"))


def test_the_description_is_one_file_that_has_its_shapes() -> None:
    assert with_shapes(OPENAPI) == OPENAPI
    references = set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(OPENAPI)))
    assert {reference for reference in references if not reference.startswith("#/components/")} == set()
    words = set(re.findall(r'"(\$id|\$defs|allOf|if|then|else|title)":', json.dumps(OPENAPI["components"]["schemas"])))
    assert words == set()


def test_bodies_of_the_description_are_shapes() -> None:
    own = [media["schema"] for media in media_types(OPENAPI) if set(media["schema"]) != {"$ref"}]
    assert own == []
    used = {media["schema"]["$ref"].removeprefix("#/components/schemas/") for media in media_types(OPENAPI)}
    assert used == {"EventAsWritten", "Delete", "EventsPage", "Calendars", "Userinfo", "Errors"}


def test_a_component_accepts_what_its_shape_does() -> None:
    values = [value for good_and_bad in SHAPES.values() for side in good_and_bad for value in side]
    components = OPENAPI["components"]["schemas"]
    compared = {shape: component(shape) for shape in SHAPES if component(shape) in components}
    assert {"EventAsWritten", "EventsPage", "Userinfo", "Calendars", "Times", "ConferencingAsRead"} <= set(
        compared.values()
    )
    for shape, name in compared.items():
        whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": components}}
        file, _, part = shape.partition("#")
        reference = {"$ref": f"{schemas.uri(f'api/{file}')}#{part}"}
        one = jsonschema_rs.validator_for(whole)
        other = jsonschema_rs.validator_for(reference, registry=schemas.rs_registry())
        assert [value for value in values if one.is_valid(value) != other.is_valid(value)] == [], shape


def test_what_no_component_can_say_in_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {"a": {"type": "string", "maxLength": 3}, "b": {"$ref": "#/$defs/a", "maxLength": 4}}
    odd = {"$schema": "x", "$id": "x", "$ref": "#/$defs/b", "$defs": parts}
    monkeypatch.setattr(schemas, "names", lambda _: ("api/odd",))
    monkeypatch.setattr(schemas, "read", lambda _: odd)
    with pytest.raises(ValueError, match="maxLength is 3 and 4"):
        with_shapes({"components": {}, "x": {"$ref": "#/components/schemas/Odd"}})


def test_examples_of_the_description_are_valid() -> None:
    names = {component(name.removeprefix("api/")): name.removeprefix("api/") for name in schemas.names("api")}
    tried = 0
    for media in media_types(OPENAPI):
        for title, example in media.get("examples", {}).items():
            assert accepts(names[media["schema"]["$ref"].removeprefix("#/components/schemas/")], example["value"]), (
                title
            )
            tried += 1
    assert tried == 11


def test_links_lead_from_the_calendars_to_events_and_on_to_their_pages() -> None:
    operations = {
        operation["operationId"]: operation["responses"]
        for path in OPENAPI["paths"].values()
        for operation in (path[method] for method in ("get", "post", "delete") if method in path)
    }
    assert {
        (name, link["operationId"])
        for name, responses in operations.items()
        for response in responses.values()
        for link in response.get("links", {}).values()
    } == {
        ("list_calendars", "upsert_event"),
        ("list_calendars", "read_events"),
        ("upsert_event", "read_events"),
        ("upsert_event", "delete_event"),
        ("read_events", "read_next_page"),
        ("read_next_page", "read_next_page"),
    }


def test_schemathesis_loads_the_description_with_all_its_shapes() -> None:
    description = schemathesis.openapi.from_path(Path(schemas.folder(), "api", "openapi.json"))
    description.validate()
    operations = {found.ok().label: found.ok() for found in description.get_all_operations()}
    assert sorted(operations) == [
        "DELETE /v1/calendars/{calendar_id}/events",
        "GET /v1/calendars",
        "GET /v1/events",
        "GET /v1/events/pages/{page}",
        "GET /v1/userinfo",
        "POST /v1/calendars/{calendar_id}/events",
    ]
    assert {label: sorted(operation.definition.raw["responses"]) for label, operation in operations.items()} == {
        "DELETE /v1/calendars/{calendar_id}/events": ["202", "401", "403", "404", "422", "429"],
        "GET /v1/calendars": ["200", "401", "403", "429"],
        "GET /v1/events": ["200", "401", "403", "422", "429"],
        "GET /v1/events/pages/{page}": ["200", "401", "403", "404", "422", "429"],
        "GET /v1/userinfo": ["200", "401", "403", "429"],
        "POST /v1/calendars/{calendar_id}/events": ["202", "401", "402", "403", "404", "422", "429"],
    }
