"""A request as a way: asked, approved, looked for, in the library; what is done has its time and who, what is to come has none."""

from __future__ import annotations

from collections.abc import Sequence

from medianest.requests.model import RANKS, MediaRequest, RequestEntry, RequestStatus, TimelineStep

# name of a step → the least status at which it is done
WAY = (
    ("asked", RequestStatus.PENDING),
    ("approved", RequestStatus.APPROVED),
    ("looking", RequestStatus.PROCESSING),
    ("there", RequestStatus.AVAILABLE),
)


def steps_of(media_request: MediaRequest, history: Sequence[RequestEntry]) -> tuple[TimelineStep, ...]:
    """The steps of a request. One that has ended badly ends with that instead of what will not come any more."""
    status = media_request.status
    rank = RANKS.get(status, -1)
    # of a request that was tried again only the newest round counts; the time it was asked stays
    rounds = [number for number, one in enumerate(history) if one.status is RequestStatus.FAILED]
    newest = history[rounds[-1] + 1 :] if rounds and rank >= 0 else history
    steps: list[TimelineStep] = []
    for name, least in WAY:
        done = _first(history if name == "asked" else newest, RANKS[least])
        if rank < 0 and done is None:
            continue
        is_done = rank >= RANKS[least] if rank >= 0 else True
        steps.append(_step(name, "done" if is_done else "later", done if is_done else None))
    if rank < 0:
        last = next((one for one in reversed(history) if one.status is status), None)
        return (*steps, _step(status.value, "bad", last, media_request.reason))
    if status is RequestStatus.PARTIALLY_AVAILABLE:
        partly = _first(newest, RANKS[status])
        return (*steps[:-1], _step("partly", "now", partly), steps[-1])
    if status is RequestStatus.AVAILABLE:
        return tuple(steps)
    # what is waited for now is the first step that is not done
    now = next(number for number, one in enumerate(steps) if one.state != "done")
    if status is RequestStatus.PROCESSING:
        now -= 1  # looking is what is done now, not what has been done
    steps[now] = TimelineStep(
        name=steps[now].name,
        state="now",
        at=steps[now].at,
        who=steps[now].who,
        source=steps[now].source,
        reason=media_request.reason if media_request.is_kept else None,
    )
    return tuple(steps)


def _first(history: Sequence[RequestEntry], rank: int) -> RequestEntry | None:
    return next((one for one in history if RANKS.get(one.status, -1) >= rank), None)


def _step(name: str, state: str, entry: RequestEntry | None, reason: str | None = None) -> TimelineStep:
    if entry is None:
        return TimelineStep(name=name, state=state, reason=reason)
    return TimelineStep(
        name=name, state=state, at=entry.at, who=entry.who, source=entry.source, reason=reason or entry.reason
    )
