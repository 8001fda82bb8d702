"""The owner's System page, the page of every component, and "run now"."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from medianest.connections.services import ServiceStates
from medianest.scheduler import Scheduler
from medianest.system.service import SystemService
from medianest.web.guards import requires_admin
from medianest.web.urls import Urls


class SystemPages(Controller):
    guards = (requires_admin,)
    include_in_schema = False

    @get("/system")
    async def index(
        self,
        system: NamedDependency[SystemService],
        scheduler: NamedDependency[Scheduler],
        service_states: NamedDependency[ServiceStates],
    ) -> Template:
        report = await system.report()
        return Template(
            "system/index.html",
            context={
                "current": "system",
                "versions": [(version.name, version.value) for version in report.versions],
                "found": report.found,
                "health": report.health,
                "settings": report.settings,
                "caches": report.caches,
                "disks": report.disks,
                "services": await service_states.all(),
                "breakers": service_states.breakers(),
                "tasks": await scheduler.tasks(),
            },
        )

    @post("/system/tasks/{name:str}/run", status_code=200)
    async def run_task(
        self,
        request: Request[Any, Any, Any],
        name: FromPath[str],
        scheduler: NamedDependency[Scheduler],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        task = await scheduler.run_now(name)
        if request.headers.get("HX-Request"):
            return Template("system/_task.html", context={"task": task})
        return Redirect(urls.to("/system"), status_code=303)

    @get("/help/patterns")
    async def patterns(self) -> Template:
        return Template("help/patterns.html", context={"current": "patterns"})
