"""What the owner decides about the walls around the house, and what is told about them."""

from __future__ import annotations

import msgspec

from medianest.events import Event


class SecuritySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The walls. Networks and addresses are text such as `192.168.1.5` or `10.0.0.0/8`."""

    trusted_proxies: tuple[str, ...] = ()  # networks whose X-Forwarded headers count
    allowed_hosts: tuple[str, ...] = ()  # names beside the ones that are always allowed
    checks_host: bool = True
    allowed_addresses: tuple[str, ...] = ()  # networks that may call at all; empty: every one
    requires_https: bool = False
    hsts_days: int = 0  # 0: browsers are not told to insist on https
    cors_origins: tuple[str, ...] = ()  # exact origins whose pages may read the API
    frame_ancestors: tuple[str, ...] = ()  # exact origins that may show our pages in a frame


class FixedValue(msgspec.Struct, frozen=True):
    """A value that comes from outside and can not be changed in the pages."""

    name: str
    source: str


class ProtectionOff(msgspec.Struct, frozen=True):
    """A wall that is down, in words for the owner. `code` is stable."""

    code: str
    text: str
    advice: str


class SecurityView(msgspec.Struct, frozen=True, kw_only=True):
    """What holds now. `always_allowed_hosts` are the names that need no entry."""

    settings: SecuritySettings
    fixed: tuple[FixedValue, ...] = ()
    off: tuple[ProtectionOff, ...] = ()
    always_allowed_hosts: tuple[str, ...] = ()
    untrusted_proxies: tuple[str, ...] = ()  # addresses that sent proxy headers and are not trusted

    @property
    def sources(self) -> dict[str, str]:
        """Source by the name of the setting, of those fixed from outside."""
        return {fixed.name: fixed.source for fixed in self.fixed}


class SecurityChanged(Event, frozen=True):
    """Other instances read the settings again."""


class ProtectionRestored(Event, frozen=True):
    """A wall that was down stands again: whoever came in meanwhile must show themselves again."""

    is_relayed = False
    code: str
