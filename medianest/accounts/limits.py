"""Counts tries in the database, exactly, over every instance, before anything costly is done.

A key that is used up is also remembered in memory for some seconds: a flood then costs no write and no look-up. The
memory is short, so that what the console opens is open within seconds.
"""

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
ACTS_A_MINUTE = 100  # of a person who is signed in
STRANGERS_ACTS_A_MINUTE = 60  # of an address, apart from signing in, which has limits of its own
RENEWALS_A_MINUTE = 300  # of an address: a whole family may wake up at once
REMEMBERED_S = 3.0
REMEMBERED_KEYS = 5000

TRIES = "Too many wrong tries. Wait until {until}, then try again."


class Limits:
    """Fixed windows: each key may be hit so often in its time. Nothing is let through when the database fails."""

    def __init__(self) -> None:
        # key → until when it is refused from memory (monotonic), and when its window ends (seconds since 1970)
        self._closed: dict[str, tuple[float, int]] = {}

    async def hit(self, key: str, most: int, sentence: str, *, window_s: int = WINDOW_S) -> None:
        """Count one try.

        Args:
            sentence: what to say when it is one too many; `{until}` is the time of day (UTC) it opens again, `{wait}`
                the seconds until then.

        Raises:
            TooMany: more than `most` tries in the window.
        """
        self._refuse_known(key, sentence)
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
            self._remember(key, opens)
            raise _refusal(sentence, opens)

    def _refuse_known(self, *keys_and_sentence: str) -> None:
        """Raise for a key that was found used up a moment ago; the last argument is the sentence."""
        *keys, sentence = keys_and_sentence
        for key in keys:
            until, opens = self._closed.get(key, (0.0, 0))
            if time.monotonic() < until and time.time() < opens:
                raise _refusal(sentence, opens)

    def _remember(self, key: str, opens: int) -> None:
        now = time.monotonic()
        if len(self._closed) >= REMEMBERED_KEYS:
            self._closed = {one: known for one, known in self._closed.items() if known[0] > now}
        if len(self._closed) < REMEMBERED_KEYS:
            self._closed[key] = (now + REMEMBERED_S, opens)

    async def forget(self, key: str) -> None:
        """Open `key` again."""
        self._closed.pop(key, None)
        await fetch("DELETE FROM rate_limits WHERE key = {}", key)

    async def act(self, user_id: int) -> None:
        """Before a person who is signed in does something."""
        sentence = f"That were more than {ACTS_A_MINUTE} steps in a minute. Go on in {{wait}} s."
        await self.hit(f"acts {user_id}", ACTS_A_MINUTE, sentence, window_s=60)

    async def strangers_act(self, address: str) -> None:
        """Before somebody who is not signed in sends something."""
        sentence = "Too many calls came from your network. Go on in {wait} s."
        await self.hit(f"stranger {network_of(address)}", STRANGERS_ACTS_A_MINUTE, sentence, window_s=60)

    async def renewal(self, address: str) -> None:
        """Before a session is renewed."""
        sentence = "Too many calls came from your network. Go on in {wait} s."
        await self.hit(f"renewal {network_of(address)}", RENEWALS_A_MINUTE, sentence, window_s=60)

    async def sign_in(self, username_key: str, address: str) -> None:
        """Before a password is looked at."""
        by_address, by_account = f"sign-in address {network_of(address)}", _account(username_key)
        self._refuse_known(by_address, by_account, TRIES)
        await self.hit(by_address, PER_ADDRESS, TRIES)
        await self.hit(by_account, PER_ACCOUNT, TRIES)

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


def _refusal(sentence: str, opens: int) -> TooMany:
    wait_s = max(1, opens - int(time.time()))
    # nobody is signed in yet, so the time zone is not known: the minutes say it to everybody
    until = f"{datetime.fromtimestamp(opens, UTC):%H:%M} UTC (in {max(1, -(-wait_s // 60))} min)"
    return TooMany(sentence.format(until=until, wait=wait_s), retry_after_s=wait_s)


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
