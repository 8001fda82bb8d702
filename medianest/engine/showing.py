"""What the page and the health list say about the engine and the programs beside it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from medianest.engine.model import Channel, Component, CurrentEngine, EngineReport, Outcome, Way
from medianest.engine.repository import EngineRepository
from medianest.engine.service import EngineService
from medianest.engine.updating import EngineUpdates
from medianest.engine_folder import EngineFolder, is_safe, numbers
from medianest.programs import Program, Programs, inside_javascript
from medianest.system.model import HealthFix, HealthProblem, Severity
from medianest.web.templating import gettext as _

OLD_DAYS = 60


class EngineBoard:
    """Known to handlers as `engine_board`: everything about the engine in one look."""

    def __init__(
        self,
        engine: EngineService,
        updates: EngineUpdates,
        repository: EngineRepository,
        folder: EngineFolder,
        programs: Programs,
    ) -> None:
        self._engine = engine
        self._updates = updates
        self._repository = repository
        self._folder = folder
        self._programs = programs

    def look_again(self) -> None:
        """Something may have been installed: look at the programs anew."""
        self._programs.forget()

    async def report(self) -> EngineReport:
        """Everything on the page."""
        current, before = await self._engine.current(), await self._engine.before()
        programs = await self._programs.all()
        ejs = await asyncio.to_thread(self._ejs, current)
        return EngineReport(
            current=current,
            components=(
                _yt_dlp(current),
                _solver(ejs, current),
                *(self._program(programs[name]) for name in ("ffmpeg", "ffprobe")),
                self._javascript(programs),
            ),
            channel=(await self._repository.settings()).channel,
            previous=current.inside_version if before == "" else before or "",
            is_inside_previous=before == "",
            update=self._updates.running,
            history=await self._repository.updates(),
            source=self._updates.source,
            drop_folder=self._updates.drop_folder,
        )

    async def problems(self) -> list[HealthProblem]:
        """For the health list."""
        current = await self._engine.current()
        found = []
        age, channel = age_days(current.version), (await self._repository.settings()).channel
        if not is_safe(current.version) or (age is not None and age > OLD_DAYS):
            found.append(
                HealthProblem(
                    code="engine_old",
                    severity=Severity.WARNING,
                    text=f"yt-dlp is {age} days old. Big sites change often, so downloads may fail.",
                    advice="Update it now." + (" Updates by themselves are off." if channel is Channel.OFF else ""),
                    fix=HealthFix("update_engine", "", "Update yt-dlp now"),
                )
            )
        if current.problem:
            found.append(
                HealthProblem(
                    code="engine_broken",
                    severity=Severity.WARNING,
                    text=current.problem,
                    advice=f"Downloads run with yt-dlp {current.inside_version}, which came with MediaNest, meanwhile.",
                    fix=HealthFix("update_engine", "", "Update yt-dlp now"),
                )
            )
        return [*found, *await self._of_history()]

    async def _of_history(self) -> list[HealthProblem]:
        history = await self._repository.updates()
        found = []
        changes = [one for one in history if one.outcome is Outcome.CHANGED]
        if changes and changes[0].way is Way.AUTOMATIC_ROLLBACK:
            found.append(
                HealthProblem(
                    code="engine_rolled_back",
                    severity=Severity.WARNING,
                    text=changes[0].text,
                    advice="Nothing needs to be done: the next version comes by itself. “Try again” takes what failed.",
                )
            )
        # what a person tried by the page, they saw there
        if history and history[0].way is Way.DAILY and history[0].outcome in (Outcome.REFUSED, Outcome.FAILED):
            found.append(
                HealthProblem(
                    code="engine_update_failed",
                    severity=Severity.NOTICE,
                    text=f"yt-dlp could not be updated: {history[0].text}",
                    advice="What was there before still runs. System → Engine says more.",
                )
            )
        return found

    def _ejs(self, current: CurrentEngine) -> str:
        facts = None if current.is_inside else self._folder.facts(current.version)
        return str(facts.get("yt_dlp_ejs") or "") if facts else _package("yt-dlp-ejs")

    def _program(self, program: Program) -> Component:
        advice = {
            "ffmpeg": _("Puts picture and sound together. Install ffmpeg 4 or newer (on Debian: apt install ffmpeg)."),
            "ffprobe": _("Comes with ffmpeg and reads what a file holds."),
        }
        return Component(
            name=program.name,
            title=program.name,
            is_usable=program.is_usable,
            version=program.version,
            origin=self._origin(program),
            path=program.path or "",
            advice="" if program.is_usable else f"{advice[program.name]} {self._drop()}",
        )

    def _javascript(self, programs: dict[str, Program]) -> Component:
        """The runtime that yt-dlp prefers of those that are here."""
        title = _("JavaScript runtime")
        for name in ("deno", "node"):
            if programs[name].is_usable:
                one = programs[name]
                return Component(
                    name="javascript",
                    title=f"{title} ({name})",
                    is_usable=True,
                    version=one.version,
                    origin=self._origin(one),
                    path=one.path or "",
                )
        faster = _(
            "Get deno 2.3 or newer from its own site and put the one file called deno into the folder for programs."
        )
        if inside := inside_javascript():
            return Component(
                name="javascript",
                title=f"{title} (QuickJS-ng)",
                is_usable=True,
                version=inside,
                origin=_("came with MediaNest; works, but slowly"),
                advice=f"{_('deno is faster.')} {faster} {self._drop()}",
            )
        return Component(
            name="javascript", title=title, is_usable=False, advice=f"{_('YouTube needs one.')} {faster} {self._drop()}"
        )

    def _origin(self, program: Program) -> str:
        if program.path is None:
            return ""
        is_dropped = Path(program.path).parent == self._programs.folder
        return _("from the data folder") if is_dropped else _("installed on this machine")

    def _drop(self) -> str:
        return _("The folder for programs is %(folder)s.") % {"folder": self._programs.folder}


def _yt_dlp(current: CurrentEngine) -> Component:
    age = age_days(current.version)
    origin = _("came with MediaNest")
    if not current.is_inside:
        origin = {"stable": _("update, stable"), "nightly": _("update, nightly")}.get(
            current.channel, _("update by file")
        )
    is_old = age is None or age > OLD_DAYS
    advice = _("Big sites change often: an old yt-dlp fails there.") if is_old else ""
    return Component(
        name="yt-dlp",
        title="yt-dlp",
        is_usable=is_safe(current.version),
        version=current.version,
        age_days=age,
        origin=origin,
        path=current.path,
        advice=current.problem or advice,
        fix="update" if is_old or current.problem else "",
    )


def _solver(ejs: str, current: CurrentEngine) -> Component:
    return Component(
        name="yt-dlp-ejs",
        title="yt-dlp-ejs",
        is_usable=bool(ejs),
        version=ejs,
        origin=_("came with MediaNest") if current.is_inside else _("came with yt-dlp"),
        advice="" if ejs else _("Without it YouTube's puzzles stay unsolved. Update yt-dlp, which brings it."),
        fix="" if ejs else "update",
    )


def age_days(engine_version: str) -> int | None:
    """Days since a version came out, by the date it is made of; None for a text that is none."""
    try:
        return max(0, (datetime.now(UTC).date() - date(*numbers(engine_version)[:3])).days)
    except (TypeError, ValueError):
        return None


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
