"""The audit log as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, Parameter, QueryParameter

from medianest.accounts.model import Scope
from medianest.system.audit_log.model import AuditFilter, AuditPage
from medianest.system.audit_log.service import AuditService
from medianest.web.guards import LARGEST_ID, requires_admin
from medianest.web.paging import Limit

RecordId = Annotated[int | None, Parameter(ge=0, le=LARGEST_ID)]
Words = Annotated[str, Parameter(max_length=200)]


class AuditApi(Controller):
    path = "/api/v1/system/audit"
    tags = ("System",)
    guards = (requires_admin,)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="Who did what to whom, newest first; go on with before=<older>")
    async def show(
        self,
        audit: NamedDependency[AuditService],
        action: Words = "",
        person: Words = "",
        target: Words = "",
        since: Annotated[datetime | None, QueryParameter(name="from")] = None,
        until: FromQuery[datetime | None] = None,
        limit: Limit = 50,
        before: RecordId = None,
        after: RecordId = None,
    ) -> AuditPage:
        wanted = AuditFilter(action=action, person=person, target=target, since=_aware(since), until=_aware(until))
        return await audit.page(wanted, limit=limit, before=before, after=after)


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)
