"""Redaction by place: credentials, cookies, OAuth fields and relink URLs are replaced wherever they may be."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, unquote, unquote_plus, unquote_to_bytes, urlsplit

from msgspec import Struct

from conformance.http.display import without_userinfo
from conformance.http.exchange import (
    Exchange,
    Headers,
    Request,
    Response,
    account_of_token,
    is_credential_header,
    redact_authorization,
)
from conformance.http.redaction.encodings import REDACTED
from conformance.http.redaction.locations import (
    FIELDS,
    Certainty,
    has_userinfo,
    is_secret,
    looks_random,
    may_hold,
    of_field,
    quoted_in,
)

__all__ = ["Scrubber", "scrub"]

_PLACEHOLDER = re.compile(r"(?:\S+ )?<[A-Za-z0-9_.-]{1,64}>\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]*\Z")
_PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
#: Parameters of ``Authorization`` that are not secret.
_PUBLIC = frozenset({"algorithm", "nc", "qop", "realm", "uri", "username", "signedheaders", "version"})
#: Headers with a URL, and those with one among other words.
_WITH_URL = frozenset({"location", "content-location", "referer", "link", "refresh"})
_AMONG_WORDS = re.compile(r"[^\s<>\"',]+")
_JSON_FIELD = re.compile(
    rb'("(' + "|".join(name.replace("_", "[_-]?") for name in FIELDS).encode() + rb')"\s*:\s*")((?:[^"\\]|\\.)*)(?=")',
    re.DOTALL | re.IGNORECASE,
)
_JSON_RELINK = re.compile(rb'("\w*relink_url"\s*:\s*")((?:[^"\\]|\\.)+)(?=")', re.DOTALL)
_FIELDS = tuple(f"{name.replace('_', '')}=".encode() for name in FIELDS)
#: The one letter beyond ASCII that is an ASCII letter in lower case.
_KELVIN = "\N{KELVIN SIGN}".encode()
#: Bodies up to this size, in bytes, are remembered.
_SMALL = 65_536
#: So many requests are remembered.
_MOST_REQUESTS = 1024
_MOST_ANSWERS = 64
_ORIGIN = re.compile(rb"https?:(?:\\?/){2}[^/\\?#]*|")


def scrub(
    exchange: Exchange,
    account_of: Callable[[str], str] = account_of_token,
    collect: Callable[[str], None] | None = None,
) -> Exchange:
    """`exchange` with credentials, cookies, OAuth fields and relink URLs replaced.

    `account_of` maps a token to the name that replaces it; `collect` is called with each secret that is removed.
    Idempotent.
    """
    return Scrubber(account_of, collect)(exchange)


class Scrubber:
    """`scrub` for many exchanges: a message that came before as the very object that it is, is not looked at again."""

    def __init__(
        self, account_of: Callable[[str], str] = account_of_token, collect: Callable[[str], None] | None = None
    ) -> None:
        self._account_of, self._collect = account_of, collect
        self._known: dict[int, tuple[Request, Request, _Places]] = {}
        self._answers: dict[tuple[int, bool], tuple[Response, Response]] = {}

    def __call__(self, exchange: Exchange) -> Exchange:
        """The exchange as `scrub` gives it."""
        known = self._known.get(id(exchange.request))
        if known is None or known[0] is not exchange.request:
            known = self._scrubbed(exchange.request)
        _, request, places = known
        response = answer = exchange.response
        if response is not None:
            same = self._answers.get((id(response), places.oauth))
            answer = same[1] if same is not None and same[0] is response else self._scrubbed_answer(response, places)
        if request is exchange.request and answer is response:
            return exchange
        return Exchange(
            request,
            answer,
            exchange.label,
            exchange.sent_at,
            exchange.answered_at,
            exchange.time_resolution,
            exchange.headers_complete,
            exchange.notes,
            exchange.passed,
        )

    def _scrubbed_answer(self, response: Response, places: _Places) -> Response:
        headers, body = places.headers(response.headers), places.body(response.body)
        is_clean = headers is response.headers and body == response.body
        answer = response if is_clean else Response(response.status, headers, body)
        if len(self._answers) >= _MOST_ANSWERS:
            self._answers.clear()
        self._answers[id(response), places.oauth] = response, answer  # held, so that no other takes its id
        return answer

    def _scrubbed(self, request: Request) -> tuple[Request, Request, _Places]:
        places = _Places(self._account_of, self._collect, "/oauth/" in request.url)
        url, headers = places.url(request.url), places.headers(request.headers)
        body = places.body(request.body, is_form=_is_form(request))
        is_clean = url == request.url and headers is request.headers and body == request.body
        known = request, request if is_clean else Request(request.method, url, headers, body), places
        if not request.body:
            if len(self._known) >= _MOST_REQUESTS:
                self._known.clear()
            self._known[id(request)] = known  # with the request, so that no other takes its id
        return known


def _is_form(request: Request) -> bool:
    return (request.header("content-type") or "").lower().startswith("application/x-www-form-urlencoded")


@lru_cache(maxsize=1024)
def _has_credentials(url: str) -> bool:
    """Whether a URL may have user info, or names a field of credentials."""
    if "@" in url:
        return True
    at = min((i for i in (url.find("?"), url.find("#")) if i >= 0), default=-1)
    return at >= 0 and _names_a_field(url[at:].encode("utf-8", "surrogatepass"))


def _names_a_field(text: bytes) -> bool:
    """Whether a field of credentials may be named in a query or a form: most have none, and need not be split."""
    plain = unquote_to_bytes(text).lower().replace(_KELVIN, b"k").translate(None, b"_-")
    return any(name in plain for name in _FIELDS)


@lru_cache(maxsize=256)
def _places_of_credentials(names: tuple[str, ...]) -> tuple[int, ...]:
    """Where among the names of headers those are that carry credentials, or a URL that may."""
    return tuple(at for at, name in enumerate(names) if name.lower() in _WITH_URL or is_credential_header(name))


@lru_cache(maxsize=64)
def _has_nothing(body: bytes) -> bool:
    """Whether a body is JSON without a credential, or nothing at all: what is polled comes again and again."""
    if b"relink_url" in body or may_hold(body) or has_userinfo(body):
        return False
    return b"=" not in body or body.lstrip().startswith((b"{", b"["))


class _Places(Struct, frozen=True):
    """The places of credentials in an exchange: each method gives back its part with them replaced.

    `oauth`: the exchange with a token endpoint, where ``code`` and ``token`` are credentials.
    """

    account_of: Callable[[str], str]
    collect: Callable[[str], None] | None
    oauth: bool

    def headers(self, headers: Headers) -> Headers:
        places = _places_of_credentials(tuple([name for name, _ in headers]))
        if not places:
            return headers
        clean = list(headers)
        for at in places:
            name, value = headers[at]
            clean[at] = name, self._header(name, value)
        shown = tuple(clean)
        return headers if shown == headers else shown

    def url(self, url: str) -> str:
        if not _has_credentials(url):
            return url
        if self.collect is not None and "@" in url:
            self._userinfo(url)
        url = without_userinfo(url)
        at = min((i for i in (url.find("?"), url.find("#")) if i >= 0), default=-1)
        if at < 0:
            return url
        return url[:at] + "".join(self._pair(part, in_url=True) for part in re.split(r"([?&#;])", url[at:]))

    def body(self, body: bytes, is_form: bool = False) -> bytes:
        if len(body) <= _SMALL and not is_form and _has_nothing(body):
            return body
        if b"relink_url" in body:
            body = _JSON_RELINK.sub(lambda match: match[1] + _origin(match[2]) + b"/redacted", body)
        if not is_form:
            if may_hold(body):
                body = _JSON_FIELD.sub(self._json_field, body)
            if self.collect is not None and (may_hold(body) or has_userinfo(body)):
                for value, certainty in quoted_in(body):
                    self._note(value, certainty)
            if self.collect is None or b"=" not in body or body.lstrip().startswith((b"{", b"[")):
                return body
        if not _names_a_field(body):
            return body
        text = body.decode("latin-1")
        is_grant = "grant_type=" in text
        pairs = [self._pair(part, in_url=is_grant) for part in re.split(r"([&;])", text)]
        return "".join(pairs).encode("latin-1") if is_form else body

    def _header(self, name: str, value: str) -> str:
        lower = name.lower()
        if lower in ("link", "refresh"):
            return _AMONG_WORDS.sub(lambda match: self.url(match[0]), value)
        if lower in _WITH_URL:
            return self.url(value)
        if not is_credential_header(name) or not (value.strip() or lower in ("cookie", "set-cookie")):
            return value
        if lower in ("authorization", "proxy-authorization"):
            return value if _PLACEHOLDER.match(value) else self._authorization(value)
        if lower in ("cookie", "set-cookie"):
            pairs = value.split(";") if lower == "cookie" else [value.partition(";")[0]]
            for pair in pairs:
                self._note(pair.partition("=")[2].strip().strip('"'), Certainty.LIKELY)
            return REDACTED
        scheme, _, rest = value.strip().partition(" ")
        self._note(rest.strip() if rest and _SCHEME.match(scheme) else value.strip(), Certainty.LIKELY)
        return REDACTED

    def _authorization(self, value: str) -> str:
        """The scheme with an account in place of the credentials."""
        scheme, _, rest = value.strip().partition(" ")
        credentials, scheme = rest.strip(), scheme.lower()
        self._note(credentials or value.strip())
        if scheme == "bearer" and credentials:
            return f"Bearer <{self.account_of(credentials)}>"
        if scheme == "basic":
            self._note(_basic_password(credentials))
        for match in _PARAMETER.finditer(credentials):
            if match[1].lower() not in _PUBLIC and scheme != "basic":
                self._note(match[2] or match[3] or "")
        return redact_authorization((("Authorization", value),))[0][1]

    def _userinfo(self, url: str) -> None:
        try:
            userinfo = urlsplit(url).netloc.rpartition("@")[0]
        except ValueError:
            return
        user, _, password = userinfo.partition(":")
        for value in {password, unquote(password)}:
            self._note(value)
        for value in set() if password else {user, unquote(user)}:
            self._note(value, Certainty.LIKELY)

    def _pair(self, pair: str, in_url: bool) -> str:
        name, equals, value = pair.partition("=")
        field, plain = unquote_plus(name).lower(), unquote_plus(value)
        certainty = Certainty.SECRET if field == "code" and in_url else of_field(field)
        shown = self._replacement(field, plain, certainty) if equals else plain
        return pair if shown == plain else f"{name}={quote(shown)}"

    def _json_field(self, match: re.Match[bytes]) -> bytes:
        field = match[2].decode().lower()
        certainty = of_field(field)
        if certainty is None or (certainty is Certainty.LIKELY and not self.oauth):
            return match[0]
        try:
            plain = str(json.loads(b'"' + match[3] + b'"'))
        except ValueError:
            plain = match[3].decode("latin-1")
        shown = self._replacement(field, plain, certainty)
        return match[0] if shown == plain else match[1] + shown.encode()

    def _replacement(self, field: str, value: str, certainty: Certainty | None) -> str:
        if certainty is None or not value or _PLACEHOLDER.match(value):
            return value
        self._note(value, certainty)
        if certainty is Certainty.LIKELY and not looks_random(value):
            return value
        is_token = field.replace("_", "").replace("-", "") == "accesstoken"
        return f"<{self.account_of(value)}>" if is_token else REDACTED

    def _note(self, value: str, certainty: Certainty = Certainty.SECRET) -> None:
        if self.collect is not None and (looks_random if certainty is Certainty.LIKELY else is_secret)(value):
            self.collect(value)


def _basic_password(credentials: str) -> str:
    try:
        plain = base64.b64decode(credentials + "=" * (-len(credentials) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    user, _, password = plain.partition(":")
    return password or user


def _origin(url: bytes) -> bytes:
    match = _ORIGIN.match(url)
    return match[0] if match else b""
