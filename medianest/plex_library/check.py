"""The check of the library: what in Plex is as our files need it, and what is to be changed there, in Plex's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from medianest.connections.service import ConnectionService
from medianest.database import fetch
from medianest.errors import MediaNestError
from medianest.integrations.plex_server import Section
from medianest.plex_library.finding import Finding
from medianest.plex_library.model import LibraryChoice, ProbeState
from medianest.plex_library.probe import LibraryProbe
from medianest.system.model import HealthProblem, Severity

KEY = "plex_library_check"
NFO_SINCE = (1, 43, 1)  # the agents that read our `.nfo` files
NFO_SERIES, NFO_MOVIE, PERSONAL = "tv.plex.agents.nfo.series", "tv.plex.agents.nfo.movie", "tv.plex.agents.none"
SCANNERS = {"show": "Plex TV Series", "movie": "Plex Movie"}
AGENT_NAMES = {NFO_SERIES: "Plex NFO Series", NFO_MOVIE: "Plex NFO Movie", PERSONAL: "Plex Personal Media"}
IN_SETTINGS = "In Plex: the library's ⋯ → Manage Library → Edit → Advanced."


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `is_ok` is None where only a person can see it; `advice` says what to change."""

    name: str
    is_ok: bool | None
    text: str
    advice: str = ""


class LibraryCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The newest check."""

    at: datetime
    items: tuple[Looked, ...]

    @property
    def wrong(self) -> tuple[Looked, ...]:
        return tuple(one for one in self.items if one.is_ok is False)


async def last_check() -> LibraryCheck | None:
    """The newest one; None when there was none."""
    rows = await fetch("SELECT value FROM system_settings WHERE key = {}", KEY)
    try:
        return msgspec.json.decode(str(rows[0]["value"]), type=LibraryCheck) if rows else None
    except msgspec.DecodeError:
        return None


class LibraryChecks:
    """Asks the server; by night and by a button."""

    def __init__(self, connections: ConnectionService, finding: Finding, probe: LibraryProbe) -> None:
        self._connections = connections
        self._finding = finding
        self._probe = probe

    async def last(self) -> LibraryCheck | None:
        """The newest one; None when there was none."""
        rows = await fetch("SELECT value FROM system_settings WHERE key = {}", KEY)
        try:
            return msgspec.json.decode(str(rows[0]["value"]), type=LibraryCheck) if rows else None
        except msgspec.DecodeError:
            return None

    async def run(self) -> LibraryCheck:
        """Look at everything that can be seen from here, and keep the result."""
        made = LibraryCheck(at=datetime.now(UTC), items=await self._look())
        await fetch(
            "INSERT INTO system_settings (key, value, updated_at) VALUES ({}, {}, {}) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            *(KEY, msgspec.json.encode(made).decode(), made.at),
        )
        return made

    async def run_by_night(self) -> str:
        """The check, and the test with a video when nothing else is wrong. A sentence about it."""
        if await self._connections.plex() is None:
            return "No Plex server is connected."
        made = await self.run()
        wrong = [one for one in made.wrong if one.name != "probe"]
        if wrong:
            return f"{len(wrong)} to be changed in Plex."
        await self._probe.begin()
        await self._probe.finished()
        made = await self.run()
        return "The library is as it should be." if not made.wrong else "The test with a video did not go well."

    async def problems(self) -> tuple[HealthProblem, ...]:
        """For the health list: what the newest check found wrong."""
        made = await last_check() if await self._connections.plex() is not None else None
        wrong = made.wrong if made else ()
        if not wrong:
            return ()
        return (
            HealthProblem(
                code="plex_library_settings",
                severity=Severity.WARNING,
                text=f"The library in Plex is not as downloads need it: {wrong[0].text}",
                advice=wrong[0].advice or "The page Plex says what to change.",
            ),
        )

    async def _look(self) -> tuple[Looked, ...]:
        try:
            server, token = await self._connections.plex_server(), await self._connections.plex_token()
            about = await server.about(token or "")
            sections = await server.sections(token or "")
            mapping = await self._finding.mapping()
        except MediaNestError as error:
            advice = "See the connection on the page Plex; everything else is looked at once it answers."
            return (Looked(name="reachable", is_ok=False, text=error.message, advice=advice),)
        items = [Looked(name="reachable", is_ok=True, text=f"{about.name} answers.")]
        reads_nfo = version_of(about.version) >= NFO_SINCE
        items.append(_version(about.version, reads_nfo=reads_nfo))
        if mapping.target is None:
            items.append(Looked(name="mapping", is_ok=False, text=mapping.trouble, advice=_make_one(reads_nfo)))
        else:
            text = f"Our folder is {mapping.server_root} there, in “{mapping.target.title}”."
            items.append(Looked(name="mapping", is_ok=True, text=text))
            items += about_library(mapping.target, sections, reads_nfo=reads_nfo)
        items.append(await self._tested())
        return tuple(items)

    async def _tested(self) -> Looked:
        last = await self._probe.last()
        if last is None or last.state is ProbeState.RUNNING:
            text = "No video of our own was looked for yet." if last is None else "The test with a video runs."
            return Looked(name="probe", is_ok=None, text=text, advice="Run the test below.")
        return Looked(name="probe", is_ok=last.state is ProbeState.OK, text=last.text, advice=last.advice)


def about_library(target: LibraryChoice, sections: Sequence[Section], *, reads_nfo: bool) -> list[Looked]:
    """Type, scanner, agent and local assets of the library our shows are in."""
    section = next((one for one in sections if one.key == target.key), None)
    agent, scanner = (section.agent, section.scanner) if section else ("", "")
    found = []
    if target.type == "show":
        found.append(Looked(name="type", is_ok=True, text="The library is of type TV Shows."))
    else:
        text = "The library is of type Movies: channels do not become shows there."
        found.append(Looked(name="type", is_ok=False, text=text, advice=_make_one(reads_nfo)))
    wanted = SCANNERS[target.type]
    scans_well = not scanner or scanner == wanted
    advice = "" if scans_well else f"{IN_SETTINGS} Scanner: {wanted}."
    text = f"The scanner is {scanner or wanted}."
    found.append(Looked(name="scanner", is_ok=scans_well, text=text, advice=advice))
    found.append(_agent(target, agent, reads_nfo=reads_nfo))
    local = f"{IN_SETTINGS} “Use local assets” on; intro and credits detection off."
    text = "Plex does not tell whether “Use local assets” is on."
    found.append(Looked(name="local_assets", is_ok=None, text=text, advice=local))
    return found


def _agent(target: LibraryChoice, agent: str, *, reads_nfo: bool) -> Looked:
    best = (NFO_SERIES if target.type == "show" else NFO_MOVIE) if reads_nfo else PERSONAL
    if agent == best or agent in (NFO_SERIES, NFO_MOVIE):
        return Looked(name="agent", is_ok=True, text=f"The agent is {AGENT_NAMES[agent]}.")
    if agent.endswith(".none"):
        advice = f"{IN_SETTINGS} Agent: {AGENT_NAMES[best]}. It reads the titles and texts that lie beside the videos."
        return Looked(name="agent", is_ok=None, text="The agent is Plex Personal Media, which works.", advice=advice)
    return Looked(
        name="agent",
        is_ok=False,
        text=f"The agent {agent or 'of the library'} asks the internet and may throw channels together.",
        advice=f"Choose {AGENT_NAMES[best]} as agent. What was thrown together stays so: make the library anew for this folder.",
    )


def version_of(text: str) -> tuple[int, ...]:
    """The first three numbers of `1.43.1.10611-1e34174b1`; zeros when there are none."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(one) for one in found.groups()) if found else (0, 0, 0)


def _version(text: str, *, reads_nfo: bool) -> Looked:
    if reads_nfo:
        return Looked(name="version", is_ok=True, text=f"Plex Media Server {text} reads .nfo files.")
    advice = "Update Plex Media Server to 1.43.1 or newer, or use the agent Plex Personal Media until then."
    text = f"Plex Media Server {text or 'of an unknown version'} does not read .nfo files yet."
    return Looked(name="version", is_ok=None, text=text, advice=advice)


def _make_one(reads_nfo: bool) -> str:
    agent = AGENT_NAMES[NFO_SERIES if reads_nfo else PERSONAL]
    return (
        "In Plex: Add Library → TV Shows, the folder of our library; Advanced: "
        f"scanner Plex TV Series, agent {agent}, “Use local assets” on."
    )
