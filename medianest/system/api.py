"""The house through the API: health, tasks, and the probes that need no sign-in."""

from __future__ import annotations

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from medianest.accounts.model import Scope
from medianest.scheduler import Scheduler
from medianest.system.model import SystemReport, Task
from medianest.system.service import SystemService
from medianest.web.guards import requires_admin


class SystemApi(Controller):
    path = "/api/v1/system"
    tags = ("System",)
    guards = (requires_admin,)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get("/health", summary="Versions, programs found, problems and settings")
    async def health(self, system: NamedDependency[SystemService]) -> SystemReport:
        return await system.report()

    @get("/tasks", summary="Recurring jobs with their last run")
    async def tasks(self, scheduler: NamedDependency[Scheduler]) -> list[Task]:
        return list(await scheduler.tasks())

    @post("/tasks/{name:str}/run", status_code=202, summary="Run a job now")
    async def run_task(self, name: FromPath[str], scheduler: NamedDependency[Scheduler]) -> Task:
        return await scheduler.run_now(name)


class Probes(Controller):
    """For container engines and monitors: no sign-in, no details."""

    opt = {"public": True}  # noqa: RUF012
    include_in_schema = False

    @get(["/ping", "/healthz"], media_type="text/plain")
    async def alive(self) -> str:
        return "ok"

    @get("/readyz", media_type="text/plain")
    async def ready(self, system: NamedDependency[SystemService]) -> Response[str]:
        is_ready = (await system.readiness()).is_ready
        return Response(
            "ok" if is_ready else "not ready", status_code=200 if is_ready else 503, media_type="text/plain"
        )
