from __future__ import annotations

import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conformance.http.curl import curl
from conformance.http.display import UNSEEN, visible
from conformance.http.exchange import UNKNOWN_TOKEN, Request, bearer

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "CRONOFY_ACCESS_TOKEN": "the token", "SECOND": "2nd"}


def _words(command: str) -> list[str]:
    """What a shell makes of a command: its words, and standard input as the last where one is piped."""
    print_words = "words() { for word; do printf '%s\\0' \"$word\"; done; test -t 0 || cat; }; "
    script = print_words + command.replace("curl -sS", "words -sS", 1)
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, check=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL
    )
    assert done.stderr == b""
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=80))
@example(b"@/etc/passwd")
@example(b'it\'s "$HOME" `id` \\ \n\t!')
@example("\u202e\u0085".encode())
@example(b"\x00\xff")
def test_a_body_reaches_the_server_byte_by_byte(body: bytes) -> None:
    words = _words(curl(Request("POST", "http://127.0.0.1/", (), body)))
    if "--data-raw" in words:
        assert words[words.index("--data-raw") + 1].encode() == body
    else:
        at = words.index("--data-binary")
        assert words[at + 1] == "@-"
        assert "\0".join(words[at + 2 :]).encode("utf-8", "surrogateescape") == body


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_a_command_shows_all_that_it_does(path: str, value: str) -> None:
    request = Request(
        "POST", f"http://127.0.0.1/{path}", (("X-Odd", value), (path, "v")), value.encode("utf-8", "replace")
    )
    command = curl(request)
    assert not UNSEEN.search(command.replace("\n", "").replace("\t", ""))
    words = _words(command)
    assert words[words.index("--url") + 1].startswith("http://127.0.0.1/")


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("default", "Authorization: Bearer the token"),
        ("second", "Authorization: Bearer 2nd"),
        (UNKNOWN_TOKEN, "Authorization: Bearer an-unknown-nobody-token"),
    ],
)
def test_the_token_comes_from_the_environment(account: str, expected: str) -> None:
    request = Request("GET", "http://127.0.0.1/", (("authorization", bearer(account)),))
    assert expected in _words(curl(request, {"second": "SECOND"}))


def test_without_credentials_none_are_sent_and_foreign_ones_are_not_repeated() -> None:
    assert "Authorization" not in curl(Request("GET", "http://127.0.0.1/"))
    foreign = curl(Request("GET", "http://127.0.0.1/", (("Authorization", "Basic <token-12345678>"),)))
    assert "-H 'Authorization: <credentials>'" in foreign
    assert "12345678" not in foreign


@pytest.mark.parametrize("name", ["X-Api-Key", "X-Auth", "api_secret", "X-Session-Id", "Db-Password", "csrf-token"])
def test_a_header_that_credentials_stand_in_is_not_repeated(name: str) -> None:
    command = curl(Request("GET", "http://127.0.0.1/", ((name, "the-secret"), ("X-Keyboard", "qwerty"))))
    assert command == f"curl -sS -i -g -H '{name}: <credentials>' -H 'X-Keyboard: qwerty' --url http://127.0.0.1/"


def test_a_url_is_shown_without_the_credentials_before_its_host() -> None:
    assert curl(Request("GET", "http://me:pass@127.0.0.1/a@b")) == "curl -sS -i -g --url http://127.0.0.1/a@b"


def test_headers_of_the_connection_are_left_to_curl() -> None:
    headers = (("Host", "h"), ("Content-Length", "3"), ("Accept", "*/*"), ("Cookie", "secret"), ("X-Empty", ""))
    assert curl(Request("GET", "http://127.0.0.1/", headers)) == (
        "curl -sS -i -g -H 'Accept: */*' -H 'X-Empty;' --url http://127.0.0.1/"
    )


@given(st.text())
def test_visible_text_has_nothing_unseen_and_plain_text_stays(text: str) -> None:
    shown = visible(text)
    assert not UNSEEN.search(shown)
    assert shown == text or UNSEEN.search(text)
    assert visible(shown) == shown


def test_lines_stay_lines_where_they_are_wanted() -> None:
    assert visible("a\n\tb\r\x9b\U000e0041", lines=True) == "a\n\tb\\r\\x9b\\U000e0041"
