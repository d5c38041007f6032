"""The small servers start and settle, the legal ones keep the documentation in the end, and each wrong one differs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, zip_longest
from typing import Any

import httpx
import pytest
import yaml
from vcr.serializers import yamlserializer  # type: ignore[import-untyped]

from . import small_asgi, small_wsgi
from .broken import BROKEN, LEGAL, MODULES
from .call_script import DAY, EXPLICIT, OTHER, Caller, call_script, event
from .hostile import HOSTILE, trap
from .recordings import BASE_URL, Clock, assigned, har, record, usual, vcr
from .sockets import serving
from .variants import App
from .wsgi_jobs import equivalent

SMALL: dict[str, Callable[..., App]] = {"asgi": small_asgi.make_app, "wsgi": small_wsgi.make_app}
DEFAULT, NONE, INTEGRATED, EIGHT = ({"profile_id": name} for name in ("default", "none", "integrated", "8x8"))


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("way", [{}, {"chunked": True}, {"compress": True}, {"keep_alive": False}])
def test_a_small_server_behind_a_socket_settles_a_default_conference(name: str, way: dict[str, bool]) -> None:
    clock = Clock()
    app = SMALL[name](settle=5, now=clock)
    body = {**event(clock, "one"), "conferencing": DEFAULT}
    shown = []
    token = {"Authorization": f"Bearer {app.tokens['default']}"}
    with serving(app, **way) as base_url, httpx.Client(base_url=base_url, headers=token, trust_env=False) as client:
        calendar = client.get("/v1/calendars").json()["calendars"][0]["calendar_id"]
        assert client.post(f"/v1/calendars/{calendar}/events", json=body).is_success
        for _ in range(2):
            [read] = client.get("/v1/events", params={"tzid": "Etc/UTC", "only_managed": "true"}).json()["events"]
            shown.append((read["conferencing"].get("pending", False), read["conferencing"].get("provider_name")))
            clock.wait(6)
    assert shown == [(True, None), (False, "google_meet")]


def test_a_form_encoded_write_is_a_json_one() -> None:
    for make in SMALL.values():
        clock = Clock()
        app = make(now=clock)
        fields = {**event(clock, "form"), **{f"conferencing[{name}]": value for name, value in OTHER.items()}}
        with serving(app) as base_url, httpx.Client(base_url=base_url, trust_env=False) as client:
            caller = Caller(app, clock)
            path = f"/v1/calendars/{caller.writable()[0]}/events"
            assert client.post(path, data=fields, headers={"Authorization": str(caller.authorization)}).is_success
        caller.settle()
        assert caller.shown(caller.writable()[0], "form")["join_url"] == OTHER["join_url"]


class Right:
    """The answers of a right server, computed step by step and once only."""

    def __init__(self, interface: str, choices: dict[str, Any]) -> None:
        clock = Clock()
        self.steps = call_script(SMALL[interface](settle=1.0, now=clock, **choices), clock)
        self.known: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        for number in count():
            if number == len(self.known):
                step = next(self.steps, self)
                if step is self:
                    return
                self.known.append(step)
            yield self.known[number]


RIGHT: dict[str, Right] = {}


@pytest.mark.parametrize("name", BROKEN)
def test_a_wrong_server_answers_differently_from_the_right_one(name: str) -> None:
    clock = Clock()
    wrong = BROKEN[name].make(settle=1.0, now=clock)
    choices = vars(wrong.choices if BROKEN[name].interface == "asgi" else wrong.options)
    interface = BROKEN[name].interface
    right = RIGHT.setdefault(f"{interface} {choices}", Right(interface, choices))
    assert any(one != other for one, other in zip_longest(call_script(wrong, clock), right))


def test_wrong_servers_are_registered_once_with_a_clause_and_a_title() -> None:
    made = {one.make for one in BROKEN.values()}
    assert len(made) == len(BROKEN) >= 100
    assert len({one.title for one in BROKEN.values()}) == len(BROKEN)
    assert {one.make.__module__ for one in BROKEN.values()} == {module.__name__ for module in MODULES}


@pytest.mark.parametrize("name", LEGAL)
def test_a_legal_server_keeps_the_documentation_in_the_end(name: str) -> None:
    clock = Clock()
    app = LEGAL[name](now=clock)
    expected_default = {"default": None, "linked": "whereby", "chosen": "go_to", "works": "zoom"}
    integrated = {"google": "google_meet", "exchange": "ms_teams_for_business"}
    for account in app.tokens:
        caller = Caller(app, clock, account)
        for calendar in caller.calendars():
            if calendar["calendar_readonly"] or calendar["calendar_deleted"]:
                continue
            own = calendar["calendar_integrated_conferencing_available"] and integrated[calendar["provider_name"]]
            default = expected_default[account] or own or None
            check(caller, calendar["calendar_id"], own or None, default)


def check(caller: Caller, calendar: str, own: str | None, default: str | None) -> None:
    """Asserts what the documentation says of one calendar: `own` and `default` are the services that it resolves to."""

    base = event(caller.clock, "main")

    def then(conferencing: Any = None, ahead: float = 0.0, immediate: bool = False, **more: Any) -> tuple[int, Any]:
        requested = {} if conferencing is None else {"conferencing": conferencing}
        moved = event(caller.clock, "main", ahead) if ahead else base
        status, _ = caller.write(calendar, {**moved, **more}, **requested)
        if not immediate:
            caller.settle()
        return status, None if immediate else caller.shown(calendar, "main")

    def provider(shown: Any) -> Any:
        return shown["provider_name"] if assigned(shown) else None

    def url(shown: Any) -> Any:
        return equivalent(shown["join_url"]) if assigned(shown) else None

    explicit, other = equivalent(EXPLICIT["join_url"]), equivalent(OTHER["join_url"])
    assert not assigned(then()[1])
    assert url(then(EXPLICIT)[1]) == explicit
    assert url(then(description="another")[1]) == explicit
    assert url(then(summary="another", ahead=9 * DAY)[1]) == explicit
    assert url(then(OTHER)[1]) == other
    assert provider(then(DEFAULT)[1]) == default
    status, shown = then(INTEGRATED)
    assert (status, provider(shown)) == ((422, default) if own is None else (status, own))
    before = caller.shown(calendar, "main")
    assert url(then(description="third")[1]) == url(before)
    assert not assigned(then(NONE)[1])
    assert not assigned(then(description="fourth")[1])
    status, shown = then(EIGHT)
    assert (status < 300, assigned(shown)) == (True, False)
    for first, last, outcome in ((DEFAULT, NONE, None), (DEFAULT, EXPLICIT, explicit), (EXPLICIT, OTHER, other)):
        then(first, immediate=True)
        assert url(then(last)[1]) == outcome
    then(OTHER, immediate=True)
    assert provider(then(DEFAULT)[1]) == default
    caller.delete(calendar, "main")
    caller.settle()
    assert caller.shown(calendar, "main") == "missing"
    assert not assigned(then(DEFAULT, ahead=-2 * DAY)[1])
    caller.delete(calendar, "main")
    assert not assigned(then(DEFAULT | {"join_url": OTHER["join_url"]}, ahead=-1800.0)[1])
    caller.delete(calendar, "main")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_ends_with_its_block(name: str) -> None:
    before = set(threading.enumerate())
    with HOSTILE[name]("events") as base_url, httpx.Client(base_url=base_url, timeout=0.3, trust_env=False) as client:
        try:
            if name != "closes-at-accept":
                assert client.get("/v1/calendars", headers={"Authorization": "Bearer any"}).json()["calendars"]
            with client.stream(
                "GET", "/v1/events?tzid=Etc/UTC&only_managed=true", headers={"Authorization": "Bearer s3"}
            ) as met:
                next(met.iter_raw(), None)
        except httpx.TransportError:
            pass
    assert set(threading.enumerate()) <= before


def test_a_page_elsewhere_is_where_the_trap_is() -> None:
    with trap() as (origin, caught), HOSTILE["next-page-elsewhere"](elsewhere=origin) as base_url:
        page = httpx.get(f"{base_url}/v1/events", trust_env=False).json()["pages"]["next_page"]
        assert (page.startswith(origin), caught) == (True, [])
        httpx.get(page, trust_env=False)
        assert [request.target for request in caught] == ["/v1/events/pages/2"]


@pytest.mark.parametrize("name", ["asgi", "wsgi"])
def test_a_recording_is_read_by_vcrpy_and_keeps_time_as_har(name: str) -> None:
    taken = record(LEGAL[name], partial(usual, calendars=1))
    answers = yamlserializer.deserialize(vcr(taken))
    assert [one["request"]["uri"] for one in answers["interactions"]] == [str(one.request.url) for one in taken]
    entries = json.loads(har(taken))["log"]["entries"]
    times = [entry["startedDateTime"] for entry in entries]
    assert (times, len(times)) == (sorted(times), len(taken) + 1)
    assert all(one.request.url.host == httpx.URL(BASE_URL).host for one in taken)


def test_a_recording_drops_the_token_on_request() -> None:
    app = LEGAL["asgi"]
    taken = record(app, partial(usual, calendars=1))
    token = app().tokens["default"]
    assert [token in text for text in (har(taken), har(taken, "redacted"), vcr(taken))] == [True, False, False]
    assert yaml.safe_load(vcr(taken, "redacted"))["interactions"][0]["request"]["headers"]["Authorization"] == [
        "Bearer REDACTED"
    ]
