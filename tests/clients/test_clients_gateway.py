"""The gateway: every way that a client finds the API ends there, and nothing goes elsewhere."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from conformance.clients.gateway.gateway import Gateway
from conformance.http.exchange import Request
from conformance.http.hosts import API_HOSTS
from conformance.http.server.http_server import Reply

TOKEN = "secret-token-1234"  # a token of the test's own


async def echo(request: Request) -> Reply:
    """Answers with what was asked, the token and all."""
    said = {"method": request.method, "url": request.url, "body": request.body.decode(), "headers": request.headers}
    return Reply(200, (("Content-Type", "application/json"),), json.dumps(said).encode())


def at_gateway(use: Callable[[Gateway], Awaitable[Any]], folder: Path, answer: Any = echo) -> Any:
    async def run() -> Any:
        async with Gateway(answer, tokens={"default": TOKEN}, folder=folder) as gateway:
            return await use(gateway)

    return asyncio.run(run())


def client(gateway: Gateway, **options: Any) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=str(gateway.certificate))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.AsyncClient(verify=context, trust_env=False, headers=headers, **options)


async def raw(gateway: Gateway, sent: bytes) -> bytes:
    """What comes back for bytes as they are, until the gateway closes or an object ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.base_url.rpartition(":")[2]))
    writer.write(sent)
    got = b""
    try:
        async with asyncio.timeout(30):
            while piece := await reader.read(65536):
                got += piece
                if got.endswith(b"}"):
                    break
    finally:
        writer.close()
        await writer.wait_closed()
    return got


@pytest.mark.parametrize("way", ["plain", "tls", *API_HOSTS])
def test_every_origin_ends_at_the_gateway_and_is_seen_as_it_was_addressed(way: str, tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> None:
        origin = {"plain": gateway.base_url, "tls": gateway.tls_url}.get(way, f"https://{way}")
        proxy = gateway.base_url if way in API_HOSTS else None
        async with client(gateway, proxy=proxy) as http:
            answer = await http.post(f"{origin}/v1/x%2Fy?a=%20b", json={"ü": TOKEN})
            again = await http.get(f"{origin}/v1/calendars")
        assert (answer.json()["url"], again.json()["url"]) == (f"{origin}/v1/x%2Fy?a=%20b", f"{origin}/v1/calendars")
        first, second = await gateway.take()
        assert first.request.url == f"{origin}/v1/x%2Fy?a=%20b"
        assert (first.headers_complete, first.request.account, second.request.method) == (True, "default", "GET")
        assert TOKEN not in repr((first, second))
        assert json.loads(first.request.body) == {"ü": "<default>"}
        assert gateway.blocked_requests == []

    at_gateway(use, tmp_path)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_absolute_form_is_understood_for_both_schemes(scheme: str, tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> bytes:
        request = f"GET {scheme}://api-de.cronofy.com/v1/events HTTP/1.1\r\nHost: api-de.cronofy.com\r\n\r\n"
        answer = await raw(gateway, request.encode())
        (exchange,) = await gateway.take()
        assert exchange.request.url == f"{scheme}://api-de.cronofy.com/v1/events"
        return answer

    assert at_gateway(use, tmp_path).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"GET https://example.com/x?secret HTTP/1.1\r\nHost: example.com\r\n\r\n", "https://example.com/x"),
        (b"GET http://app.cronofy.com/ HTTP/1.1\r\nHost: app.cronofy.com\r\n\r\n", "http://app.cronofy.com/"),
        (b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", "example.com:443"),
        (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", "127.0.0.1:1"),
        (b"CONNECT nonsense:x HTTP/1.1\r\nHost: nonsense\r\n\r\n", "nonsense:x"),
    ],
)
def test_other_hosts_are_refused_and_told(sent: bytes, told: str, tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> None:
        assert (await raw(gateway, sent)).startswith(b"HTTP/1.1 403")
        assert await gateway.take() == ()
        (what,) = gateway.blocked_requests
        assert told in what
        assert "secret" not in what

    at_gateway(use, tmp_path)


def test_the_host_header_does_not_decide_where_a_request_went(tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> None:
        await raw(gateway, b"GET /v1/events HTTP/1.1\r\nHost: api.cronofy.com\r\n\r\n")
        (exchange,) = await gateway.take()
        assert exchange.request.url == f"{gateway.base_url}/v1/events"

    at_gateway(use, tmp_path)


def test_a_client_that_does_not_trust_the_authority_is_told_of(tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> None:
        async with httpx.AsyncClient(proxy=gateway.base_url, trust_env=False) as http:
            with pytest.raises(httpx.ConnectError):
                await http.get("https://api.cronofy.com/v1/events")
        async with asyncio.timeout(30):
            while not gateway.blocked_requests:
                await asyncio.sleep(0.005)
        (what,) = gateway.blocked_requests
        assert "trust the run's certificate authority" in what

    at_gateway(use, tmp_path)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 200_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET http://[/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"GET http://127.0.0.1:99999/ HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
        (b"CONNECT [::1 HTTP/1.1\r\nHost: x\r\n\r\n", b"403"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 17000000\r\n\r\n" + b"a" * 17_000_000, b"413"),
    ],
)
def test_malformed_and_outsized_requests_are_refused(sent: bytes, status: bytes, tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> bytes:
        try:
            return await raw(gateway, sent)
        except ConnectionError:
            return b"HTTP/1.1 413"  # closed while the client was still sending
        finally:
            assert await gateway.take() == ()

    assert at_gateway(use, tmp_path).startswith(b"HTTP/1.1 " + status)


def test_chunked_bodies_and_expectations_are_understood(tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> None:
        head = b"POST /v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        answer = await raw(gateway, head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert b'"body": "abcde"' in answer
        (exchange,) = await gateway.take()
        assert exchange.request.body == b"abcde"

    at_gateway(use, tmp_path)


def test_a_head_request_has_no_body_in_its_answer(tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> None:
        async with client(gateway) as http:
            assert (await http.head(gateway.base_url)).content == b""
            assert (await http.get(gateway.base_url)).content != b""

    at_gateway(use, tmp_path)


def test_a_defect_of_the_one_who_answers_reaches_the_run(tmp_path: Path) -> None:
    async def answer(_: Request) -> Reply:
        raise LookupError("a defect of ours")

    async def use(gateway: Gateway) -> None:
        async with client(gateway) as http:
            assert (await http.get(gateway.base_url)).status_code == 500
        with pytest.raises(LookupError, match="a defect of ours"):
            await gateway.take()

    at_gateway(use, tmp_path, answer)


def test_the_environment_replaces_what_a_driver_would_inherit(tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> None:
        inherited = {
            "PATH": "/bin",
            "https_proxy": "http://proxy.example:3128",
            "ALL_PROXY": "socks5://proxy.example",
            "no_proxy": "*",
            "REQUESTS_CA_BUNDLE": "/other.pem",
            "PHP_INI_SCAN_DIR": "/etc/php",
            "CRONOFY_REFRESH_TOKEN": "the-users-own",
            "COPY": "the-users-own",
        }
        environment = gateway.environment("given", inherited)
        certificate = str(gateway.certificate)
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), gateway.base_url)
        bundles = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
        assert environment == {
            "PATH": "/bin",
            "CRONOFY_API_URL": gateway.base_url,
            **dict.fromkeys(("CRONOFY_ACCESS_TOKEN", "CRONOFY_REFRESH_TOKEN", "COPY"), "given"),
            **proxies,
            **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1"),
            **dict.fromkeys(bundles, certificate),
            "NODE_USE_ENV_PROXY": "1",
            "PHP_INI_SCAN_DIR": f"/etc/php:{tmp_path / 'php'}",
        }
        assert f'openssl.cafile="{certificate}"' in (tmp_path / "php" / "authority.ini").read_text()
        assert b"PRIVATE" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    at_gateway(use, tmp_path)


def test_the_gateway_listens_on_loopback_only(tmp_path: Path) -> None:
    async def use(gateway: Gateway) -> None:
        port = int(gateway.base_url.rpartition(":")[2])
        with socket.socket() as other:
            other.bind(("127.0.0.2", port))  # the same port is free on every other address

    at_gateway(use, tmp_path)
