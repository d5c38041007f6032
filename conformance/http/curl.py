"""A request as a ``curl`` command that is safe to paste into a POSIX shell, whatever the request contains."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from conformance.http.display import UNSEEN, without_userinfo
from conformance.http.exchange import CONNECTION_HEADERS, UNKNOWN_TOKEN, Request, is_credential_header

__all__ = ["curl", "quoted", "variable_of"]

#: Headers that curl adds itself, connection-specific headers, and secrets.
_LEFT_OUT = CONNECTION_HEADERS | {
    "accept-encoding",
    "authorization",
    "content-length",
    "cookie",
    "expect",
    "host",
    "user-agent",
}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_SAFE_WORD = re.compile(r"[A-Za-z0-9_./:=,+%@-]+\Z")
_DEFAULT = "CRONOFY_ACCESS_TOKEN"
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def variable_of(account: str, variables: Mapping[str, str] = _NO_VARIABLES) -> str:
    """The environment variable with an account's token: the declared one, or one derived from its name.

    >>> variable_of("default"), variable_of("profiles"), variable_of("profiles", {"profiles": "TOKEN_2"})
    ('CRONOFY_ACCESS_TOKEN', 'CRONOFY_ACCESS_TOKEN_PROFILES', 'TOKEN_2')
    """
    if account in variables:
        return variables[account]
    if account == "default":
        return _DEFAULT
    return f"{_DEFAULT}_{re.sub(r'[^A-Z0-9]', '_', account.upper())}"


def curl(request: Request, variables: Mapping[str, str] = _NO_VARIABLES) -> str:
    """One shell command; tokens come from the environment, binary bodies from base64."""
    words = ["curl", "-sS", "-i", "-g"]
    if request.method != "GET" or request.body:
        words += ["-X", quoted(request.method)]
    words += _credentials(request, variables)
    for name, value in request.headers:
        # No client can send control characters in a header: such a command would send another request.
        if name.lower() not in _LEFT_OUT and _HEADER_NAME.match(name) and not UNSEEN.search(value):
            shown = "<credentials>" if value.strip() and is_credential_header(name) else value
            words += ["-H", quoted(f"{name}: {shown}" if shown.strip() else f"{name};")]
    words += ["--url", quoted(_visible_url(request.url))]
    if not request.body:
        return " ".join(words)
    text = _text(request.body)
    if text is not None:
        return " ".join([*words, "--data-raw", quoted(text)])
    encoded = base64.b64encode(request.body).decode("ascii")
    return f"printf %s {encoded} | base64 -d | " + " ".join([*words, "--data-binary", "@-"])


def _credentials(request: Request, variables: Mapping[str, str]) -> list[str]:
    account = request.account
    if account is not None:
        value = (
            f"an-unknown-{UNKNOWN_TOKEN}-token" if account == UNKNOWN_TOKEN else f"${variable_of(account, variables)}"
        )
        return ["-H", f'"Authorization: Bearer {value}"']
    if request.header("authorization"):
        return ["-H", "'Authorization: <credentials>'"]
    return []


def _text(body: bytes) -> str | None:
    """The body as printable text; None for binary ones."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if UNSEEN.search(text.replace("\n", "").replace("\t", "")) else text


def _visible_url(url: str) -> str:
    return UNSEEN.sub(lambda match: quote(match[0].encode("utf-8", "surrogatepass")), without_userinfo(url))


def quoted(word: str) -> str:
    """One word of a POSIX shell, whatever it holds."""
    return word if _SAFE_WORD.match(word) else "'" + word.replace("'", "'\\''") + "'"
