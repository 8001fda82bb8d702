"""Counts tries in the database, exactly, over every instance, before anything costly is done."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from datetime import UTC, datetime

from medianest.database import fetch
from medianest.errors import TooMany

WINDOW_S = 15 * 60
PER_ACCOUNT = 5
PER_ADDRESS = 50


class Limits:
    """Fixed windows: each key may be hit so often in fifteen minutes."""

    async def hit(self, key: str, most: int, sentence: str, *, window_s: int = WINDOW_S) -> None:
        """Count one try.

        Args:
            sentence: what to say when it is one too many; `{until}` is the time of day (UTC) it opens again.

        Raises:
            TooMany: more than `most` tries in the window.
        """
        now = int(time.time())
        rows = await fetch(
            "INSERT INTO rate_limits (key, window_start, hits) VALUES ({}, {}, 1) ON CONFLICT (key) DO UPDATE SET "
            "hits = CASE WHEN rate_limits.window_start > {} THEN rate_limits.hits + 1 ELSE 1 END, "
            "window_start = CASE WHEN rate_limits.window_start > {} THEN rate_limits.window_start ELSE {} END "
            "RETURNING hits, window_start",
            key,
            now,
            now - window_s,
            now - window_s,
            now,
        )
        if int(rows[0]["hits"]) > most:
            opens = int(rows[0]["window_start"]) + window_s
            # nobody is signed in yet, so the time zone is not known: the minutes say it to everybody
            until = f"{datetime.fromtimestamp(opens, UTC):%H:%M} UTC (in {max(1, -(-(opens - now) // 60))} min)"
            raise TooMany(sentence.format(until=until), retry_after_s=opens - now)

    async def forget(self, key: str) -> None:
        """Open `key` again."""
        await fetch("DELETE FROM rate_limits WHERE key = {}", key)

    async def sign_in(self, username_key: str, address: str) -> None:
        """Before a password is looked at."""
        sentence = "Too many wrong tries. Wait until {until}, then try again."
        await self.hit(f"sign-in address {network_of(address)}", PER_ADDRESS, sentence)
        await self.hit(_account(username_key), PER_ACCOUNT, sentence)

    async def signed_in(self, username_key: str) -> None:
        """A right password opens the account's counter again."""
        await self.forget(_account(username_key))

    async def setup(self, address: str) -> None:
        """Before a setup code is compared."""
        sentence = "Too many wrong codes. Wait until {until}, then try again."
        await self.hit(f"setup address {network_of(address)}", PER_ACCOUNT, sentence)
        await self.hit("setup", PER_ADDRESS, sentence)

    async def setup_code_was_right(self, address: str) -> None:
        """Whoever has the code may take a few tries to find a password."""
        await self.forget(f"setup address {network_of(address)}")
        await self.forget("setup")


def _account(username_key: str) -> str:
    # people type their password into the field for the name, so the text itself is not kept
    return "sign-in account " + hashlib.sha256(username_key.encode("utf-8", "surrogatepass")).hexdigest()


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64, since one machine has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
