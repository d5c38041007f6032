"""Credentials are found by their place, and placeholders are not taken for some."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from random import Random

import pytest

from conformance.http.exchange import NOT_RECORDED, Exchange, Request, Response, account_of_token, bearer
from conformance.http.redaction import scrub
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.locations import is_secret

TOKEN = "CRN_q7Zk3pXw9vB2mT8dLr5sY1"
COOKIES = "zone=Europe/London; id=8f14e45fceea167a; lang=en-GB; seen=1777390200"
STAND_INS = [
    "short",
    "<default>",
    "<redacted>",
    "[FILTERED]",
    "{{token}}",
    "${TOKEN}",
    "%TOKEN%",
    "REDACTED",
    "DUMMY_TOKEN_1",
    "your-access-token",
    "xxxxxxxxxxxx",
    "************",
    "00000000",
    "1777390200",
    "conferencing",
    "calendar_id",
]
SECRETS = (TOKEN, "at_SECRETSECRET", "12345678901234567890", "correct horse battery", "a1b2c3d4")
URL = "https://api.example.com/v1/events"


@pytest.mark.parametrize(
    ("request_", "response", "expected"),
    [
        (Request("GET", URL, (("Authorization", f"Bearer {TOKEN}"),)), None, [TOKEN]),
        (Request("GET", URL, (("authorization", f"bearer  {TOKEN} "),)), None, [TOKEN]),
        (Request("GET", URL, (("Authorization", bearer("default")), ("Idempotency-Key", TOKEN))), None, []),
        (Request("GET", URL, (("Cookie", COOKIES),)), None, ["8f14e45fceea167a"]),
        (Request("GET", URL), Response(200, (("Set-Cookie", "s=8f14e45fceea167a; Path=/"),)), ["8f14e45fceea167a"]),
        (Request("GET", URL), Response(401, (("WWW-Authenticate", f'Bearer realm="{TOKEN}"'),)), []),
        (Request("GET", URL), Response(302, (("Location", f"/next?access_token={TOKEN}"),)), [TOKEN]),
        (Request("GET", f"https://{TOKEN}@api.example.com/"), None, [TOKEN]),
        (Request("GET", "https://app:pass%2Fword99@api.example.com/"), None, ["pass%2Fword99", "pass/word99"]),
        (Request("GET", f"{URL}?page=2&tzid=Europe%2FLondon&from=2026-01-01"), None, []),
        (Request("POST", URL, (), b'{"code": "meeting", "summary": "a token of thanks"}'), None, []),
        (Request("POST", URL), Response(200, (), b'{"refresh_token": "CRN\\u005fq7Zk3pXw9"}'), ["CRN_q7Zk3pXw9"]),
    ],
)  # fmt: skip
def test_credentials_are_found_by_their_place(
    request_: Request, response: Response | None, expected: list[str]
) -> None:
    found: list[str] = []
    clean = scrub(Exchange(request_, response), collect=found.append)
    assert sorted(found) == sorted(expected)
    assert not any(secret in repr(clean) for secret in expected)


@pytest.mark.parametrize("value", [*STAND_INS, "Bearer <TOKEN>"])
def test_a_placeholder_is_no_secret(value: str) -> None:
    assert not is_secret(value)


@pytest.mark.parametrize("value", SECRETS)
def test_anything_else_is_secret(value: str) -> None:
    assert is_secret(value)


def redacted_by_collector(*exchanges: Exchange, deep: bool = False) -> tuple[Exchange, ...]:
    credentials = SecretCollector({})

    if deep:
        credentials.enable_deep_scan()
    return tuple(credentials.redact_stream(scrub(exchange, collect=credentials.collect) for exchange in exchanges))


def authorized(url: str, body: bytes, answer: bytes = b"", label: str = "") -> Exchange:
    headers = (("Authorization", f"Bearer {TOKEN}"), ("X-Echo", TOKEN))
    return Exchange(Request("POST", url, headers, body), Response(200, (("Link", URL + TOKEN),), answer), label)


def test_every_part_of_an_exchange_is_searched() -> None:
    name = account_of_token(TOKEN)
    [found] = redacted_by_collector(authorized(f"{URL}/{TOKEN}", TOKEN.encode(), TOKEN.encode(), f"{TOKEN}#1"))
    request = Request("POST", f"{URL}/{name}", (("Authorization", bearer(name)), ("X-Echo", name)), name.encode())
    assert found == Exchange(request, Response(200, (("Link", URL + name),), name.encode()), f"{name}#1")


def test_what_holds_none_is_the_same_exchange() -> None:
    plain = Exchange(
        Request("GET", URL, (("Accept", "*/*"),)), Response(200, (), b"{}"), "a.har#2", notes=(("a", "b"),)
    )
    assert redacted_by_collector(authorized(URL, b""), plain)[1] is plain


def test_a_body_and_a_url_that_hide_one_too_deep_are_not_recorded() -> None:
    hidden = base64.b64encode(base64.b64encode(TOKEN.encode()))
    [found] = redacted_by_collector(authorized(f"{URL}/{hidden.decode()}", hidden, hidden), deep=True)
    assert found.response is None
    assert (found.request.body, found.request.url) == (b"", "https://redacted/")
    assert found.notes == (
        ("request-body", NOT_RECORDED), ("response-body", NOT_RECORDED), ("response-status", "200")
    )  # fmt: skip


FIELDS = ("access_token", "api_key", "assertion", "client_assertion", "client_secret", "id_token", "password", "token")


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_scrubbed_and_collected_alike_in_a_query_a_form_and_json(field: str) -> None:
    url, form = "https://api.example.com/oauth/token", (("Content-Type", "application/x-www-form-urlencoded"),)
    answer = f'{{"a": "b", "{field}": "{TOKEN}"}}'.encode()
    for sent in (
        Request("GET", f"{url}?a=b&{field}={TOKEN}"),
        Request("POST", url, form, f"a=b&{field}={TOKEN}".encode()),
        Request("POST", url, (), answer),
    ):
        found: list[str] = []
        clean = scrub(Exchange(sent, Response(200, (), answer)), collect=found.append)
        assert set(found) == {TOKEN}
        assert TOKEN not in repr(clean)
        assert scrub(clean) is clean


@pytest.mark.parametrize(
    "body_of",
    [lambda size: b"a=b&" * size, lambda size: Random(1).randbytes(4 * size), lambda size: b"%41" * size + b"="],
    ids=["form", "bytes", "escapes"],
)
def test_the_time_that_a_large_body_takes_grows_as_its_size(body_of: Callable[[int], bytes]) -> None:
    def seconds(size: int) -> float:
        body = body_of(size)
        sent = Exchange(Request("POST", "http://a/", (), body), Response(200, (), body))
        begun = time.thread_time()
        assert scrub(sent, collect=lambda _: None) is sent
        return time.thread_time() - begun

    little = min(seconds(2**17) for _ in range(3))
    assert any(seconds(2**20) < 8 * 3 * max(little, 0.01) for _ in range(2)), "eight times the size"


@pytest.mark.parametrize(
    "name",
    [
        "access_token",
        "ACCESS_TOKEN",
        "access%5Ftoken",
        "access_to%E2%84%AAen",
        "accessToken",
        "access-token",
        "clientSecret",
    ],
)
def test_a_field_of_credentials_is_found_however_its_name_is_spelt(name: str) -> None:
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    query = f"x=1&{name}=CRN_a-very-secret"
    sent = Exchange(Request("POST", f"http://a/?{query}", form, query.encode()), None)
    assert "CRN_a-very-secret" not in repr(scrub(sent))


@pytest.mark.parametrize("name", ["accessToken", "ACCESS_TOKEN", "refresh-token", "clientSecret", "Password"])
def test_a_field_of_credentials_in_json_is_found_however_its_name_is_spelt(name: str) -> None:
    answer = Response(200, (), f'{{"a": [{{"{name}": "{TOKEN}"}}]}}'.encode())
    found: list[str] = []
    clean = scrub(Exchange(Request("GET", URL), answer), collect=found.append)
    assert (set(found), TOKEN in repr(clean)) == ({TOKEN}, False)


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example/cb?x=1&access_token={}",
        "https://a.example/cb#id_token={}&x=1",
        "https://app:{}@a.example/cb",
        "the server said: Authorization: Bearer {}, and no more",
        '{{"client_secret": "{}"}}',
        '--b\r\nContent-Disposition: form-data; name="client_secret"\r\n\r\n{}\r\n--b--',
        "password={}; user=me",
    ],
)
def test_credentials_in_text_of_any_kind_are_concealed_everywhere(text: str) -> None:
    body = json.dumps({"event": {"description": text.format(TOKEN)}}).encode()
    echo = Response(200, (), json.dumps({"summary": f"see {TOKEN}"}).encode())
    secrets = SecretCollector({})
    [clean] = secrets.redact_stream([scrub(Exchange(Request("POST", URL, (), body), echo), collect=secrets.collect)])
    assert (secrets.collected, TOKEN in repr(clean)) == ((TOKEN,), False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Referer", "https://a.example/?access_token={}"),
        ("Content-Location", "/v1/events?refresh_token={}"),
        ("Link", '<https://a.example/?page=2>; rel="next", <https://a.example/?access_token={}>; rel="last"'),
        ("Refresh", "0; url=https://a.example/#access_token={}"),
    ],
)
def test_credentials_in_the_url_of_a_header_are_replaced(name: str, value: str) -> None:
    headers = ((name, value.format(TOKEN)),)
    for one in (Exchange(Request("GET", URL, headers), None), Exchange(Request("GET", URL), Response(200, headers))):
        found: list[str] = []
        assert TOKEN not in repr(scrub(one, collect=found.append))
        assert found == [TOKEN]


@pytest.mark.parametrize("text", ["Bearer authentication is needed", "the token: conferencing", "bearer <default>"])
def test_words_about_credentials_are_none(text: str) -> None:
    body = json.dumps({"error": text}).encode()
    assert scrub(one := Exchange(Request("GET", URL), Response(401, (), body)), collect=pytest.fail) is one
