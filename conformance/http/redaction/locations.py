"""Which fields hold credentials, and which of their values are credentials rather than placeholders."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from urllib.parse import unquote

__all__ = ["FIELDS", "SHORTEST", "Certainty", "has_userinfo", "is_secret", "looks_random", "mask_quotes", "may_hold"]
__all__ += ["of_field", "quoted_in"]

#: Bytes of the shortest value that is distinguishable from other text.
SHORTEST = 8
#: Shorter numbers are times and sizes.
_LONG_NUMBER = 16

#: Fields that always hold credentials in queries, forms and JSON, and fields that sometimes do.
_CERTAIN = frozenset(
    {
        "access_token",
        "api_key",
        "apikey",
        "assertion",
        "client_assertion",
        "client_secret",
        "code_verifier",
        "device_code",
        "id_token",
        "password",
        "refresh_token",
    }
)
_POSSIBLE = frozenset({"code", "key", "secret", "sig", "signature", "token"})
FIELDS = (*sorted(_CERTAIN), *sorted(_POSSIBLE))
#: Words of which placeholders for secrets consist.
_STAND_IN = re.compile(
    r"(?:access|api|auth(?:orization)?|basic|bearer|change|client|code|credentials?|default|demo|dummy|example|fake|filtered"
    r"|foo|bar|here|hidden|id|invalid|key|masked|me|mock|my|none|null|of|omitted|password|placeholder|private|redacted"
    r"|refresh|removed|replaced|sample|saniti[sz]ed|scrubbed|secret|session|stub(?:bed)?|test(?:ing)?|the|token|undefined"
    r"|unauthorized|unknown|user|value|wrong|x+|your)\Z",
    re.IGNORECASE,
)
_MARKED = re.compile(r"(?:[A-Za-z]+ )?(?:<.*>|\[.*\]|\{.*\}|\(.*\)|%\w+%|\*.*\*|\$\w+)\Z", re.DOTALL)
#: A word or the name of a field: replacing it elsewhere would change unrelated text.
_WORD = re.compile(r"[A-Z]?[a-z]{1,15}\Z|[a-z]{1,15}(?:_[a-z]{1,15}){1,3}\Z")
_PLAIN = re.compile(r"(?:[A-Z]?[a-z]{0,15}|[A-Z]{0,15}|\d{1,15})\Z")


#: Credentials in a piece of a recording that an error quotes.
_QUOTED = re.compile(
    r"(//)[^/\s?#]*@"
    r"|(\b(?:bearer|basic|digest)\s+)[^\s'\",;]{3,}"
    r"|((?:_token|_secret|password|authorization|cookie|api-?key)[\"']?\s*[=:,]\s*[\"']?)[^\"'&]+",
    re.IGNORECASE,
)


#: Credentials in text of any kind: after the name of a field, after a scheme of HTTP authentication, and in a URL.
_AFTER_NAME = re.compile(
    rb"(?:"
    + "|".join(name.replace("_", "[_-]?") for name in sorted(_CERTAIN)).encode()
    + rb")\\*[\"']?(?:\s*[=:]\s*\\*[\"']?|(?:\r|\\r)?(?:\n|\\n)(?:\r|\\r)?(?:\n|\\n))([^\s\"'\\&,;<>{}]{8,4096})",
    re.IGNORECASE,
)
_AFTER_SCHEME = re.compile(rb"\b(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{8,4096})", re.IGNORECASE)
_USERINFO = re.compile(rb"://[^\s\"'\\/@:?#]{0,256}:([^\s\"'\\/@]{8,4096})@")
#: In lower case, one of these is in whatever has a field of credentials or a scheme.
_HINTS = (
    *(b"token", b"secret", b"password", b"assertion", b"verifier", b"signature", b"bearer", b"basic"),
    *(b'key"', b"key=", b'code"', b'sig"'),
)


#: Bytes of a body of which it pays to tell items apart.
_LONG = 2_048


class Certainty(Enum):
    """Whether a field always holds a credential, or only where its value looks like one."""

    SECRET = "secret"  # noqa: S105 - no credential
    LIKELY = "likely"


#: By the names of fields without what their spellings differ in.
_CERTAINTIES = {
    **{name.replace("_", ""): Certainty.SECRET for name in _CERTAIN},
    **dict.fromkeys(_POSSIBLE, Certainty.LIKELY),
}


def of_field(name: str) -> Certainty | None:
    """Whether a field holds a credential, by its name in any spelling; None if it does not.

    >>> of_field("accessToken"), of_field("code"), of_field("summary")
    (<Certainty.SECRET: 'secret'>, <Certainty.LIKELY: 'likely'>, None)
    """
    return _CERTAINTIES.get(name.lower().replace("_", "").replace("-", ""))


def may_hold(body: bytes) -> bool:
    """Whether a body may have a field of credentials, or one after a scheme: a fast test.

    Of a list, an item that came before is not looked at again: no hint goes over the brackets between two.
    """
    if len(body) < _LONG:
        return _holds_hint(body)
    items = body.split(b"}, {") if b"}, {" in body else body.split(b"},{")
    return any((_known_to_hold_hint if len(item) < _LONG else _holds_hint)(item) for item in items)


def _holds_hint(text: bytes) -> bool:
    lower = text.lower()
    for hint in _HINTS:  # noqa: SIM110 - `any` over a generator takes twice as long
        if hint in lower:
            return True
    return False


_known_to_hold_hint = lru_cache(maxsize=1024)(_holds_hint)


def has_userinfo(body: bytes) -> bool:
    """Whether a URL in a body holds a password."""
    return b"@" in body and _USERINFO.search(body) is not None


def quoted_in(body: bytes) -> Iterator[tuple[str, Certainty]]:
    """Credentials that stand in text of any kind, such as JSON within JSON, and how certain it is that they are some.

    >>> list(quoted_in(b'{"note": "see https://a.example/?access_token=CRN_1234567&x=1"}'))
    [('CRN_1234567', <Certainty.SECRET: 'secret'>)]
    """
    for pattern, certainty in (
        (_AFTER_NAME, Certainty.SECRET),
        (_USERINFO, Certainty.SECRET),
        (_AFTER_SCHEME, Certainty.LIKELY),
    ):
        for match in pattern.finditer(body):
            value = match[1].decode("utf-8", "replace")
            yield from ((one, certainty) for one in dict.fromkeys((value, unquote(value))))


def mask_quotes(text: str) -> str:
    """An error message without the credentials that it quotes.

    >>> mask_quotes("found 'Authorization: Bearer abcdefgh'; remove the line")
    "found 'Authorization: <redacted>'; remove the line"
    """
    return _QUOTED.sub(lambda match: match[1] or f"{match[2] or match[3]}<redacted>", text)


@lru_cache(maxsize=1024)
def is_secret(value: str) -> bool:
    """Whether the value of a credential field is a credential, rather than a word or a placeholder."""
    if len(value.encode("utf-8", "surrogatepass")) < SHORTEST or _MARKED.match(value) or len(set(value)) < 4:
        return False
    words = re.findall(r"[A-Za-z]+", value)
    if not words:
        return len(value) >= _LONG_NUMBER
    return not (len(value) < 64 and all(map(_STAND_IN.match, words))) and not _WORD.match(value)


@lru_cache(maxsize=1024)
def looks_random(value: str) -> bool:
    """Whether a value looks like a credential: it contains a long word that is not natural language."""
    words = re.split(r"[^A-Za-z0-9]+", value)
    return is_secret(value) and any(len(word) >= SHORTEST and not _PLAIN.match(word) for word in words)
