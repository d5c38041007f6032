"""Credentials by their place: which values in an exchange are secret, and which only stand where one would be."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

from conformance.http.exchange import Exchange, Headers, is_credential_header

__all__ = ["SHORTEST", "credentials_of", "is_secret", "quoted"]

#: Bytes of the shortest value that can be told from other text.
SHORTEST = 8
#: Shorter numbers are times, sizes and the like.
_LONG_NUMBER = 16

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]*\Z")
_PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
_PUBLIC = frozenset({"algorithm", "nc", "qop", "realm", "uri", "username", "signedheaders", "version"})
_OAUTH = re.compile(
    r"(?:access_token|refresh_token|id_token|client_secret|client_assertion|assertion|password|device_code"
    r"|code_verifier|api_?key)\Z",
    re.IGNORECASE,
)
_JSON = re.compile(
    rb'"(access_token|refresh_token|id_token|client_secret|client_assertion|assertion|password|code|device_code'
    rb'|code_verifier)"\s*:\s*("(?:[^"\\]|\\.)*")',
    re.DOTALL,
)
#: What recorders and people write in the place of a secret.
_STAND_IN = re.compile(
    r"(?:access|api|auth(?:orization)?|basic|bearer|change|client|code|credentials?|default|demo|dummy|example|fake|filtered"
    r"|foo|bar|here|hidden|id|invalid|key|masked|me|mock|my|none|null|of|omitted|password|placeholder|private|redacted"
    r"|refresh|removed|replaced|sample|saniti[sz]ed|scrubbed|secret|session|stub(?:bed)?|test(?:ing)?|the|token|undefined"
    r"|unauthorized|unknown|user|value|wrong|x+|your)\Z",
    re.IGNORECASE,
)
_MARKED = re.compile(r"(?:[A-Za-z]+ )?(?:<.*>|\[.*\]|\{.*\}|\(.*\)|%\w+%|\*.*\*|\$\w+)\Z", re.DOTALL)
#: A word, or the name of a field: replacing it would alter what has nothing to do with it.
_WORD = re.compile(r"[A-Z]?[a-z]{1,15}\Z|[a-z]{1,15}(?:_[a-z]{1,15}){1,3}\Z")
_PLAIN = re.compile(r"(?:[A-Z]?[a-z]{0,15}|[A-Z]{0,15}|\d{1,15})\Z")


#: SecretCollector where an error quotes a piece of a recording that could not be read as an exchange.
_QUOTED = re.compile(
    r"(//)[^/\s?#]*@"
    r"|(\b(?:bearer|basic|digest)\s+)[^\s'\",;]{3,}"
    r"|((?:_token|_secret|password|authorization|cookie|api-?key)[\"']?\s*[=:,]\s*[\"']?)[^\"'&]+",
    re.IGNORECASE,
)


def quoted(text: str) -> str:
    """An error's `text` without the credentials in what it quotes.

    >>> quoted("found 'Authorization: Bearer abcdefgh'; remove the line")
    "found 'Authorization: <redacted>'; remove the line"
    """
    return _QUOTED.sub(lambda match: match[1] or f"{match[2] or match[3]}<redacted>", text)


def is_secret(value: str) -> bool:
    """Whether a value in the place of a credential is one, rather than a word or what a filter put there."""
    if len(value.encode("utf-8", "surrogatepass")) < SHORTEST or _MARKED.match(value) or len(set(value)) < 4:
        return False
    words = re.findall(r"[A-Za-z]+", value)
    if not words:
        return len(value) >= _LONG_NUMBER
    return not (len(value) < 64 and all(map(_STAND_IN.match, words))) and not _WORD.match(value)


def _looks_random(value: str) -> bool:
    """Whether a value that need not be a credential looks like one: a long word that no language has."""
    words = re.split(r"[^A-Za-z0-9]+", value)
    return is_secret(value) and any(len(word) >= SHORTEST and not _PLAIN.match(word) for word in words)


def credentials_of(exchange: Exchange) -> Iterator[str]:
    """The credentials in an exchange that was not scrubbed, by their place: headers, URLs, OAuth's fields."""
    request, response = exchange.request, exchange.response
    yield from _in_headers(request.headers)
    yield from _in_url(request.url)
    token_endpoint = "/oauth/" in request.url
    if request.body and (token_endpoint or _is_suspicious(request.body)):
        yield from _in_body(request.body)
    if response is not None:
        yield from _in_headers(response.headers)
        if response.body and (token_endpoint or _is_suspicious(response.body)):
            yield from _in_body(response.body)


def _is_suspicious(body: bytes) -> bool:
    return b"_token" in body or b"_secret" in body


@lru_cache(maxsize=1024)
def _in_headers(headers: Headers) -> tuple[str, ...]:
    return tuple(value for name, held in headers for value in _in_header(name.lower(), held))


def _in_header(name: str, value: str) -> tuple[str, ...]:
    if name == "location":
        return _in_url(value)
    if not is_credential_header(name):
        return ()
    if name in ("cookie", "set-cookie"):
        pairs = value.split(";") if name == "cookie" else [value.partition(";")[0]]
        values = [pair.partition("=")[2].strip().strip('"') for pair in pairs]
        return tuple(filter(_looks_random, values))
    if name not in ("authorization", "proxy-authorization"):
        scheme, _, rest = value.strip().partition(" ")
        return tuple(filter(_looks_random, [rest.strip() if rest and _SCHEME.match(scheme) else value.strip()]))
    return tuple(filter(is_secret, _authorized(value.strip())))


def _authorized(value: str) -> Iterator[str]:
    """The secrets in an ``Authorization``: what follows the scheme, a Basic password, the values of parameters."""
    scheme, _, rest = value.partition(" ")
    rest = rest.strip()
    if not rest:
        yield value
        return
    yield rest
    if scheme.lower() == "basic":
        try:
            plain = base64.b64decode(rest + "=" * (-len(rest) % 4)).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return
        user, _, password = plain.partition(":")
        yield password or user
    elif scheme.lower() != "bearer":
        for match in _PARAMETER.finditer(rest):
            if match[1].lower() not in _PUBLIC:
                yield match[2] or match[3] or ""


@lru_cache(maxsize=4096)
def _in_url(url: str) -> tuple[str, ...]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ()
    found: list[str] = []
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    for value in {password, unquote(password)}:
        found += filter(is_secret, [value])
    if not password:
        found += filter(_looks_random, {user, unquote(user)})
    for name, value in (*parse_qsl(parts.query), *parse_qsl(parts.fragment)):
        if _OAUTH.match(name):
            found += filter(is_secret, [value])
        elif name.lower() in ("code", "token", "key", "sig", "signature", "secret"):
            found += filter(_looks_random, [value])
    return tuple(found)


def _in_body(body: bytes) -> Iterator[str]:
    """The values of OAuth's fields in a form or a JSON text."""
    fields = [(name.decode(), _text_of(text)) for name, text in _JSON.findall(body)]
    if not body.lstrip().startswith((b"{", b"[")):
        fields += parse_qsl(body.decode("utf-8", "replace"))
    for name, value in fields:
        if _OAUTH.match(name):
            yield from filter(is_secret, [value])
        elif name == "code":
            yield from filter(_looks_random, [value])


def _text_of(escaped: bytes) -> str:
    try:
        return str(json.loads(escaped))
    except ValueError:
        return escaped[1:-1].decode("utf-8", "replace")
