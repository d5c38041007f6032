"""Which fields hold credentials, and which values in their place are some, rather than what a filter put there."""

from __future__ import annotations

import re
from enum import Enum

__all__ = ["FIELDS", "SHORTEST", "Certainty", "is_secret", "looks_random", "of_field", "quoted"]

#: Bytes of the shortest value that can be told from other text.
SHORTEST = 8
#: Shorter numbers are times, sizes and the like.
_LONG_NUMBER = 16

#: The fields of OAuth and their like, in forms, queries and JSON.
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


#: Credentials where an error quotes a piece of a recording that could not be read as an exchange.
_QUOTED = re.compile(
    r"(//)[^/\s?#]*@"
    r"|(\b(?:bearer|basic|digest)\s+)[^\s'\",;]{3,}"
    r"|((?:_token|_secret|password|authorization|cookie|api-?key)[\"']?\s*[=:,]\s*[\"']?)[^\"'&]+",
    re.IGNORECASE,
)


class Certainty(Enum):
    """Whether what stands in a place is a credential, or only where it looks like one."""

    SECRET = "secret"  # noqa: S105 - no credential
    LIKELY = "likely"


def of_field(name: str) -> Certainty | None:
    """Whether a field holds a credential, by its name; None where it holds none.

    >>> of_field("access_token"), of_field("code"), of_field("summary")
    (<Certainty.SECRET: 'secret'>, <Certainty.LIKELY: 'likely'>, None)
    """
    if name in _CERTAIN:
        return Certainty.SECRET
    return Certainty.LIKELY if name in _POSSIBLE else None


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


def looks_random(value: str) -> bool:
    """Whether a value that need not be a credential looks like one: a long word that no language has."""
    words = re.split(r"[^A-Za-z0-9]+", value)
    return is_secret(value) and any(len(word) >= SHORTEST and not _PLAIN.match(word) for word in words)
