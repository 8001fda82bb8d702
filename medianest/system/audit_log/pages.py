"""The page of the audit log, and its export as a file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from litestar.response import Stream, Template

from medianest.accounts.model import Caller
from medianest.errors import Invalid
from medianest.system.audit_log.model import AuditFilter
from medianest.system.audit_log.service import AuditService
from medianest.system.audit_log.words import GROUPS, line_of
from medianest.web.auth import device_of
from medianest.web.formats import zone_of
from medianest.web.guards import requires_admin
from medianest.web.templating import gettext as _

LONGEST = 200
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
Audit = NamedDependency[AuditService]
Person = NamedDependency[Caller]
Since = Annotated[str, QueryParameter(name="from")]


class AuditPages(Controller):
    path = "/system/audit"
    guards = (requires_admin,)
    include_in_schema = False

    @get()
    async def show(
        self,
        audit: Audit,
        caller: Person,
        action: FromQuery[str] = "",
        person: FromQuery[str] = "",
        target: FromQuery[str] = "",
        since: Since = "",
        until: FromQuery[str] = "",
        before: FromQuery[int | None] = None,
        after: FromQuery[int | None] = None,
    ) -> Template:
        values = {"action": action, "person": person, "target": target, "from": since, "until": until}
        wanted, errors = read_filter(values, zone_of(caller.preferences.time_zone))
        page = await audit.page(wanted, limit=caller.preferences.page_size, before=before, after=after)
        groups = [(group, _(GROUPS.get(group, group))) for group in await audit.groups()]
        context = {
            "current": "audit",
            "values": values,
            "errors": errors,
            "filter": urlencode({name: value for name, value in values.items() if value}),
            "groups": sorted(groups, key=lambda one: one[1]),
            "lines": [line_of(one, _) for one in page.items],
            "older": page.older,
            "newer": page.newer,
        }
        return Template("system/audit.html", context=context, status_code=400 if errors else 200)

    @get("/export")
    async def export(
        self,
        request: Request[Any, Any, Any],
        audit: Audit,
        caller: Person,
        kind: Annotated[str, QueryParameter(name="format")] = "csv",
        action: FromQuery[str] = "",
        person: FromQuery[str] = "",
        target: FromQuery[str] = "",
        since: Since = "",
        until: FromQuery[str] = "",
    ) -> Stream:
        if kind not in MEDIA_TYPES:
            raise Invalid("The log is exported as csv or jsonl.", fields={"format": "Use csv or jsonl."})
        values = {"action": action, "person": person, "target": target, "from": since, "until": until}
        wanted, errors = read_filter(values, zone_of(caller.preferences.time_zone))
        if errors:
            raise Invalid("The filter does not fit.", fields=errors)
        pieces = await audit.export(wanted, kind, by=caller.user, address=device_of(request).address)
        name = f"medianest-audit-{datetime.now(UTC):%Y-%m-%d}.{kind}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Stream(pieces, media_type=MEDIA_TYPES[kind], headers=headers)


def read_filter(values: dict[str, str], zone: ZoneInfo) -> tuple[AuditFilter, dict[str, str]]:
    """The filter of the form, with dates as days where the person is; and a sentence for each date that is none."""
    errors: dict[str, str] = {}

    def start_of(name: str, *, days: int = 0) -> datetime | None:
        text = values[name].strip()
        if not text:
            return None
        try:
            day = date.fromisoformat(text) + timedelta(days=days)
            return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            errors[name] = "This is no date. Write it as 2026-11-24."
            return None

    return AuditFilter(
        action=values["action"].strip()[:LONGEST],
        person=values["person"].strip()[:LONGEST],
        target=values["target"].strip()[:LONGEST],
        since=start_of("from"),
        until=start_of("until", days=1),
    ), errors
