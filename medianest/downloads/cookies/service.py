"""The rules of cookies: who puts them in, what becomes of videos that waited for them."""

from __future__ import annotations

from datetime import UTC, datetime

from medianest.accounts.model import User
from medianest.downloads.announcer import Announcer
from medianest.downloads.cookies.jar import read_jar, read_site
from medianest.downloads.cookies.model import CookiesAdded, SiteCookies
from medianest.downloads.cookies.repository import CookieRepository
from medianest.downloads.cookies.store import CookieStore, hide
from medianest.downloads.holding import CookiesChanged
from medianest.downloads.pauses import SitePauses
from medianest.errors import NotFound
from medianest.events import EventBus
from medianest.system.audit import record
from medianest.system.model import HealthProblem, Severity


class CookieService:
    """For administrators only; the doors see to that."""

    def __init__(
        self, rows: CookieRepository, store: CookieStore, pauses: SitePauses, announcer: Announcer, events: EventBus
    ) -> None:
        self._rows = rows
        self._store = store
        self._pauses = pauses
        self._announcer = announcer
        self._events = events

    async def all(self) -> tuple[SiteCookies, ...]:
        """Which sites have cookies, and how old they are."""
        return await self._rows.all()

    async def waiting_sites(self) -> list[tuple[str, int]]:
        """Sites for whose cookies videos wait, and how many."""
        return await self._rows.waiting_sites()

    async def put(self, site: str, text: str, by: User, *, address: str = "") -> CookiesAdded:
        """Keep the cookies of `site` that a Netscape file has; what waited for a sign-in there goes on.

        Raises:
            Invalid: the site can not be one, or the file does not fit; nothing is changed.
        """
        now = datetime.now(UTC)
        jar = read_jar(text, read_site(site), now)
        hide(jar.values)
        await self._rows.put(jar, self._store.sealed(jar.site, jar.text), by=by.id, at=now)
        await record(
            "download.cookies_changed", jar.site, actor_id=by.id, actor_name=by.username, address=address,
            detail=f"{jar.number} cookies",
        )  # fmt: skip
        many = await self._rows.resume(jar.site, now)
        await self._announcer.many(many)
        await self._pauses.try_again(jar.site)
        await self._events.publish(CookiesChanged(site=jar.site))
        return CookiesAdded(site=jar.site, number=jar.number, left_out=jar.left_out, resumed=len(many.changed))

    async def remove(self, site: str, by: User, *, address: str = "") -> None:
        """Forget the cookies of `site`; raises `NotFound`."""
        if not await self._rows.remove(site):
            raise NotFound("There are no cookies of this site.")
        await record("download.cookies_removed", site, actor_id=by.id, actor_name=by.username, address=address)
        await self._events.publish(CookiesChanged(site=site))

    async def problems(self) -> list[HealthProblem]:
        """For the health list: cookies that a site refused."""
        sites = await self._rows.stale()
        if not sites:
            return []
        return [
            HealthProblem(
                code="cookies_stale",
                severity=Severity.WARNING,
                text=f"The cookies of {', '.join(sites)} seem to be stale: the site asked for a sign-in all the same.",
                advice="Sign in there with a browser, export the cookies and put them in under Downloads, Cookies.",
            )
        ]
