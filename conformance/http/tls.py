"""Which certificates are trusted, and why one is not."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from conformance.errors import ConfigurationError

__all__ = ["certificate_problem", "trusting"]

#: Variables that name a file or folder of certificates, and how OpenSSL takes each.
_VARIABLES = {"SSL_CERT_FILE": "cafile", "SSL_CERT_DIR": "capath"}

#: Reasons by OpenSSL's verify_code (x509_vfy.h): what is wrong, and what to do.
_REASONS = {
    9: "is not valid yet: correct this machine's clock, or the certificate",
    10: "has expired: renew it, or correct this machine's clock",
    18: "is self-signed: name it with --ca or in SSL_CERT_FILE",
    62: "is made for another host name: use the name that it is made for",
    64: "is made for another IP address: use the name that it is made for",
}
_UNKNOWN_AUTHORITY = "is signed by an authority that is not trusted: name its certificate with --ca or in SSL_CERT_FILE"


def trusting(authority: Path | None, environment: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """The usual authorities, those in SSL_CERT_FILE and SSL_CERT_DIR, and `authority`, a file of certificates in PEM.

    Raises ConfigurationError for one that cannot be read.
    """
    import httpx  # slow to import, and only connections need it

    context = httpx.create_ssl_context(trust_env=False)
    places = [(name, kind, environment[name]) for name, kind in _VARIABLES.items() if environment.get(name)]
    if authority is not None:
        places.append(("--ca", "cafile", str(authority)))
    for name, kind, place in places:
        try:
            context.load_verify_locations(**{kind: place})
        except (OSError, ValueError) as error:  # an SSLError is an OSError
            reason = (
                error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "no certificate in PEM"
            )
            raise ConfigurationError(
                f"{name} {place}: {reason}; name a file of certificates that are to be trusted"
            ) from None
    return context


def certificate_problem(error: BaseException) -> str | None:
    """What is wrong with a certificate, as the end of a sentence; None for an error about anything else."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _REASONS.get(cause.verify_code, _UNKNOWN_AUTHORITY)
        cause = cause.__cause__ or cause.__context__
    return None
