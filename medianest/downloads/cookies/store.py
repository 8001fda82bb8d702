"""The cookies of a site for a job: opened for it alone."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from medianest.downloads.cookies.repository import CookieRepository
from medianest.logs import redactor
from medianest.vault import SealBroken, Vault

log = logging.getLogger(__name__)

HIDDEN_VALUES = 60  # of a site, longest first: the log hides them wherever they show up


class CookieStore:
    """Seals and opens; the text never leaves it but to a worker's pipe."""

    def __init__(self, rows: CookieRepository, vault: Vault) -> None:
        self._rows = rows
        self._vault = vault

    async def of(self, site: str) -> str | None:
        """The cookies of `site` as a Netscape file; None without any, or when they can not be read any more."""
        sealed = await self._rows.sealed(site) if site else None
        if sealed is None:
            return None
        try:
            text = self._vault.open(sealed, place_of(site))
        except SealBroken:
            log.error("The cookies of %s can not be read; they have to be put in again", site)
            return None
        hide(line.rpartition("\t")[2] for line in text.splitlines() if "\t" in line)
        return text

    def sealed(self, site: str, text: str) -> str:
        """`text` as it may be stored for `site`."""
        return self._vault.seal(text, place_of(site))

    async def refused(self, site: str) -> None:
        """The site did not take the cookies that it was shown."""
        if await self._rows.set_stale(site, datetime.now(UTC)):
            log.warning("The cookies of %s seem to be stale", site)


def place_of(site: str) -> str:
    """Where a site's cookies stand, as the vault and `medianest secrets rotate` name it."""
    return f"site_cookies.cookies:{site}"


def hide(values: object) -> None:
    """Have the log hide the longest of these values."""
    known = sorted({str(value) for value in values}, key=len, reverse=True)  # type: ignore[attr-defined]
    redactor.learn(*known[:HIDDEN_VALUES])
