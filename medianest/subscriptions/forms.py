"""The forms of following: in the units people use, where the settings are in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from medianest.downloads.model import Quality
from medianest.errors import Invalid
from medianest.subscriptions.model import (
    Filters,
    Keep,
    KeepRule,
    Layout,
    NewSubscription,
    Old,
    Subscription,
    SubscriptionChange,
)

Form = Mapping[str, Any]
KEEPS = {"all": Keep.ALL, "newest": Keep.NEWEST, "days": Keep.DAYS}


def read_new(form: Form) -> NewSubscription:
    """What the add box says; a field that does not fit any choice takes its default.

    Raises:
        Invalid: names the fields that are no numbers or dates.
    """
    reader = _Reader(form)
    old = reader.text("take_old")
    new = NewSubscription(
        url=reader.text("url"),
        interval_minutes=reader.number("interval_minutes") or 360,
        quality=_quality(reader.text("quality")),
        audio_only=reader.is_on("audio_only"),
        layout=Layout.FILM if reader.is_on("as_film") else Layout.SHOW,
        filters=Filters(shorts=not reader.is_on("no_shorts"), live=not reader.is_on("no_live")),
        keep=_keep(reader),
        take_old=Old(old) if old in tuple(Old) else Old.NONE,
        confirmed=reader.is_on("confirmed"),
    )
    reader.refuse()
    return new


def read_change(form: Form) -> SubscriptionChange:
    """The settings of the detail page, all of them. Raises as `read_new`."""
    reader = _Reader(form)
    change = SubscriptionChange(
        title=reader.text("title"),
        interval_minutes=reader.number("interval_minutes") or 0,
        quality=_quality(reader.text("quality")),
        audio_only=reader.is_on("audio_only"),
        layout=Layout.FILM if reader.is_on("as_film") else Layout.SHOW,
        priority=reader.text("priority") or "normal",
        filters=Filters(
            words=reader.text("words"),
            without=reader.text("without"),
            pattern=reader.text("pattern"),
            min_duration_s=reader.minutes("min_minutes"),
            max_duration_s=reader.minutes("max_minutes"),
            shorts=reader.is_on("shorts"),
            live=reader.is_on("live"),
            members=reader.is_on("members"),
            since=reader.day("since"),
        ),
        keep=_keep(reader),
    )
    reader.refuse()
    return change


def values_of(subscription: Subscription) -> dict[str, Any]:
    """The settings as the form shows them."""
    filters, keep = subscription.filters, subscription.keep
    return {
        "title": subscription.title,
        "interval_minutes": subscription.interval_minutes,
        "quality": subscription.quality.value,
        "audio_only": subscription.audio_only,
        "as_film": subscription.layout is Layout.FILM,
        "priority": subscription.priority,
        "words": filters.words,
        "without": filters.without,
        "pattern": filters.pattern,
        "min_minutes": _as_minutes(filters.min_duration_s),
        "max_minutes": _as_minutes(filters.max_duration_s),
        "shorts": filters.shorts,
        "live": filters.live,
        "members": filters.members,
        "since": filters.since.isoformat() if filters.since else "",
        "keep": keep.rule.value,
        "keep_number": keep.number or "",
    }


def values_sent(form: Form) -> dict[str, Any]:
    """What was typed, to show it again beside what is wrong with it."""
    boxes = ("audio_only", "as_film", "shorts", "live", "members", "no_shorts", "no_live", "confirmed")
    reader = _Reader(form)
    return {
        **{name: reader.text(name) for name in form if name != "_csrf"},
        **{name: reader.is_on(name) for name in boxes},
    }


# the form's own names for what the rules call otherwise
FIELD_NAMES = {"min_duration_s": "min_minutes", "max_duration_s": "max_minutes"}


class _Reader:
    """Fields as text, numbers and days; what does not fit is gathered."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._errors: dict[str, str] = {}

    def text(self, name: str) -> str:
        return str(self._form.get(name, "")).strip()

    def is_on(self, name: str) -> bool:
        return self.text(name).lower() in ("true", "on", "1", "yes")

    def number(self, name: str) -> int | None:
        text = self.text(name)
        if not text:
            return None
        if not text.isdecimal() or len(text) > 9:
            self._errors[name] = "A whole number is needed."
            return None
        return int(text)

    def minutes(self, name: str) -> int | None:
        """Seconds of a field in minutes."""
        text = self.text(name).replace(",", ".")
        try:
            value = float(text) if text else None
        except ValueError:
            value = -1.0
        if value is not None and not 0 <= value < 1e6:
            self._errors[name] = "A number of minutes is needed."
            return None
        return None if value is None else round(value * 60)

    def day(self, name: str) -> date | None:
        text = self.text(name)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self._errors[name] = "A date is needed, such as 2026-03-15."
            return None

    def refuse(self) -> None:
        if self._errors:
            raise Invalid("Some values do not fit. Nothing was changed.", fields=self._errors)


def _quality(text: str) -> Quality:
    return Quality(text) if text in tuple(Quality) else Quality.DEFAULT


def _keep(reader: _Reader) -> KeepRule:
    rule = KEEPS.get(reader.text("keep"), Keep.ALL)
    return KeepRule(rule=rule, number=None if rule is Keep.ALL else reader.number("keep_number"))


def _as_minutes(seconds: int | None) -> str:
    return "" if seconds is None else f"{seconds / 60:g}"
