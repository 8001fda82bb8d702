"""Reading the forms and filters of keeping."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from medianest.errors import Invalid
from medianest.keeping.model import LEAST_NOTICE_DAYS, HistoryFilter, KeepingSettings, VideoKind, VideoState
from medianest.keeping.service import LIMITS, check

BYTES_OF_GB = 1024**3
LONGEST = 200
NO_DATE = "This is no date. Write it as 2026-11-24."
FIELD_NAMES = {"free_space_bytes": "free_space_gb"}

E = TypeVar("E", VideoState, VideoKind)


def read_settings(form: Mapping[str, Any]) -> KeepingSettings:
    """The rules of the form; an empty field is off.

    Raises:
        Invalid: with a sentence for each field, by its name in the form.
    """
    errors: dict[str, str] = {}

    def number(name: str, *, field: str = "", factor: int = 1) -> int | None:
        text = str(form.get(field or name, "")).strip().replace(",", ".")
        if not text:
            return None
        try:
            return round((float(text) if factor > 1 else int(text)) * factor)
        except (ValueError, OverflowError):
            errors[field or name] = LIMITS[name][2]
            return None

    settings = KeepingSettings(
        days=number("days"),
        newest_per_show=number("newest_per_show"),
        watched_days=number("watched_days"),
        free_space_bytes=number("free_space_bytes", field="free_space_gb", factor=BYTES_OF_GB),
        notice_days=number("notice_days") or LEAST_NOTICE_DAYS,
    )
    try:
        check(settings)
    except Invalid as error:
        errors = {**{FIELD_NAMES.get(name, name): sentence for name, sentence in error.fields.items()}, **errors}
    if errors:
        raise Invalid("Some values do not fit. Nothing was changed.", fields=errors)
    return settings


def values_of(settings: KeepingSettings) -> dict[str, str]:
    """What the form shows for these rules."""
    free = settings.free_space_bytes
    shown = {name: getattr(settings, name) for name in ("days", "newest_per_show", "watched_days", "notice_days")}
    texts = {name: "" if value is None else str(value) for name, value in shown.items()}
    return {**texts, "free_space_gb": "" if free is None else f"{free / BYTES_OF_GB:g}"}


def read_filter(values: Mapping[str, str], zone: ZoneInfo) -> tuple[HistoryFilter, dict[str, str]]:
    """The filter, with dates as days where the person is; and a sentence for each date that is none."""
    errors: dict[str, str] = {}

    def start_of(name: str, *, days: int = 0) -> datetime | None:
        text = values[name].strip()
        if not text:
            return None
        try:
            day = date.fromisoformat(text) + timedelta(days=days)
            return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            errors[name] = NO_DATE
            return None

    return HistoryFilter(
        words=values["q"].strip()[:LONGEST],
        state=_one_of(VideoState, values["state"]),
        kind=_one_of(VideoKind, values["kind"]),
        site=values["site"].strip()[:LONGEST],
        person=values["person"].strip()[:LONGEST],
        since=start_of("from"),
        until=start_of("until", days=1),
    ), errors


def _one_of(kind: type[E], text: str) -> E | None:
    try:
        return kind(text)
    except ValueError:
        return None
