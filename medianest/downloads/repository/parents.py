"""A list follows its items: recomputed in the same transaction as each item's change."""

from __future__ import annotations

from datetime import datetime

from medianest.database import fetch, is_postgres
from medianest.downloads.model import DownloadState, ReasonCode
from medianest.downloads.reasons import LIST_CAPPED, SOME_FAILED
from medianest.downloads.repository.rows import ParentChanged, Row, list_progress, to_changed

State = DownloadState
_ENDED = (State.COMPLETED, State.FAILED, State.CANCELLED)


def locking() -> str:
    """Ending of a SELECT that keeps other transactions off its rows (SQLite's writer is alone anyway)."""
    return " FOR UPDATE" if is_postgres() else ""


async def lock_rows(*ids: int | None) -> None:
    """Keep these rows for this transaction. Lists come before their items everywhere, so that nobody waits in a circle."""
    for one in ids:
        if one is not None:
            await fetch(f"SELECT id FROM download_queue WHERE id = {{}}{locking()}", one)


async def refresh_parent(parent_id: int | None, at: datetime) -> ParentChanged | None:
    """Bring a list in line with its items; None when it is none. The caller holds the list's row."""
    if parent_id is None:
        return None
    olds = await fetch(
        "SELECT id, parent_id, kind, state, reason_code, items_total, items_done, items_failed FROM download_queue WHERE id = {}",
        parent_id,
    )
    if not olds:
        return None
    counts = {
        State(row["state"]): row["n"]
        for row in await fetch(
            "SELECT state, count(*) AS n FROM download_queue WHERE parent_id = {} GROUP BY state", parent_id
        )
    }
    total = sum(counts.values())
    state = state_of_list(counts)
    code, reason, next_at = await _why(parent_id, olds[0], state, counts)
    rows = await fetch(
        "UPDATE download_queue SET state = {}, reason_code = {}, reason = {}, next_attempt_at = {}, items_total = {}, "
        "items_done = {}, items_failed = {}, finished_at = {}, changed_at = {} WHERE id = {} "
        "RETURNING id, parent_id, state, reason_code",
        *(state, code, reason, next_at, total, counts.get(State.COMPLETED, 0)),
        *(counts.get(State.FAILED, 0), at if state in _ENDED else None, at, parent_id),
    )
    return ParentChanged(
        changed=to_changed(rows[0]),
        is_other_state=(olds[0]["state"], olds[0]["reason_code"]) != (state, code),
        progress=list_progress(
            total,
            counts.get(State.COMPLETED, 0) + counts.get(State.CANCELLED, 0),
            counts.get(State.FAILED, 0),
        ),
    )


def state_of_list(counts: dict[DownloadState, int]) -> DownloadState:
    """The state of a list whose items have these states."""

    def has(*states: DownloadState) -> bool:
        return any(counts.get(state) for state in states)

    if has(State.DOWNLOADING, State.PROCESSING, State.QUEUED):
        return State.DOWNLOADING
    if has(State.WAITING):
        return State.WAITING
    if has(State.PAUSED):
        return State.PAUSED
    if has(State.COMPLETED) or not counts:
        return State.COMPLETED
    return State.FAILED if has(State.FAILED) else State.CANCELLED


async def _why(
    parent_id: int, old: Row, state: DownloadState, counts: dict[DownloadState, int]
) -> tuple[str | None, str | None, datetime | None]:
    if state is State.WAITING:
        rows = await fetch(
            "SELECT reason_code, reason, next_attempt_at FROM download_queue WHERE parent_id = {} AND state = 'waiting' "
            "ORDER BY id LIMIT 1",
            parent_id,
        )
        return rows[0]["reason_code"], rows[0]["reason"], rows[0]["next_attempt_at"]
    failed = counts.get(State.FAILED, 0)
    if failed and state in _ENDED:
        sentence = SOME_FAILED.format(failed=failed, total=sum(counts.values()))
        return ReasonCode.SOME_FAILED, sentence, None
    if old["reason_code"] == ReasonCode.LIST_CAPPED:
        return ReasonCode.LIST_CAPPED, LIST_CAPPED.format(count=sum(counts.values())), None
    return None, None, None
