"""Signs out all people at once: after a wall that was down stands again."""

from __future__ import annotations

from datetime import UTC, datetime

from medianest.accounts.repository import AccountRepository
from medianest.accounts.sessions import Sessions


async def sign_everybody_out(accounts: AccountRepository, sessions: Sessions, reason: str) -> None:
    """End every session of every person, on every device."""
    for user_id in await accounts.with_sessions(at=datetime.now(UTC)):
        await sessions.end(user_id, reason)
