"""What is a credential, by its place; and what only stands where one would be."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from conformance.http.exchange import NOT_RECORDED, Exchange, Request, Response, account_of_token, bearer
from conformance.http.redaction import noticing, scrub
from conformance.http.redaction.collecting import SecretCollector
from conformance.http.redaction.locations import credentials_of, is_secret

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
def test_credentials_are_found_where_they_stand(
    request_: Request, response: Response | None, expected: list[str]
) -> None:
    assert sorted(credentials_of(Exchange(request_, response))) == sorted(expected)


@pytest.mark.parametrize("value", [*STAND_INS, "Bearer <TOKEN>"])
def test_what_stands_in_for_a_secret_is_none(value: str) -> None:
    assert not is_secret(value)


@pytest.mark.parametrize("value", SECRETS)
def test_anything_else_is_secret(value: str) -> None:
    assert is_secret(value)


def concealed(*exchanges: Exchange, deep: bool = False) -> tuple[Exchange, ...]:
    credentials = SecretCollector({})

    def read() -> Iterator[Exchange]:
        yield from map(scrub, exchanges)

    with credentials.collecting():
        if deep:
            credentials.look_deeper()
        return tuple(credentials.passing(read()))


def authorized(url: str, body: bytes, answer: bytes = b"", label: str = "") -> Exchange:
    headers = (("Authorization", f"Bearer {TOKEN}"), ("X-Echo", TOKEN))
    return Exchange(Request("POST", url, headers, body), Response(200, (("Link", URL + TOKEN),), answer), label)


def test_every_part_of_an_exchange_is_searched() -> None:
    name = account_of_token(TOKEN)
    [found] = concealed(authorized(f"{URL}/{TOKEN}", TOKEN.encode(), TOKEN.encode(), f"{TOKEN}#1"))
    request = Request("POST", f"{URL}/{name}", (("Authorization", bearer(name)), ("X-Echo", name)), name.encode())
    assert found == Exchange(request, Response(200, (("Link", URL + name),), name.encode()), f"{name}#1")


def test_what_holds_none_is_the_same_exchange() -> None:
    plain = Exchange(
        Request("GET", URL, (("Accept", "*/*"),)), Response(200, (), b"{}"), "a.har#2", notes=(("a", "b"),)
    )
    assert concealed(authorized(URL, b""), plain)[1] is plain


def test_a_body_and_a_url_that_hide_one_too_deep_are_not_recorded() -> None:
    hidden = base64.b64encode(base64.b64encode(TOKEN.encode()))
    [found] = concealed(authorized(f"{URL}/{hidden.decode()}", hidden, hidden), deep=True)
    assert found.response is None
    assert (found.request.body, found.request.url) == (b"", "https://redacted/")
    assert found.notes == (
        ("request-body", NOT_RECORDED), ("response-body", NOT_RECORDED), ("response-status", "200")
    )  # fmt: skip


def test_credentials_are_noticed_before_they_are_scrubbed_and_only_while_they_are_asked_for() -> None:
    seen: list[Exchange] = []
    exchange = authorized(URL, b"")
    with noticing(seen.append):
        scrub(exchange)
    scrub(exchange)
    assert seen == [exchange]
