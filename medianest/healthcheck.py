"""Asks the running instance whether it is ready; needs no other program and imports next to nothing."""

from __future__ import annotations

import http.client

from medianest.settings import Settings

TIMEOUT_S = 3


def is_ready(settings: Settings) -> bool:
    """Whether `/readyz` of the instance with these settings answers 200."""
    host = settings.host if settings.host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.port, timeout=TIMEOUT_S)
    if settings.tls_cert:
        import ssl

        # asked by address, which no certificate names: it is our own process on this machine
        anyone = ssl.create_default_context()
        anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, settings.port, timeout=TIMEOUT_S, context=anyone)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
