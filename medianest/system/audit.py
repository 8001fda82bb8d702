"""Who did what to whom, from where: kept a year."""

from __future__ import annotations

from datetime import UTC, datetime

from medianest.logs import request_id
from medianest.system.tables import AuditRow


async def record(
    action: str, target: str, *, actor_id: int | None, actor_name: str, address: str = "", detail: str = ""
) -> None:
    """Keep one line; `action` is dotted and in the past tense, such as `account.password_changed`."""
    await AuditRow.insert(
        AuditRow(
            at=datetime.now(UTC),
            actor_id=actor_id,
            actor_name=actor_name[:200],
            action=action,
            target=target[:200],
            detail=detail[:1000],
            address=address,
            request_id=request_id.get(),
        )
    )
