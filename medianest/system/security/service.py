"""Every rule about the walls: what is saved, what wins from outside, and what may not be saved."""

from __future__ import annotations

import ipaddress
import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from medianest.accounts.model import User
from medianest.database.relay import RelayResumed
from medianest.errors import Invalid
from medianest.events import EventBus
from medianest.settings import Settings
from medianest.system.audit import record
from medianest.system.model import HealthFix, HealthProblem, Severity
from medianest.system.security.model import (
    FixedValue,
    ProtectionRestored,
    SecurityChanged,
    SecuritySettings,
    SecurityView,
)
from medianest.system.security.repository import SecurityRepository
from medianest.system.security.rules import checked
from medianest.walls.client_address import parse
from medianest.walls.hosts import machine_names
from medianest.walls.rules import Rules, Walls

log = logging.getLogger(__name__)


class SecurityService:
    """Built once in `app.py`; gives the walls their rules."""

    def __init__(self, settings: Settings, repository: SecurityRepository, walls: Walls, events: EventBus) -> None:
        self._settings = settings
        self._repository = repository
        self._walls = walls
        self._events = events
        walls.read_again = self.start
        events.subscribe(SecurityChanged, self._read_again)
        events.subscribe(RelayResumed, self._read_again)

    async def start(self) -> None:
        """Read what is saved, and notice a wall that was down before."""
        await self._apply()

    async def _read_again(self, _event: SecurityChanged | RelayResumed) -> None:
        await self._apply()

    async def _apply(self) -> None:
        effective = self.effective(await self._repository.get())
        self._walls.rules = Rules.of(effective, self._settings.public_url)
        is_off = not effective.checks_host
        if await self._repository.note_host_check(is_off=is_off, at=datetime.now(UTC)) and not is_off:
            log.warning("The check of host names is on again. Everybody signs in again.")
            await self._events.publish(ProtectionRestored(code="host_check_off"))

    def effective(self, saved: SecuritySettings) -> SecuritySettings:
        """What was saved, with what comes from outside on top."""
        return with_outside(self._settings, saved)

    async def view(self) -> SecurityView:
        """Everything the page shows."""
        effective = self.effective(await self._repository.get())
        fixed = [
            FixedValue(name, self._settings.sources.get(name, "settings"))
            for name in ("trusted_proxies", "allowed_hosts")
            if getattr(self._settings, name)
        ]
        if "allowed_hosts" in {one.name for one in fixed} and not effective.checks_host:
            fixed.append(FixedValue("checks_host", self._settings.sources.get("allowed_hosts", "settings")))
        public = self._walls.rules.public_url
        own = (*machine_names(), *((public,) if public else ()))
        return SecurityView(
            settings=effective,
            fixed=tuple(fixed),
            off=self._walls.off(),
            always_allowed_hosts=("localhost", "*.local", *own),
            untrusted_proxies=self._walls.untrusted_proxies(),
        )

    async def change(self, wanted: SecuritySettings, *, by: User, address: str, is_https: bool) -> SecurityView:
        """Save new walls; they stand at once, here and in every other instance.

        Args:
            address, is_https: how the person who saves this calls: nobody walls themselves out.

        Raises:
            Invalid: names the fields that do not fit.
        """
        saved = await self._repository.get()
        wanted = checked(_keeping_fixed(self._settings, wanted, saved))
        self._refuse_lock_out(wanted, saved, address, is_https=is_https)
        await self._save(wanted, saved, by=by, by_name=by.username, address=address)
        return await self.view()

    def _refuse_lock_out(
        self, wanted: SecuritySettings, saved: SecuritySettings, address: str, *, is_https: bool
    ) -> None:
        errors = {}
        caller = parse(address)
        if wanted.allowed_addresses and caller is not None and not caller.is_loopback:
            found = [ipaddress.ip_network(one) for one in wanted.allowed_addresses]
            if not any(caller.version == one.version and caller in one for one in found):
                errors["allowed_addresses"] = f"Your own address {caller} is not in this list: it would shut you out."
        if wanted.requires_https and not saved.requires_https and not is_https:
            errors["requires_https"] = (
                "You came by http. Open this page by https first, so that it is sure that https works; "
                "behind a reverse proxy, trust it first."
            )
        if wanted.hsts_days and not saved.hsts_days and not is_https:
            errors["hsts_days"] = "You came by http. Open this page by https first: browsers keep to this for long."
        if errors:
            raise Invalid("Some values do not fit. Nothing was changed.", fields=errors)

    async def trust_proxy(self, address: str, *, by: User, from_address: str) -> None:
        """The one click of the health warning.

        Raises:
            Invalid: the list comes from outside, or this address sent no proxy headers.
        """
        if self._settings.trusted_proxies:
            source = self._settings.sources.get("trusted_proxies", "the settings")
            raise Invalid(f"Trusted proxies come from {source}. Add {address} there and restart.")
        if address not in self._walls.untrusted_proxies():
            raise Invalid("No proxy has called from this address lately. Nothing was changed.")
        saved = await self._repository.get()
        wanted = checked(msgspec.structs.replace(saved, trusted_proxies=(*saved.trusted_proxies, address)))
        await self._save(wanted, saved, by=by, by_name=by.username, address=from_address)

    async def reset(self) -> None:
        """From the console: the lists and duties that can keep people out are emptied. Others stay."""
        saved = await self._repository.get()
        wanted = msgspec.structs.replace(saved, allowed_addresses=(), requires_https=False, hsts_days=0)
        await self._save(wanted, saved, by=None, by_name="console", address="")

    async def _save(
        self, wanted: SecuritySettings, saved: SecuritySettings, *, by: User | None, by_name: str, address: str
    ) -> None:
        if wanted == saved and not await self._repository.is_damaged():
            return
        actor_id = by.id if by else None
        await self._repository.save(wanted, by=actor_id, at=datetime.now(UTC))
        await record(
            "security.changed",
            "security",
            actor_id=actor_id,
            actor_name=by_name,
            address=address,
            before=msgspec.structs.asdict(saved),
            after=msgspec.structs.asdict(wanted),
        )
        await self._events.publish(SecurityChanged())

    async def problems(self) -> list[HealthProblem]:
        """For the health list: proxies that are not trusted, and walls that are down."""
        found = [
            HealthProblem(
                code="proxy_not_trusted",
                severity=Severity.WARNING,
                text=f"Proxy headers come from {address}, which is not on your list of proxies. They are ignored.",
                advice="If this is the address of your reverse proxy, trust it: people's own addresses and https are "
                "then seen. If you do not know it, leave it.",
                fix=None if self._settings.trusted_proxies else HealthFix("trust_proxy", address, f"Trust {address}"),
            )
            for address in self._walls.untrusted_proxies()
        ]
        if await self._repository.is_damaged():
            found.append(
                HealthProblem(
                    code="security_unreadable",
                    severity=Severity.ERROR,
                    text="What was saved under Security can not be read, so the built-in values hold: no list of "
                    "addresses, no duty to use https.",
                    advice="Open the page Security, look at every value, and save it again.",
                )
            )
        found += [
            HealthProblem(code=one.code, severity=Severity.WARNING, text=one.text, advice=one.advice)
            for one in self._walls.off()
        ]
        return found


def with_outside(settings: Settings, saved: SecuritySettings) -> SecuritySettings:
    """The saved values, and over them those that come from outside. `*` among the hosts switches their check off."""
    outside: dict[str, Any] = {}
    if settings.trusted_proxies:
        outside["trusted_proxies"] = settings.trusted_proxies
    if settings.allowed_hosts:
        outside["allowed_hosts"] = tuple(name for name in settings.allowed_hosts if name != "*")
        # what the environment names is checked, whatever was saved before
        outside["checks_host"] = "*" not in settings.allowed_hosts
    return msgspec.structs.replace(saved, **outside)


def _keeping_fixed(settings: Settings, wanted: SecuritySettings, saved: SecuritySettings) -> SecuritySettings:
    """What a form sends for a value that comes from outside does not count."""
    kept: dict[str, Any] = {}
    if settings.trusted_proxies:
        kept["trusted_proxies"] = saved.trusted_proxies
    if settings.allowed_hosts:
        kept["allowed_hosts"], kept["checks_host"] = saved.allowed_hosts, saved.checks_host
    return msgspec.structs.replace(wanted, **kept)
