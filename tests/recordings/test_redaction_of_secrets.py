"""A token is found in any encoding, replaced, and never written."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import logging
import quopri
import time
import tracemalloc
import zlib
from collections.abc import Callable
from random import Random
from urllib.parse import quote

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from conformance.http.exchange import Exchange, Request, Response, account_of_token
from conformance.http.redaction import REDACTED, Redactor, SecretLeakError, scrub

TOKEN = "CRN_a+b/c=d~e.f-0123456789"
REDACTOR = Redactor({"default": TOKEN})

tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40)
around = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def json_escapes(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def entities(text: str) -> str:
    return "".join(f"&#{ord(character)};" for character in text)


def hex_entities(text: str) -> str:
    return "".join(f"&#x{ord(character):X};" for character in text)


def in_json(text: str) -> str:
    return json.dumps({"echo": text})


def in_yaml(text: str) -> str:
    return yaml.safe_dump([text.encode() + b"\xff"])


def base64_in_lines(text: str) -> str:
    return base64.encodebytes(b"x" * 50 + text.encode()).decode()


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def base64_for_urls(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


ENCODINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.lower,
    percent,
    quote,
    lambda text: quote(text, safe=""),
    lambda text: quote(quote(text, safe=""), safe=""),
    json_escapes,
    entities,
    hex_entities,
    html.escape,
    in_json,
    lambda text: in_json(in_json(text)),
    lambda text: text.replace("/", "\\/"),
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex(":").upper(),
    lambda text: repr(bytes(text, "ascii")),
    lambda text: "".join(f"\\x{ord(character):02x}" for character in text),
    base64_of,
    lambda text: base64_of("a" + text + "bc"),
    lambda text: base64_of("ab" + text + "c"),
    base64_for_urls,
    base64_in_lines,
    in_yaml,
    lambda text: in_json(base64_in_lines(text)),
    lambda text: quote(base64_of("~" + text), safe=""),
]


def mixed(text: str, choices: list[int]) -> str:
    spellings = (str, percent, json_escapes, entities, hex_entities)
    return "".join(spellings[choice](character) for character, choice in zip(text, choices, strict=False))


@given(token=tokens, before=around, after=around, encode=st.sampled_from(ENCODINGS))
@example(token="0000000:", before="%", after="", encode=quote)
@settings(max_examples=200, deadline=None)
def test_a_token_is_found_and_replaced_in_every_encoding(
    token: str, before: str, after: str, encode: Callable[[str], str]
) -> None:
    redactor = Redactor({"default": token})
    text = before + encode(token) + after
    with pytest.raises(SecretLeakError):
        redactor.check(text, "here")
    clean = redactor.text(text)
    redactor.check(clean, "here")
    assert token.lower() not in clean.lower()


@given(choices=st.lists(st.integers(0, 4), min_size=len(TOKEN), max_size=len(TOKEN)), before=around, after=around)
@settings(max_examples=200, deadline=None)
def test_a_token_in_any_mix_of_escapes_is_replaced_in_its_place(choices: list[int], before: str, after: str) -> None:
    assume(not before.endswith(("\\", "&", "%")))
    assert REDACTOR.text(f"{before} {mixed(TOKEN, choices)} {after}") == f"{before} <default> {after}"


@pytest.mark.parametrize(
    "hidden",
    [
        base64_of(base64_of(TOKEN)),
        base64_of(percent(TOKEN)),
        base64_of(TOKEN).encode().hex(),
        percent(base64_in_lines(TOKEN)),
        " ".join(TOKEN),
        in_json(base64_of(base64_of(TOKEN))),
    ],
)
def test_what_hides_a_token_deeper_is_removed_as_a_whole(hidden: str) -> None:
    with pytest.raises(SecretLeakError):
        REDACTOR.check(hidden, "here")
    assert REDACTOR.text(f"before {hidden} after") == REDACTED


def octal_escapes(text: str) -> str:
    return "".join(f"\\{ord(character):03o}" for character in text)


def css_escapes(text: str) -> str:
    return "".join(f"\\{ord(character):06x}" for character in text)


def short_css_escapes(text: str) -> str:
    return "".join(f"\\{ord(character):x} " for character in text)


def percent_u(text: str) -> str:
    return "".join(f"%u{ord(character):04X}" for character in text)


@pytest.mark.parametrize("encode", [octal_escapes, percent_u])
def test_escapes_that_few_servers_write_are_replaced_in_their_place(encode: Callable[[str], str]) -> None:
    assert REDACTOR.text(f"before {encode(TOKEN)} after") == "before <default> after"


@pytest.mark.parametrize(
    "hidden",
    [
        css_escapes(TOKEN).encode(),
        short_css_escapes(TOKEN).encode(),
        quopri.encodestring(TOKEN.encode()),
        quopri.encodestring(b"x" * 60 + TOKEN.encode()),
        b"x=\r" + b"".join(b"=%02X" % byte for byte in TOKEN.encode()),
        b"YQ==" + b"".join(b"=%02X" % byte for byte in TOKEN.encode()),
        b"==" + percent(TOKEN.encode().hex()).encode(),
        b"\\\\\\\n".join(base64.encodebytes(TOKEN.encode() * 2).splitlines()),
        TOKEN.encode("utf-16"),
        f"before {TOKEN} after".encode("utf-16-be"),
        base64.b64encode(TOKEN.encode("utf-16-le")),
        base64.b64encode(gzip.compress(TOKEN.encode(), mtime=0)),
        base64.b64encode(b"{" + zlib.compress(json.dumps([TOKEN, percent(TOKEN)]).encode())),
        zlib.compress(base64_of(TOKEN).encode()).hex().encode(),
        base64.b64encode(b"\0\xff" * 9 + base64_of(TOKEN).encode() + b"\0\xff" * 9),
        ", ".join(f"0x{byte:02x}" for byte in base64_of(TOKEN).encode()).encode(),
        percent(html.escape(in_json(f"'{TOKEN}'"))).encode(),
        base64_of(base64_of(base64_of(base64_of(base64_of(TOKEN))))).encode(),
    ],
)
def test_what_hides_a_token_in_other_encodings_is_removed_as_a_whole(hidden: bytes) -> None:
    for data in (hidden, b"\xff\0 before " + hidden + b" after \xff"):
        with pytest.raises(SecretLeakError):
            REDACTOR.check(data, "here")
        clean = REDACTOR.bytes(data)
        REDACTOR.check(clean, "here")
        assert b"<default>" in clean or clean == REDACTED.encode()


@pytest.mark.parametrize("place", [0, 2**20 - 9, 2**20, 2**20 + 2**16 - 9, 3 * 2**20])
@pytest.mark.parametrize("encode", [str, percent, base64_of, lambda text: base64_of(base64_of(text))])
def test_a_token_is_found_wherever_it_stands_in_a_large_body(encode: Callable[[str], str], place: int) -> None:
    before, after = b"- " * (place // 2), b" -" * 2**19
    clean = REDACTOR.bytes(before + encode(TOKEN).encode() + after)
    assert clean in (before + b"<default>" + after, REDACTED.encode()) or encode is base64_of
    REDACTOR.check(clean, "here")
    assert clean != before + encode(TOKEN).encode() + after


WORDS = [b"calendar ", b"conferencing ", b"meeting, ", b"at the ", b"2026-11-28T19:00:00Z ", b"profile "]


@pytest.mark.parametrize("kind", ["random bytes", "base64", "text", "hexadecimal"])
def test_a_large_body_is_searched_in_linear_time_and_little_memory(kind: str) -> None:
    random = Random(1)
    data = random.randbytes(8 * 2**20)
    if kind == "base64":
        data = base64.b64encode(data)[: len(data)]
    elif kind == "hexadecimal":
        data = data[: len(data) // 2].hex().encode()
    elif kind == "text":
        data = b"".join(random.choices(WORDS, k=len(data) // 9))
    tracemalloc.start()
    begun = time.thread_time()
    assert REDACTOR.bytes(data) is data
    seconds, (_, peak) = time.thread_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 2
    assert peak < 40 * 2**20


@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda data: base64.b64encode(data).decode()))
@settings(max_examples=200, deadline=None)
def test_text_without_the_token_stays_as_it_is(text: str) -> None:
    REDACTOR.check(text, "here")
    assert REDACTOR.text(text) == text


@given(data=st.binary(max_size=100))
def test_bytes_that_are_no_text_stay_as_they_are(data: bytes) -> None:
    assert REDACTOR.bytes(data) == data
    assert REDACTOR.bytes(data + TOKEN.encode() + data) == data + b"<default>" + data


def test_a_refusal_names_the_place_and_the_account_and_never_the_token() -> None:
    with pytest.raises(SecretLeakError) as caught:
        REDACTOR.check(f"a {TOKEN} b", f"report.json {TOKEN}")
    assert (
        str(caught.value)
        == "report.json <default>: what was to be written holds the token of account 'default': not written"
    )
    assert repr(REDACTOR) == "Redactor(default)"


def test_each_account_keeps_its_name() -> None:
    redactor = Redactor({"default": "token-one", "longer": "token-one-and-more", "empty": ""})
    assert redactor.text("token-one-and-more token-one") == "<longer> <default>"


def test_short_tokens_and_those_that_are_account_names_are_hidden_by_place_only() -> None:
    redactor = Redactor({"default": "test", "profiles": "profiles"})
    redactor.check("test profiles", "here")
    for account, token in (("default", "test"), ("profiles", "profiles")):
        sent = Exchange(
            Request("GET", "http://a/", (("authorization", f"bearer {token}"),), b"a test of profiles"), None
        )
        clean = redactor.exchange(sent)
        assert clean.request == Request(
            "GET", "http://a/", (("authorization", f"Bearer <{account}>"),), b"a test of profiles"
        )


def test_an_exchange_is_redacted_in_every_part() -> None:
    leaky = Exchange(
        Request(
            "GET", f"http://a/v1/{TOKEN}?q={percent(TOKEN)}", (("Authorization", f"Bearer {TOKEN}"),), TOKEN.encode()
        ),
        Response(200, (("X-Echo", base64_of(TOKEN)), (TOKEN, "1")), json_escapes(TOKEN).encode()),
        label=TOKEN,
        sent_at=1.0,
        notes=(("note", TOKEN),),
    )
    hidden = b"<default>"
    assert REDACTOR.exchange(leaky) == Exchange(
        Request("GET", "http://a/v1/<default>?q=<default>", (("Authorization", "Bearer <default>"),), hidden),
        Response(200, (("X-Echo", REDACTOR.text(base64_of(TOKEN))), ("<default>", "1")), hidden),
        label="<default>",
        sent_at=1.0,
        notes=(("note", "<default>"),),
    )


def test_a_url_that_hides_a_token_deeper_keeps_its_origin() -> None:
    sent = Exchange(Request("GET", f"http://a:1/{base64_of(base64_of(TOKEN))}"), None)
    assert REDACTOR.exchange(sent).request.url == "http://a:1/<redacted>"


@pytest.mark.parametrize(
    ("header", "clean"),
    [
        (("Authorization", "Bearer <default>"), ("Authorization", "Bearer <default>")),
        (("Authorization", "Basic dXNlcjpwYXNz"), ("Authorization", "Basic <token-")),
        (("authorization", "raw"), ("authorization", REDACTED)),
        (("Authorization", ""), ("Authorization", "")),
        (("Proxy-Authorization", "Basic dXNlcjpwYXNz"), ("Proxy-Authorization", "Basic <token-")),
        (("Cookie", "a=b"), ("Cookie", REDACTED)),
        (("set-cookie", "a=b; Path=/"), ("set-cookie", REDACTED)),
        (
            ("Location", "https://a/?code=1#access_token=<x>"),
            ("Location", "https://a/?code=%3Credacted%3E#access_token=<x>"),
        ),
        (("X-Other", "a=b"), ("X-Other", "a=b")),
    ],
)
def test_a_header_is_scrubbed_by_its_name(header: tuple[str, str], clean: tuple[str, str]) -> None:
    scrubbed = scrub(Exchange(Request("GET", "http://a/", (header,)), Response(200, (header,))))
    assert scrubbed.response is not None
    assert scrubbed.request.headers == scrubbed.response.headers
    name, value = scrubbed.request.headers[0]
    assert (name, value[: len(clean[1])]) == clean
    assert scrub(scrubbed) == scrubbed


@pytest.mark.parametrize(
    ("body", "clean"),
    [
        (b'{"access_token":"<default>"}', b'{"access_token":"<default>"}'),
        (b'{"access_token":""}', b'{"access_token":""}'),
        (b'{"access_token" : "a\\q"}', f'{{"access_token" : "<{account_of_token("a" + chr(92) + "q")}>"}}'.encode()),
        (b'{"client_secret":"a\\"b","code":"kept"}', b'{"client_secret":"<redacted>","code":"kept"}'),
        (b'{"relink_url":"https:\\/\\/a.example\\/r?t=1"}', b'{"relink_url":"https:\\/\\/a.example/redacted"}'),
        (b'{"profile_relink_url":"r/1"}', b'{"profile_relink_url":"/redacted"}'),
        (b'{"profile_relink_url":null}', b'{"profile_relink_url":null}'),
        (b"code=kept&access_token=a", b"code=kept&access_token=a"),
    ],
)
def test_a_body_is_scrubbed_by_its_fields(body: bytes, clean: bytes) -> None:
    scrubbed = scrub(Exchange(Request("GET", "http://a/", (), body), Response(200, (), body)))
    assert scrubbed.response is not None
    assert (scrubbed.request.body, scrubbed.response.body) == (clean, clean)
    assert scrub(scrubbed) == scrubbed


def test_a_form_keeps_a_code_that_is_no_grant() -> None:
    form = (("Content-Type", "application/x-www-form-urlencoded"),)
    sent = Exchange(Request("POST", "http://a/", form, b"code=kept&refresh_token=r"), None)
    assert scrub(sent).request.body == b"code=kept&refresh_token=%3Credacted%3E"


@given(url=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30), body=st.binary(max_size=40))
@example(url="/@", body=b"")
def test_what_holds_no_secret_is_the_very_same_exchange(url: str, body: bytes) -> None:
    assume("_token" not in url and "code" not in url and "secret" not in url)
    sent = Exchange(Request("POST", f"http://a/{url}", (), body), Response(200, (), body))
    assert scrub(sent) is sent


def test_a_log_record_is_redacted_with_its_traceback() -> None:
    stream = io.StringIO()
    sink = logging.StreamHandler(stream)
    sink.addFilter(REDACTOR)
    log = logging.getLogger("conformance.test-redaction")
    log.propagate = False
    log.addHandler(sink)

    def fail() -> None:
        raise RuntimeError(f"failed with {TOKEN}")

    try:
        try:
            fail()
        except RuntimeError:
            log.exception("sent %s", TOKEN, stack_info=True)
        log.error("misused %d %s", TOKEN)
        log.error("100%% of %s", "nothing")
    finally:
        log.removeHandler(sink)
    text = stream.getvalue()
    assert TOKEN not in text
    assert text.startswith("sent <default>\nTraceback")
    assert "RuntimeError: failed with <default>" in text
    assert "misused %d %s ('<default>',)" in text
    assert text.endswith("100% of nothing\n")


@pytest.mark.parametrize("unit", ["\\", "%", "&amp;", "%25", "A", "0", " ", "C", "\\u00", "&#", "CRN_"])
def test_hostile_text_is_searched_in_bounded_time(unit: str) -> None:
    text = unit * (400_000 // len(unit))
    begun = time.thread_time()
    clean = REDACTOR.text(text + " " + TOKEN)
    assert time.thread_time() - begun < 10
    assert clean.endswith("<default>") or clean == REDACTED


def test_checking_is_fast_enough_for_every_write() -> None:
    events = [{"event_id": f"e{n}", "summary": "Board meeting", "url": f"https://zoom.us/j/{n}"} for n in range(20)]
    body = json.dumps({"events": events}).encode()
    begun = time.thread_time()
    for _ in range(200):
        REDACTOR.check(body, "here")
    assert (time.thread_time() - begun) / 200 < 0.005


def test_redacting_twice_is_redacting_once() -> None:
    sent = Exchange(
        Request("GET", f"http://a/?access_token={quote(TOKEN)}", (("Authorization", f"Bearer {TOKEN}"),)), None
    )
    once = REDACTOR.exchange(sent)
    assert once == structs.replace(
        sent, request=Request("GET", "http://a/?access_token=%3Cdefault%3E", (("Authorization", "Bearer <default>"),))
    )
    assert REDACTOR.exchange(once) == once
