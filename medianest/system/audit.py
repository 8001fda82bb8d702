"""Who did what to whom, from where: kept a year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from medianest.logs import request_id
from medianest.system.tables import AuditRow

LONGEST = 4000  # of what is kept of a change


async def record(
    action: str,
    target: str,
    *,
    actor_id: int | None,
    actor_name: str,
    address: str = "",
    detail: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Keep one line; `action` is dotted and in the past tense, such as `account.password_changed`.

    Args:
        before, after: the values of a change, no secrets among them; what is the same in both is left out.
    """
    old, new = dict(before or {}), dict(after or {})
    same = {name for name in old.keys() & new.keys() if old[name] == new[name]}
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
            before=_text({name: value for name, value in old.items() if name not in same}),
            after=_text({name: value for name, value in new.items() if name not in same}),
        )
    )


def _text(values: Mapping[str, Any]) -> str:
    return msgspec.json.encode(values).decode()[:LONGEST] if values else ""
