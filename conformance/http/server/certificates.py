"""The certificates of one run, and the authority that issues them."""

from __future__ import annotations

import ssl
from pathlib import Path

from conformance.http.hosts import API_HOSTS

__all__ = ["CertificateAuthority"]


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
