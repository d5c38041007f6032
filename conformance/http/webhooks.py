"""Push notifications that come to a receiver of ours: where they come to, and how they are signed."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
from urllib.parse import urlsplit

from conformance.http.exchange import Headers

__all__ = [
    "INVALID",
    "IN_PROCESS",
    "NOTIFICATIONS",
    "VALID",
    "address",
    "is_public",
    "signature",
    "with_checked_signature",
]

#: The part of a URL's path after which our receivers' addresses differ.
NOTIFICATIONS = "/cronofy-conformance/notifications/"

#: Stands for the public address of a receiver in the process of the server: nothing is ever sent there.
IN_PROCESS = "https://receiver.conformance.invalid"

#: What stands for a part of a signature once it was checked, so that no recording needs the secret.
VALID, INVALID = "<valid>", "<invalid>"

_SIGNATURE = "cronofy-hmac-sha256"

#: Names that are reserved, and lead nowhere outside of one network.
_RESERVED = (
    "localhost",
    "example",
    "invalid",
    "test",
    "local",
    "internal",
    "example.com",
    "example.net",
    "example.org",
)


def address(url: str) -> str | None:
    """The part of a URL that tells one receiver of ours from others; None if it is of no receiver of ours.

    >>> address("https://tunnel.example/x/cronofy-conformance/notifications/run/a?b=c")
    'run/a'
    """
    _, found, rest = url.partition(NOTIFICATIONS)
    return rest.partition("?")[0].partition("#")[0] if found else None


def is_public(url: str) -> bool:
    """Whether a URL's host may be reached from outside, as far as its name tells."""
    try:
        host = (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return False
    if url.startswith(IN_PROCESS):
        return True
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not any(host == name or host.endswith(f".{name}") for name in _RESERVED)


def with_checked_signature(headers: Headers, body: bytes, secret: str) -> Headers:
    """The headers of a notification with each part of its signature replaced by whether `secret` made it."""
    right = hmac.digest(secret.encode(), body, hashlib.sha256)
    return tuple(
        (name, ", ".join(VALID if _is(part, right) else INVALID for part in value.split(",")))
        if name.lower() == _SIGNATURE
        else (name, value)
        for name, value in headers
    )


def _is(part: str, right: bytes) -> bool:
    try:
        return hmac.compare_digest(base64.b64decode(part.strip(), validate=True), right)
    except (ValueError, binascii.Error):
        return False


def signature(headers: Headers) -> bool | None:
    """Whether a checked signature is right in one of its parts; None where it was not checked."""
    values = [value for name, value in headers if name.lower() == _SIGNATURE]
    parts = [part.strip() for value in values for part in value.split(",")]
    if not parts or not set(parts) <= {VALID, INVALID}:
        return None
    return VALID in parts
