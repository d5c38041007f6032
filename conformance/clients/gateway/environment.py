"""The environment in which a client of any runtime finds the gateway."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from conformance.http.redaction.locations import SHORTEST
from conformance.http.server.certificates import CertificateAuthority

__all__ = ["environment", "user_tokens"]

_CREDENTIAL = re.compile(r"CRONOFY_\w*(?:TOKEN|SECRET|PASSWORD|KEY)\w*", re.IGNORECASE)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


def user_tokens(inherited: Mapping[str, str]) -> dict[str, str]:
    """The user's own Cronofy credentials in an environment, by the names of their variables."""
    return {name: value for name, value in inherited.items() if _CREDENTIAL.fullmatch(name) and value}


def environment(
    inherited: Mapping[str, str], *, base_url: str, proxy: str, token: str, authority: CertificateAuthority
) -> dict[str, str]:
    """`inherited` with everything by which common runtimes find a base URL, a proxy and a certificate authority.

    The user's own credentials are not handed on: their variables, and others of the same value, hold `token`.
    """
    replaced = {*_PROXIES, "ALL_PROXY", "NO_PROXY", *_BUNDLES}
    own = user_tokens(inherited)
    secrets = {value for value in own.values() if len(value) >= SHORTEST}
    kept = {
        name: token if name in own or value in secrets else value
        for name, value in inherited.items()
        if name.upper() not in replaced
    }
    certificate = str(authority.certificate)
    ours = {
        "CRONOFY_API_URL": base_url,
        "CRONOFY_ACCESS_TOKEN": token,
        **{spelling: proxy for name in _PROXIES for spelling in (name, name.lower())},
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1"),
        **dict.fromkeys(_BUNDLES, certificate),
        "NODE_USE_ENV_PROXY": "1",
        # An empty entry stands for PHP's own folder; what is scanned last counts.
        "PHP_INI_SCAN_DIR": f"{inherited.get('PHP_INI_SCAN_DIR', '')}{os.pathsep}{authority.php}",
    }
    return {**kept, **ours}
