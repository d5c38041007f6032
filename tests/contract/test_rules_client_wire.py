"""What the rules on clients say of requests on the wire: the wrong are accused, their neighbours are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.contract.rules import load
from conformance.facts import Settings, observe
from conformance.http.exchange import Exchange, Request, Response, bearer
from conformance.judging.judge import Judge

_JUDGE = Judge(rule for rule in load() if rule.applies_to == "client")
_PATH = "/v1/calendars/cal_1/events"
_EVENT = {"event_id": "e1", "summary": "Board", "start": "2031-04-28T15:30:00Z", "end": "2031-04-28T17:00:00Z"}
_EXPLICIT = {"profile_id": "explicit", "provider_description": "Custom"}


def exchange(
    method: str,
    path: str = _PATH,
    body: Any = None,
    status: int = 202,
    answer: Any = None,
    *,
    host: str = "https://api.cronofy.com",
    media_type: str = "application/json; charset=utf-8",
    account: str | None = "default",
) -> Exchange:
    headers = (("Content-Type", media_type), *([("Authorization", bearer(account))] if account else []))
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    response = Response(status, (("Content-Type", "application/json"),), json.dumps(answer or {}).encode())
    return Exchange(
        Request(method, host + path, headers, sent), response, f"{method} {path}", headers_complete=account is not None
    )


def write(status: int = 202, answer: Any = None, **fields: Any) -> Exchange:
    return exchange("POST", body={**_EVENT, **fields}, status=status, answer=answer)


def verdicts(*exchanges: Exchange) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for facts in observe(exchanges, Settings()):
        for verdict in _JUDGE(facts):
            found.setdefault(verdict.rule, set()).add(verdict.outcome)
    return found


def failed(*exchanges: Exchange) -> set[str]:
    return {rule for rule, outcomes in verdicts(*exchanges).items() if "failed" in outcomes}


def cases(*pairs: tuple[Any, set[str]]) -> Any:
    return pytest.mark.parametrize(("value", "rules"), pairs, ids=[repr(value)[:60] for value, _ in pairs])


@cases(
    ({"profile_id": "default"}, set()),
    ({"profile_id": "pro_1"}, set()),
    ({}, {"conferencing-names-a-profile-id"}),
    ("default", {"conferencing-names-a-profile-id"}),
    ([{"profile_id": "default"}], {"conferencing-names-a-profile-id"}),
    (False, {"conferencing-names-a-profile-id"}),
    (None, {"conferencing-is-not-null"}),
)
def test_conferencing_is_an_object_that_names_a_profile(value: Any, rules: set[str]) -> None:
    assert failed(write(conferencing=value)) == rules
    assert failed(write(422, conferencing=value)) == rules


@cases(
    (b"", set()),
    (b"&conferencing[profile_id]=default", set()),
    (b"&conferencing=default", {"conferencing-names-a-profile-id"}),
    (b"&conferencing=", {"conferencing-is-not-null"}),
)
def test_conferencing_in_a_form_is_what_it_is_in_json(value: bytes, rules: set[str]) -> None:
    body = b"event_id=e1&summary=Board&start=2031-04-28T15:30:00Z&end=2031-04-28T17:00:00Z" + value
    assert failed(exchange("POST", body=body, media_type="application/x-www-form-urlencoded")) == rules


def userinfo(*profile_ids: str, account: str | None = "default") -> Exchange:
    profiles = [{"profile_id": name, "provider_name": "zoom", "profile_connected": True} for name in profile_ids]
    answer = {"sub": "acc_1", "cronofy.data": {"profiles": [], "conferencing_profiles": profiles}}
    return exchange("GET", "/v1/userinfo", None, 200, answer, account=account)


UNLISTED = {"a-profile-id-is-built-in-or-listed"}
REFUSED = {"errors": {"conferencing.profile_id": [{"key": "errors.not_recognized"}]}}


@cases(
    *((name, set()) for name in ("default", "none", "integrated", "pro_1", "pro_2", "int_667c316c")),
    *((name, UNLISTED) for name in ("zoom", "Zoom", "google_meet", "ms_teams", "go_to", "Default", "INTEGRATED")),
)
def test_a_profile_id_that_looks_like_a_mistake_is_one_unless_it_is_listed(value: str, rules: set[str]) -> None:
    sent = write(conferencing={"profile_id": value})
    assert failed(userinfo("pro_1"), sent) == rules
    assert failed(userinfo("pro_1", value), sent) == set()
    assert failed(sent, userinfo("pro_1")) == set()


def test_a_profile_id_that_is_refused_is_a_mistake_unless_it_was_listed() -> None:
    sent = write(422, REFUSED, conferencing={"profile_id": "pro_2"})
    assert failed(userinfo("pro_1"), sent) == UNLISTED
    assert failed(userinfo("pro_1", "pro_2"), sent) == set()
    assert failed(userinfo("pro_1"), userinfo("pro_1", "pro_2"), sent) == set()
    assert failed(userinfo("pro_1"), write(422, {"errors": {"summary": []}}, conferencing={"profile_id": "pro_2"})) == (
        set()
    )


def test_what_another_accounts_userinfo_lists_says_nothing_of_a_profile_id() -> None:
    assert failed(userinfo("pro_1", account="other"), write(conferencing={"profile_id": "zoom"})) == set()
    filtered = exchange("POST", body={**_EVENT, "conferencing": {"profile_id": "zoom"}}, account=None)
    assert failed(userinfo("pro_1", account=None), filtered) == set()


NOT_HTTP = {"an-explicit-join-url-is-http"}


@cases(
    *((url, set()) for url in ("https://conf.example/a", "HTTP://CONF.example", " https://conf.example/a ")),
    *((url, set()) for url in ("https://bücher.example/ü", "https://[::1]:80/", "https://a@b/%20", "https://a/{b}")),
    *((url, NOT_HTTP) for url in ("https://conf.example/join room", "https://a b/", "https:///a", "https://:80/a")),
    *((url, NOT_HTTP) for url in ("zoommtg://zoom.us", "conf.example/a", "httpx://a", "https://u@/a", " ")),
)
def test_an_explicit_join_url_is_a_uri_or_an_iri_with_a_host(value: str, rules: set[str]) -> None:
    assert failed(write(conferencing={**_EXPLICIT, "join_url": value})) == rules


LENGTH, TIMES = {"texts-have-their-documented-length"}, {"times-have-a-documented-form"}


@cases(
    ({"summary": "🚀" * 1024, "description": "ä" * 4096}, set()),
    ({"summary": "🚀" * 1025}, LENGTH),
    ({"description": "ä" * 4097}, LENGTH),
    ({"event_id": "x" * 5000}, set()),
    ({"start": "2031-04-28", "end": "2031-04-29"}, set()),
    ({"start": "2031-04-28T15:30:00", "tzid": "Europe/Vienna"}, set()),
    ({"start": {"time": "2031-04-28T15:30:00Z", "tzid": "Europe/Vienna"}}, set()),
    ({"start": "2031-04-28 15:30:00 UTC"}, TIMES),
    ({"end": "Mon Apr 28 2031 15:30:00 GMT+0000"}, TIMES),
    ({"end": {"dateTime": "2031-04-28T15:30:00Z", "timeZone": "Etc/UTC"}}, TIMES),
)
def test_texts_are_as_long_and_times_as_written_as_is_documented(value: dict[str, Any], rules: set[str]) -> None:
    assert failed(write(**value)) == rules


LOCATION = {"the-location-is-left-blank"}


@cases(
    *((blank, set()) for blank in (None, "", " ", {}, {"description": ""}, {"lat": "", "long": None})),
    *(
        (place, LOCATION)
        for place in ("Room 1", {"description": "Room 1"}, {"lat": "48.2", "long": "16.4"}, ["Room 1"])
    ),
)
def test_the_location_is_left_blank_in_every_form_of_it(value: Any, rules: set[str]) -> None:
    assert failed(write(conferencing={"profile_id": "default"}, location=value)) == rules
    assert failed(write(conferencing={"profile_id": "none"}, location=value)) == set()
    assert failed(write(location=value)) == set()


HOST = {"requests-go-to-a-documented-host"}


@cases(
    *((f"https://api{center}.cronofy.com", set()) for center in ("", "-au", "-ca", "-de", "-sg", "-uk")),
    *((host, set()) for host in ("https://API.CRONOFY.COM:443", "http://127.0.0.1:8000", "https://api-us.example")),
    *((host, set()) for host in ("https://cronofy.com.example", "https://notcronofy.com")),
    *((host, HOST) for host in ("https://api-us.cronofy.com", "https://api-fr.cronofy.com", "http://cronofy.com")),
)
def test_a_request_under_the_apis_domain_goes_to_one_of_the_six_hosts(value: str, rules: set[str]) -> None:
    assert failed(exchange("POST", body=_EVENT, host=value)) == rules
    assert failed(exchange("GET", "/v1/calendars", None, 200, host=value)) == rules
    assert failed(exchange("POST", "/oauth/token", {}, 200, host=value)) == set()


MEDIA_TYPE = {"a-body-is-json-or-form-encoded"}


@cases(
    *((name, set()) for name in ("application/json", "APPLICATION/JSON; charset=UTF-8", "Application/Json;charset=x")),
    *((name, MEDIA_TYPE) for name in ("application/json-patch+json", "application/vnd.api+json", "text/json", "json")),
)
def test_a_media_type_is_the_same_in_any_case_and_no_other(value: str, rules: set[str]) -> None:
    assert failed(exchange("POST", body=_EVENT, media_type=value)) == rules


SUBSCRIPTION = {"subscriptions-have-the-documented-form"}
WEBHOOK = {"type": "webhook", "uri": "https://app.example/hook", "interactions": [{"type": "conferencing_assigned"}]}
TRIGGER = {"type": "webhook", "uri": "https://app.example/hook", "transitions": [{"before": "event_start"}]}


@cases(
    *((kept, set()) for kept in (None, [], [WEBHOOK], [WEBHOOK, TRIGGER], [{**WEBHOOK, "uri": "http://127.0.0.1/é"}])),
    *(
        ([WEBHOOK, {**WEBHOOK, **wrong}], SUBSCRIPTION)
        for wrong in ({"type": "push"}, {"uri": "ftp://x"}, {"uri": None})
    ),
    ([{**WEBHOOK, "interactions": [{"type": "conferencing_success"}]}], SUBSCRIPTION),
    ([{**WEBHOOK, "interactions": ["conferencing_assigned"]}], SUBSCRIPTION),
    (WEBHOOK, SUBSCRIPTION),
)
def test_a_subscription_is_a_webhook_at_a_uri_of_documented_interactions(value: Any, rules: set[str]) -> None:
    assert failed(write(subscriptions=value)) == rules
