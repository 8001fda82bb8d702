"""How the outside services are, for buttons that depend on them: what the last check said and what the breaker has seen."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime

from medianest.connections.model import ServiceChecked, ServiceState, ServiceStatusChanged
from medianest.connections.overseerr.service import OverseerrService
from medianest.connections.service import ConnectionService
from medianest.errors import MediaNestError, NotFound
from medianest.events import EventBus
from medianest.integrations.breaker import Breaker, BreakerState
from medianest.web.templating import gettext as _

log = logging.getLogger(__name__)

PLEX, OVERSEERR = "plex", "overseerr"
KEPT_S = 5.0
FAILURES_TOLD = 2  # one failed check may be a restart
# codes of checks that say no more than that something could be better
STILL_UP = frozenset(("plex_slow", "plex_token_dead", "overseerr_default_user_gone", "overseerr_busy"))
UNREACHABLE = frozenset(("plex_unreachable", "overseerr_unreachable"))
TEXTS = {
    PLEX: _("Plex does not answer right now."),
    OVERSEERR: _("The request service does not answer right now."),
}
WRONG = {
    PLEX: _("The connection to Plex has to be looked at by whoever runs this server."),
    OVERSEERR: _("The connection to the request service has to be looked at by whoever runs this server."),
}


class ServiceStates:
    """Knows for each service whether it is worth asking; tells the live pages when that changes."""

    def __init__(
        self, plex: ConnectionService, overseerr: OverseerrService, breakers: dict[str, Breaker], events: EventBus
    ) -> None:
        self._plex = plex
        self._overseerr = overseerr
        self._breakers = breakers
        self._events = events
        self._kept: dict[str, tuple[float, ServiceState]] = {}
        self._told: dict[str, bool | None] = {}
        self._since: dict[str, datetime] = {}
        self._looking: set[asyncio.Task[ServiceState]] = set()
        for name, breaker in breakers.items():
            breaker.on_change(lambda name=name: self._look_soon(name))  # type: ignore[misc]
        events.subscribe(ServiceChecked, self._on_checked)
        events.subscribe(ServiceStatusChanged, self._on_changed)

    async def state(self, name: str) -> ServiceState:
        """How the service `plex` or `overseerr` is; asked of what is known, never of the service."""
        kept_until, state = self._kept.get(name, (0.0, None))
        if state is None or time.monotonic() >= kept_until:
            state = await self._find(name)
            self._kept[name] = (time.monotonic() + KEPT_S, state)
        return state

    async def all(self) -> tuple[ServiceState, ...]:
        return tuple([await self.state(name) for name in self._breakers])

    def breakers(self) -> dict[str, BreakerState]:
        """How this process's breakers stand, by the service's name."""
        return {name: breaker.state for name, breaker in self._breakers.items()}

    async def reset(self, name: str) -> ServiceState:
        """Let calls through again at once, and ask how the service is.

        Raises:
            NotFound: there is no such service.
        """
        if name not in self._breakers:
            raise NotFound("There is no such service.")
        self._breakers[name].reset()
        await self._ask(name)
        return await self._look(name)

    async def watch(self) -> str:
        """The recurring look at the services: Overseerr every time, Plex when it was down (it has its own, less often)."""
        said = [await self._overseerr.check()]
        if self._breakers[PLEX].state.is_open or (await self.state(PLEX)).is_up is False:
            said.append(await self._plex.check())
        for name in self._breakers:
            await self._look(name)
        return " ".join(said)

    async def _ask(self, name: str) -> None:
        try:
            await (self._plex.check() if name == PLEX else self._overseerr.check())
        except MediaNestError as error:
            log.info("A service could not be asked: %s", error.message)

    async def _find(self, name: str) -> ServiceState:
        breaker = self._breakers[name].state
        if name == PLEX:
            plex = await self._plex.last_check()
            is_connected = self._plex.is_fixed or await self._plex.plex() is not None
            code, failures = (plex.code, plex.failures) if plex else ("", 0)
            is_known = plex is not None
        else:
            check = await self._overseerr.last_check()
            is_connected = await self._overseerr.connection() is not None
            code, failures = (check.code, check.failures) if check else ("", 0)
            is_known = check is not None
        if not is_connected:
            return ServiceState(name=name, is_connected=False, is_up=None)
        if breaker.is_open:
            return self._made(name, is_up=False, code="service_paused", text=TEXTS[name], since=breaker.opened_at)
        if not is_known:
            return self._made(name, is_up=None)
        if not code or code in STILL_UP:
            return self._made(name, is_up=True, code=code)
        if code in UNREACHABLE:
            is_down = failures >= FAILURES_TOLD or self._told.get(name) is not True
            return self._made(name, is_up=not is_down, code=code, text=TEXTS[name] if is_down else "")
        return self._made(name, is_up=False, code=code, text=WRONG[name])

    def _made(
        self, name: str, *, is_up: bool | None, code: str = "", text: str = "", since: datetime | None = None
    ) -> ServiceState:
        at = since or self._since.get(name)
        return ServiceState(name=name, is_connected=True, is_up=is_up, since=at, code=code, text=text)

    async def _look(self, name: str) -> ServiceState:
        """Read anew, and tell when it is another state than was told."""
        self._kept.pop(name, None)
        state = await self.state(name)
        if name not in self._told or self._told[name] != state.is_up:
            is_first = name not in self._told
            self._told[name], self._since[name] = state.is_up, state.since or datetime.now(UTC)
            if not is_first or state.is_up is False:
                await self._events.publish(ServiceStatusChanged(service=name, is_up=state.is_up))
        return state

    def _look_soon(self, name: str) -> None:
        """A breaker has opened or closed in the middle of somebody's call."""
        self._kept.pop(name, None)
        task = asyncio.get_running_loop().create_task(self._look(name), name=f"look at {name}")
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _on_checked(self, event: ServiceChecked) -> None:
        await self._look(event.service)

    async def _on_changed(self, event: ServiceStatusChanged) -> None:
        """Another process has seen it, or this one: what is kept is no longer so."""
        if event.service in self._breakers:
            self._kept.pop(event.service, None)
            self._told[event.service] = event.is_up
