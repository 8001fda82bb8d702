"""The first page: the add-link box, what is running and what is new, and for the owner what needs a hand."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.response import Template

from medianest.accounts.model import Caller
from medianest.downloads.service import DownloadService
from medianest.requests.service import RequestService
from medianest.system.model import Severity
from medianest.system.service import SystemService
from medianest.web.frame import KNOWS_COUNTS
from medianest.web.templating import gettext as _

ROWS = 5


def greeting(caller: Caller, now: datetime | None = None) -> str:
    """A greeting by the hour where the person is; without a known time zone one for every hour."""
    name = caller.user.display_name
    try:
        zone = ZoneInfo(caller.preferences.time_zone) if caller.preferences.time_zone else None
    except (ZoneInfoNotFoundError, ValueError):
        zone = None
    if zone is None:
        return _("Hello, %(name)s") % {"name": name}
    hour = (now or datetime.now(zone)).astimezone(zone).hour
    if hour < 5 or hour >= 18:
        return _("Good evening, %(name)s") % {"name": name}
    if hour < 12:
        return _("Good morning, %(name)s") % {"name": name}
    return _("Good afternoon, %(name)s") % {"name": name}


class HomePages(Controller):
    """`/` and the sheet of further places on phones."""

    include_in_schema = False

    @get("/", opt={KNOWS_COUNTS: True})
    async def home(
        self,
        caller: NamedDependency[Caller],
        downloads: NamedDependency[DownloadService],
        media_requests: NamedDependency[RequestService],
        system: NamedDependency[SystemService],
    ) -> Template:
        problems = await system.problems()
        finished, _total = await downloads.list(by=caller.user, group="finished", limit=ROWS, offset=0)
        to_approve = await media_requests.to_approve(caller.user)
        return Template(
            "home/index.html",
            context={
                "latest_requests": await media_requests.latest(caller.user),
                "to_approve": to_approve,
                "to_approve_total": (await media_requests.counts(caller.user)).to_approve if to_approve else 0,
                "current": "home",
                "greeting": greeting(caller),
                "active": await downloads.active(caller.user),
                "finished": finished,
                "counts": await downloads.counts(caller.user),
                "quota": None if caller.user.is_admin else await downloads.quota_use(caller.user),
                "health": [p for p in problems if p.severity is not Severity.NOTICE] if caller.user.is_admin else [],
                "needs_ffmpeg": any(p.code == "ffmpeg_missing" for p in problems),
                "preview": None,
                "error": None,
                "values": {},
                "show": None,
            },
        )

    @get("/more")
    async def more(self) -> Template:
        return Template("more.html", context={"current": "more"})
