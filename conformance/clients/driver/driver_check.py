"""Checking an adapter: the protocol is played once, without judging the client, and each mistake is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.clients.cases.case_steps import Fixture, delete, event, list_calendars, read, write
from conformance.clients.cases.driver_call import CannedResponse, DriverCall, StubBehavior
from conformance.clients.cases.optional_cases import optional_cases
from conformance.clients.certificate import CertifyOptions, nothing_reached
from conformance.clients.driver.driver_session import (
    CurrentStub,
    DriverStartError,
    driver_at,
    fixture,
    fresh_stub,
    gateway_with,
    session,
)
from conformance.clients.driver.protocol import DriverError, report_of
from conformance.clients.facts.requests import body
from conformance.http.exchange import Exchange

__all__ = ["DriverFinding", "check_driver"]

_ERRORS = {"summary": [{"key": "errors.required", "description": "must be given"}]}
_UNKNOWN_METHOD = "no_such_method"
#: What an adapter that does not read UTF-8 alters.
_TEXT = "Größe 会議"


@dataclass(frozen=True)
class DriverFinding:
    """What one request showed of an adapter: `problem` says what is wrong, `note` what was seen where nothing is."""

    request: str
    note: str = ""
    problem: str | None = None

    def __str__(self) -> str:
        return f"{'problem' if self.problem else 'ok':<8} {self.request:<28} {self.problem or self.note}".rstrip()


@dataclass(frozen=True)
class _Probe:
    """One call, how the server responds to it, and what the answer must have."""

    name: str
    call: DriverCall
    behavior: StubBehavior
    check: Callable[[Mapping[str, Any], tuple[Exchange, ...]], str | None]


async def check_driver(options: CertifyOptions, tell: Callable[[DriverFinding], None]) -> bool:
    """Plays the protocol with the adapter of `options.command`; `tell` is given each finding.  Whether all is well."""
    current = CurrentStub()
    well = True

    def found(request: str, note: str, problem: str | None = None) -> None:
        nonlocal well
        well = well and problem is None
        tell(DriverFinding(request, note, problem))

    async with gateway_with(current) as gateway, driver_at(gateway, options) as driver:
        request = "start"
        try:
            client = (await session(driver, gateway, current)).client
            found(request, ", ".join(f"{name}: {client.get(name)}" for name in ("client", "version", "language")))
            stub = fresh_stub()
            await current.change(stub)
            for probe in _probes(fixture()):
                request = probe.name
                await stub.begin(probe.behavior)
                answer = await driver.call(probe.call.method, probe.call.params)
                exchanges = await gateway.take()
                problem = probe.check(report_of(answer), exchanges)
                found(request, _seen(report_of(answer), exchanges), problem)
            if not gateway.exchanges:
                found("all requests", "", nothing_reached(gateway.blocked_requests))
            request = "stop"
            await driver.stop()
            found(request, "the adapter ended")
        except DriverStartError as error:
            found(request, "", str(await driver.error(str(error))))
        except DriverError as error:
            found(request, "", str(error))
    return well


def _probes(here: Fixture) -> Iterator[_Probe]:
    explicit = {"profile_id": "explicit", "provider_description": _TEXT, "join_url": "https://example.com/join"}
    sent = event(here, "check-driver", explicit)
    refused = StubBehavior(write_response=CannedResponse(422, {"errors": _ERRORS}))
    optional = {case.name: case for case in optional_cases(here)}
    forbidden = StubBehavior(write_response=CannedResponse(403))
    for name, step, behavior, check in (
        ("list_calendars", list_calendars(), StubBehavior(), _has_result),
        ("upsert_event", write(here.calendar_id, sent), StubBehavior(), _has_text),
        ("read_events", read([here.calendar_id], ["check-driver"]), StubBehavior(), _has_the_event),
        ("upsert_event, answered 422", write(here.calendar_id, sent), refused, _has_errors),
        ("upsert_event, answered 403", write(here.calendar_id, sent), forbidden, _has_status),
        ("delete_event", delete(here.calendar_id, "check-driver"), StubBehavior(), _has_result),
        ("batch", optional["a batch of writes"].steps[0], StubBehavior(), _has_two_responses),
        ("verify_notification", optional["signatures of notifications"].steps[0], StubBehavior(), _is_valid),
    ):
        yield _Probe(name, step.call, behavior, check)
    yield _Probe("a method that is not known", DriverCall(_UNKNOWN_METHOD), StubBehavior(), _is_unsupported)


def _seen(report: Mapping[str, Any], exchanges: tuple[Exchange, ...]) -> str:
    if "unsupported" in report:
        return f"unsupported: {report['unsupported']}"
    count = f"{len(exchanges)} {'request' if len(exchanges) == 1 else 'requests'}"
    return f"{count}, {'an error' if 'error' in report else 'a result'}"


def _has_result(report: Mapping[str, Any], exchanges: tuple[Exchange, ...]) -> str | None:
    if "error" in report:
        return f"expected a result, got the error {report['error']['message'] or 'without a message'!r}"
    return None if "unsupported" in report or exchanges else "expected a request to the gateway, none came"


def _has_the_event(report: Mapping[str, Any], exchanges: tuple[Exchange, ...]) -> str | None:
    if (
        "ok" in report
        and exchanges
        and not any(one.get("event_id") == "check-driver" for one in report["ok"]["events"])
    ):
        return "expected result.events to have the event_id 'check-driver', which the gateway's answer has"
    return _has_result(report, exchanges)


def _has_status(report: Mapping[str, Any], exchanges: tuple[Exchange, ...]) -> str | None:
    if "unsupported" in report or not exchanges:
        return None if exchanges or "unsupported" in report else "expected a request to the gateway, none came"
    status = exchanges[-1].response.status if exchanges[-1].response else None
    if "ok" in report:
        return f"expected an error, got a result: the gateway answered {status}"
    if report["error"].get("status") != status:
        return f"expected error.data.status {status}, got {report['error'].get('status')!r}"
    return None


def _has_errors(report: Mapping[str, Any], exchanges: tuple[Exchange, ...]) -> str | None:
    problem = _has_status(report, exchanges)
    if problem is None and "error" in report and report["error"].get("errors") != _ERRORS:
        return f"expected error.data.errors {_ERRORS}, got {report['error'].get('errors')!r:.200}"
    return problem


def _has_text(report: Mapping[str, Any], exchanges: tuple[Exchange, ...]) -> str | None:
    sent = [body(exchange) for exchange in exchanges]
    texts = [one["conferencing"].get("provider_description") for one in sent if _has_conferencing(one)]
    if any(text == _TEXT.encode().decode("latin-1") for text in texts):
        return f"{_TEXT!r} was sent as {texts[0]!r}: read standard input as UTF-8"
    return _has_result(report, exchanges)


def _has_conferencing(document: Any) -> bool:
    return isinstance(document, Mapping) and isinstance(document.get("conferencing"), Mapping)


def _has_two_responses(report: Mapping[str, Any], exchanges: tuple[Exchange, ...]) -> str | None:
    if "ok" in report and len(report["ok"]["responses"]) != 2:
        return f"expected result.responses to have an entry for each of 2, got {len(report['ok']['responses'])}"
    return _has_result(report, exchanges)


def _is_valid(report: Mapping[str, Any], _exchanges: tuple[Exchange, ...]) -> str | None:
    if "unsupported" in report or report.get("ok") == {"valid": True}:
        return None
    got = report["error"]["message"] if "error" in report else report["ok"].get("valid")
    return f"expected result.valid true for a right signature of the body_base64's bytes, got {got!r:.200}"


def _is_unsupported(report: Mapping[str, Any], _exchanges: tuple[Exchange, ...]) -> str | None:
    return None if "unsupported" in report else f"expected the error code -32601 for {_UNKNOWN_METHOD!r}"
