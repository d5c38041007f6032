"""Our rules as Schemathesis checks: ``SCHEMATHESIS_HOOKS=conformance.plugins.schemathesis_hooks st run …``.

Each rule that one response can break is a check of its own, named by the rule's id with underscores.  A response is
judged by itself, with the latest calendar list and userinfo.  The outcome of a write shows only in later readings: for
that, use `run` or `check`.  Valid requests reach real calendars, events and pages (`RealRequests`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import schemathesis

from conformance.contract.rules import Rule, load
from conformance.facts import Facts, Observer, Settings
from conformance.facts.routes import account_name, route
from conformance.http.exchange import Exchange, Headers, Request, Response, load_json, redact_authorization
from conformance.judging.judge import Judge
from conformance.judging.verdict import Violation
from conformance.plugins.schemathesis_requests import RealRequests

if TYPE_CHECKING:
    import requests

__all__ = ["RULES", "Listener", "exchange_of"]

#: The rules that are checks: those for servers, over facts that come from one response.
RULES: tuple[Rule, ...] = tuple(
    rule
    for rule in load()
    if rule.applies_to == "server" and rule.about in ("exchange", "conferencing", "reading", "directory")
)

Check = Callable[[schemathesis.CheckContext, schemathesis.Response, schemathesis.Case[Any]], bool | None]


def exchange_of(response: schemathesis.Response, label: str) -> Exchange:
    """A response and its request as an exchange, with the account's name in place of the token.

    It has no times: checks run some time after the response.
    """
    sent = response.request
    return Exchange(
        Request((sent.method or "GET").upper(), sent.url or "", redact_authorization(_sent_headers(sent)), _body(sent)),
        Response(response.status_code, _received_headers(response.headers), response.content),
        label,
        headers_complete=True,
    )


def _sent_headers(sent: requests.PreparedRequest) -> Headers:
    return tuple((_text(name), _text(value)) for name, value in sent.headers.items())


def _received_headers(headers: Mapping[str, Iterable[str]]) -> Headers:
    return tuple((name, value) for name, values in headers.items() for value in values)


def _body(sent: requests.PreparedRequest) -> bytes:
    body = sent.body
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    return body if isinstance(body, bytes) else b""  # no body, or a stream that was consumed


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class Listener:
    """Judges one response at a time, with the latest calendar list and userinfo of each account."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._judge = Judge(rules)
        self._lists: dict[tuple[str | None, str], Exchange] = {}
        self._lock = threading.Lock()

    def violations(self, exchange: Exchange) -> dict[str, Violation]:
        """The first violation of each rule that this exchange breaks."""
        at = route(exchange.request.method, exchange.request.url)
        account = account_name(exchange.request, exchange.headers_complete)
        with self._lock:
            known = [other for other in self._lists.values() if other.label != exchange.label]
            if at.name in ("calendars", "userinfo") and exchange.response and exchange.response.status == 200:
                self._lists[account, at.name] = exchange
        found: dict[str, Violation] = {}
        for facts in _facts(known, exchange, is_write=at.name in ("write", "delete")):
            if not any(evidence.label == exchange.label for evidence in facts.evidence):
                continue
            for verdict in self._judge(facts):
                if verdict.violation is not None:
                    found.setdefault(verdict.rule, verdict.violation)
        return found


def _facts(known: Iterable[Exchange], exchange: Exchange, *, is_write: bool) -> list[Facts]:
    """The facts after one more exchange; those of a write are without its episode, which is still open."""
    observer = Observer(Settings(), revisions=False)
    for one in (*known, exchange):
        observer.add(one)
    return observer.closed() if is_write else [*observer.drain()]


class _Latest(threading.local):
    """The response that this thread's checks look at and its violations: all checks of one response share the work."""

    response: schemathesis.Response | None = None
    violations: Mapping[str, Violation] = {}


_listener = Listener(RULES)
_latest = _Latest()


def _violations(response: schemathesis.Response, case: schemathesis.Case[Any]) -> Mapping[str, Violation]:
    if _latest.response is not response:
        _latest.violations = _listener.violations(exchange_of(response, case.id))
        _latest.response = response
    return _latest.violations


def _check(rule: Rule) -> Check:
    def check(
        context: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
    ) -> bool | None:
        violation = _violations(response, case).get(rule.id)
        if violation is not None:
            headline = f"{rule.id} ({rule.level}, {', '.join(rule.clauses)})\n{violation.message}"
            raise AssertionError(f"{headline}\nexpected: {violation.expected}\ngot: {violation.actual}")
        return None

    check.__name__ = check.__qualname__ = rule.id.replace("-", "_")
    check.__doc__ = rule.title
    return check


_real = RealRequests()


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case[Any], **__: Any) -> None:
    """Make a valid request one that the server can grant."""
    if case.meta is None or case.meta.generation.mode.is_positive:
        _real.make_real(_operation(case), case.path_parameters, case.body)


@schemathesis.hook
def after_call(_: schemathesis.HookContext, case: schemathesis.Case[Any], response: schemathesis.Response) -> None:
    """Learn what is there."""
    if response.status_code == 200:
        with contextlib.suppress(ValueError):
            _real.learn(_operation(case), load_json(response.content))


def _operation(case: schemathesis.Case[Any]) -> str:
    return str(case.operation.definition.raw.get("operationId", ""))


for _rule in RULES:
    schemathesis.check(_check(_rule))
