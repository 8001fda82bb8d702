"""MediaNest's own certificate, for those who have no reverse proxy."""

from __future__ import annotations

import ssl

from medianest.setting_values import SettingsError
from medianest.settings import Settings


def check_certificate(settings: Settings) -> None:
    """See whether certificate and key can be used, before anything starts.

    Raises:
        SettingsError: only one of them is set, or they do not fit.
    """
    if settings.tls_cert is None and settings.tls_key is None:
        return
    if settings.tls_cert is None or settings.tls_key is None:
        there, missing = ("TLS_CERT", "TLS_KEY") if settings.tls_cert else ("TLS_KEY", "TLS_CERT")
        raise SettingsError(f"MEDIANEST_{there} is set, but MEDIANEST_{missing} is not. https needs both, or neither.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except ssl.SSLError as error:
        cause = {
            "KEY_VALUES_MISMATCH": "the key belongs to another certificate",
            "BAD_DECRYPT": "the key has a password, which MediaNest can not ask for",
            "NO_START_LINE": "one of the files is no PEM file",
        }.get(error.reason or "", error.reason or str(error))
        raise SettingsError(
            f"The certificate {settings.tls_cert} and the key {settings.tls_key} can not be used: {cause}. "
            "Give PEM files that belong together, the certificate with its chain."
        ) from error
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The certificate {settings.tls_cert} or the key {settings.tls_key} can not be read ({error}). "
            "Give this user the right to read them."
        ) from error
