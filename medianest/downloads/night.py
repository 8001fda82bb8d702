"""The night window: hours outside of which nothing starts, or nothing of low priority."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from medianest.downloads.model import NightHolds, Priority, QueueSettings


def zone_named(name: str) -> tzinfo | None:
    """The time zone of that name; None is the server's own, also where there is no such zone."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def is_night(settings: QueueSettings, now: datetime) -> bool:
    """Whether `now` lies in the window; a window from an hour to the same hour is the whole day."""
    hour = now.astimezone(zone_named(settings.time_zone)).hour
    begin, end = settings.night_from, settings.night_until
    if begin == end:
        return True
    return begin <= hour < end if begin < end else hour >= begin or hour < end


def lowest_priority(settings: QueueSettings, now: datetime) -> Priority | None:
    """The lowest priority that may start now; None when nothing may."""
    if settings.night_holds is NightHolds.NOTHING or is_night(settings, now):
        return Priority.LOW
    return Priority.NORMAL if settings.night_holds is NightHolds.LOW else None


def opens_at(settings: QueueSettings, now: datetime) -> datetime | None:
    """When the window opens, for what is held now; None while nothing is."""
    if lowest_priority(settings, now) is Priority.LOW:
        return None
    local = now.astimezone(zone_named(settings.time_zone))
    opens = local.replace(hour=settings.night_from, minute=0, second=0, microsecond=0)
    return opens if opens > local else opens + timedelta(days=1)
