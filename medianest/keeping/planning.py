"""Which videos the rules let go: pure, so that the dry run and the night think alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from medianest.keeping.model import Going, KeepingSettings, Why
from medianest.keeping.repository.candidates import Followed, Video
from medianest.subscriptions.model import Keep


def judge(
    videos: Sequence[Video],
    followed: Sequence[Followed],
    people: Mapping[int, AbstractSet[int]],
    settings: KeepingSettings,
    *,
    free_bytes: int | None,
    now: datetime,
) -> tuple[Going, ...]:
    """What goes, oldest first.

    Args:
        videos: the whole library, oldest first.
        people: whose the videos of subscriptions are.
        free_bytes: of the library's disk; None: it can not be told, and then nothing goes for room.
    """
    by_subscription = _of_subscriptions(videos, followed, people, now)
    going: dict[int, Going] = {}
    for video in videos:
        if not video.may_go:
            continue
        one = _by_rule(video, settings, now) or by_subscription.get(video.id)
        if one is not None:
            going[video.id] = one
    if settings.free_space_bytes is not None and free_bytes is not None:
        lacking = settings.free_space_bytes - free_bytes - sum(one.size_bytes for one in going.values())
        for video in videos:
            if lacking <= 0:
                break
            if video.may_go and video.id not in going:
                going[video.id] = video.goes(Why.SPACE)
                lacking -= video.size_bytes
    return tuple(going[video.id] for video in videos if video.id in going)


def _by_rule(video: Video, settings: KeepingSettings, now: datetime) -> Going | None:
    days, newest, watched = settings.days, settings.newest_per_show, settings.watched_days
    if days is not None and video.filed_at < now - timedelta(days=days):
        return video.goes(Why.AGE, days)
    if watched is not None and video.watched_at is not None and video.watched_at < now - timedelta(days=watched):
        return video.goes(Why.WATCHED, watched)
    if newest is not None and video.episode is not None and video.place > newest:
        return video.goes(Why.NEWEST, newest)
    return None


def _of_subscriptions(
    videos: Sequence[Video], followed: Sequence[Followed], people: Mapping[int, AbstractSet[int]], now: datetime
) -> dict[int, Going]:
    """By the rule of the subscription that brought a video; one that another subscription or person has as well stays."""
    known = {video.id: video for video in videos}
    going: dict[int, Going] = {}
    kept: set[int] = set()
    for one in followed:
        video = known.get(one.history_id)
        if video is None:
            continue
        why = _FOLLOWED.get(one.keep_rule, _never)(one, video, now)
        if why is None or not one.is_ours or people.get(video.id, frozenset()) - {one.user_id}:
            kept.add(video.id)
        else:
            going[video.id] = video.goes(why, f"{one.keep_number} {one.title}")
    return {history_id: one for history_id, one in going.items() if history_id not in kept}


def _never(_one: Followed, _video: Video, _now: datetime) -> Why | None:
    return None


def _beyond_newest(one: Followed, _video: Video, _now: datetime) -> Why | None:
    return Why.FOLLOWED_NEWEST if one.keep_number is not None and one.place > one.keep_number else None


def _too_old(one: Followed, video: Video, now: datetime) -> Why | None:
    if one.keep_number is None or video.filed_at >= now - timedelta(days=one.keep_number):
        return None
    return Why.FOLLOWED_AGE


_FOLLOWED: dict[str, Callable[[Followed, Video, datetime], Why | None]] = {
    Keep.NEWEST: _beyond_newest,
    Keep.DAYS: _too_old,
}
