"""Certificates: a private authority works as users expect, on loopback too, and each refusal has its reason."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
import uvicorn

from conformance.clients.certificate import Certificate
from conformance.clients.proxy import ProxyOptions, observe
from conformance.contract.rules import load
from conformance.http.exchange import Exchange
from conformance.reference import reference_app
from conformance.servers.campaign import RunResult, run
from conformance.servers.run_options import RunOptions
from conformance.servers.subject import ConfigurationError, parse
from conformance.servers.subject.reception import Limits

CA = trustme.CA()
PAST = datetime.now(UTC) - timedelta(days=1)


@contextmanager
def served(certificate: trustme.LeafCert, folder: Path) -> Iterator[tuple[str, str]]:
    """The reference server behind TLS: its URL and token; the authority's certificate is `folder`/ca.pem."""
    CA.cert_pem.write_to_path(str(folder / "ca.pem"))
    app = reference_app(settle=0.0)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    config.load()
    config.ssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(config.ssl)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"https://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", app.tokens["default"]
    finally:
        server.should_exit = True
        thread.join()


def planned(url: str, token: str, authority: Path | None = None) -> RunResult:
    subject = parse(url, {"default": token}, authority=authority)
    return asyncio.run(run(RunOptions(plan=True), subject=subject, limits=Limits(attempts=1)))


@pytest.mark.parametrize("place", ["--ca", "SSL_CERT_FILE"])
def test_a_private_authority_is_trusted_on_loopback_too(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(CA.issue_cert("127.0.0.1"), tmp_path) as (url, token):
        if place == "SSL_CERT_FILE":
            monkeypatch.setenv(place, str(tmp_path / "ca.pem"))
        assert planned(url, token, tmp_path / "ca.pem" if place == "--ca" else None).plan.scenarios


@pytest.mark.parametrize(
    ("certificate", "trusted", "reason"),
    [
        (CA.issue_cert("127.0.0.1"), False, "is signed by an authority that is not trusted: name its certificate"),
        (CA.issue_cert("127.0.0.1", not_after=PAST), True, "has expired: renew it, or correct this machine's clock"),
        (CA.issue_cert("127.0.0.2"), True, "is made for another IP address: use the name that it is made for"),
        (CA.issue_cert("localhost"), True, "is made for another IP address: use the name that it is made for"),
    ],
    ids=["unknown authority", "expired", "another address", "another name"],
)
def test_a_certificate_is_refused_with_its_reason(
    certificate: trustme.LeafCert, trusted: bool, reason: str, tmp_path: Path
) -> None:
    with served(certificate, tmp_path) as (url, token), pytest.raises(ConfigurationError) as refused:
        planned(url, token, tmp_path / "ca.pem" if trusted else None)
    assert str(refused.value).startswith(f"the certificate of {url} {reason}")


def proxied(url: str, token: str, **options: Any) -> tuple[httpx.Response, Certificate, list[Exchange]]:
    """What a client that writes an event through the proxy is answered, what is judged, and what is kept."""
    kept: list[Exchange] = []

    async def use() -> tuple[httpx.Response, Certificate]:
        said: asyncio.Queue[str] = asyncio.Queue()
        observing = asyncio.create_task(
            observe(ProxyOptions(url, **options), load(), echo=said.put_nowait, sink=kept.append)
        )
        origin = (await said.get()).split()[2].rstrip(",")
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(trust_env=False, base_url=origin, headers=headers) as http:
            answer = await http.post("/v1/calendars/cal_x/events", json={"event_id": "e", "summary": "Planning"})
        observing.cancel()
        return answer, await observing

    return *asyncio.run(use()), kept


@pytest.mark.parametrize("redact_personal", [False, True])
def test_a_proxy_trusts_the_authority_too_and_keeps_personal_data_only_if_it_may(
    redact_personal: bool, tmp_path: Path
) -> None:
    with served(CA.issue_cert("127.0.0.1"), tmp_path) as (url, token):
        answer, certificate, [exchange] = proxied(url, token, ca=tmp_path / "ca.pem", redact_personal=redact_personal)
    assert (answer.status_code, certificate.unjudged) == (404, None)
    assert (b"Planning" in exchange.request.body) is not redact_personal


def test_a_proxy_says_why_a_certificate_is_refused(tmp_path: Path) -> None:
    with served(CA.issue_cert("127.0.0.1"), tmp_path) as (url, token):
        answer, certificate, _ = proxied(url, token)
    reason = f"the certificate of {url} is signed by an authority that is not trusted: name its certificate with --ca"
    assert answer.status_code == 502
    assert answer.text.startswith(reason)
    assert (certificate.unjudged or "").startswith(reason)


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), ("no PEM", "no certificate in PEM")])
def test_a_file_of_no_certificates_is_named(content: str | None, reason: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(ConfigurationError, match=rf"^--ca .*ca\.pem: {reason}.*; name a file of certificates"):
        planned("https://127.0.0.1:9", "a-token", tmp_path / "ca.pem")
