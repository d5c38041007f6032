"""The certificates of a run, and the environment that makes a client of any runtime find the gateway."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from conformance.http.hosts import API_HOSTS

__all__ = ["CertificateAuthority", "environment"]

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


class CertificateAuthority:
    """A certificate authority made for one run; `folder` receives its certificate, never its key."""

    def __init__(self, folder: Path) -> None:
        import trustme  # slow to import, and only the gateway needs it

        authority = trustme.CA(organization_name="cronofy-conformance")
        self.certificate = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.certificate))
        self.php = folder / "php"
        self.php.mkdir(exist_ok=True)
        (self.php / "authority.ini").write_text(
            f'curl.cainfo="{self.certificate}"\nopenssl.cafile="{self.certificate}"\n', encoding="utf-8"
        )
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.set_alpn_protocols(["http/1.1"])
        authority.issue_cert(*API_HOSTS, "localhost", "127.0.0.1", "::1").configure_cert(self.server)


def environment(
    inherited: Mapping[str, str], *, base_url: str, proxy: str, authority: CertificateAuthority
) -> dict[str, str]:
    """`inherited` with everything by which common runtimes find a base URL, a proxy and a certificate authority."""
    replaced = {*_PROXIES, "ALL_PROXY", "NO_PROXY", *_BUNDLES}
    kept = {name: value for name, value in inherited.items() if name.upper() not in replaced}
    certificate = str(authority.certificate)
    ours = {
        "CRONOFY_API_URL": base_url,
        **{spelling: proxy for name in _PROXIES for spelling in (name, name.lower())},
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1"),
        **dict.fromkeys(_BUNDLES, certificate),
        "NODE_USE_ENV_PROXY": "1",
        # An empty entry stands for PHP's own folder; what is scanned last counts.
        "PHP_INI_SCAN_DIR": f"{inherited.get('PHP_INI_SCAN_DIR', '')}{os.pathsep}{authority.php}",
    }
    return {**kept, **ours}
