"""How sizes, times and numbers are written in pages: one set of filters, which knows the person's language and time zone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Translate = Callable[[str], str]
Plural = Callable[[str, str, int], str]

UNITS = ("B", "kB", "MB", "GB", "TB")


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name; UTC for an empty or unknown one."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def size(value: float | None) -> str:
    """Bytes as people read them: `740 MB`, `8.4 GB`."""
    if value is None:
        return ""
    amount, unit = float(value), 0
    while amount >= 999.5 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    text = f"{amount:.1f}".removesuffix(".0") if unit and amount < 9.95 else f"{amount:.0f}"
    return f"{text} {UNITS[unit]}"


def duration(seconds: float | None) -> str:
    """Seconds as `24:10` or `1:02:03`."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class Formats:
    """The filters of one page.

    Args:
        translate, plural: gettext of the page's language.
        language: for dates and numbers, such as `en` (as in the UK) or `de`.
        time_zone: IANA name; empty is UTC.
    """

    def __init__(self, translate: Translate, plural: Plural, language: str = "en", time_zone: str = "") -> None:
        self._ = translate
        self._plural = plural
        self.language = "en_GB" if language == "en" else language
        self.zone = zone_of(time_zone)

    def size(self, value: float | None) -> str:
        """Bytes as people read them: `740 MB`, `8.4 GB`."""
        text = size(value)
        if "." not in text or self.language.startswith("en"):
            return text
        from babel.numbers import get_decimal_symbol

        return text.replace(".", get_decimal_symbol(self.language))

    def speed(self, value: float | None) -> str:
        """Bytes a second as `6.2 MB/s`."""
        return f"{self.size(value)}/s" if value else ""

    def eta(self, seconds: float | None) -> str:
        """`about 1 min left`."""
        if seconds is None:
            return ""
        if seconds < 60:
            return self._("under 1 min left")
        if seconds < 3600:
            return self._("about %(num)d min left") % {"num": round(seconds / 60)}
        return self._("about %(num)d h left") % {"num": round(seconds / 3600)}

    def runtime(self, minutes: int | None) -> str:
        """How long a film is: `1 h 52 min`."""
        if not minutes:
            return ""
        hours, rest = divmod(minutes, 60)
        if not hours:
            return self._("%(num)d min") % {"num": rest}
        return self._("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}

    def ago(self, at: datetime | None) -> str:
        """`2 h ago`; a date when it is longer ago than a week."""
        if at is None:
            return ""
        seconds = (datetime.now(UTC) - at).total_seconds()
        if seconds < 60:
            return self._("just now")
        if seconds < 3600:
            return self._("%(num)d min ago") % {"num": int(seconds // 60)}
        if seconds < 24 * 3600:
            return self._("%(num)d h ago") % {"num": int(seconds // 3600)}
        days = int(seconds // (24 * 3600))
        if days <= 7:
            return self._plural("%(num)d day ago", "%(num)d days ago", days) % {"num": days}
        return self.date(at)

    def date(self, value: datetime | date | None) -> str:
        """`23 Nov 2026` in the person's time zone."""
        if value is None:
            return ""
        from babel.dates import format_date

        local = value.astimezone(self.zone) if isinstance(value, datetime) else value
        return format_date(local, format="medium", locale=self.language)

    def moment(self, value: datetime | None) -> str:
        """`today 14:03`, else date and time."""
        if value is None:
            return ""
        if value.astimezone(self.zone).date() != datetime.now(self.zone).date():
            return self.datetime(value)
        from babel.dates import format_time

        time = format_time(value, format="short", tzinfo=self.zone, locale=self.language)
        return self._("today %(time)s") % {"time": time}

    def datetime(self, value: datetime | None) -> str:
        """`23 Nov 2026, 18:30` in the person's time zone."""
        if value is None:
            return ""
        from babel.dates import format_date, format_time

        day = format_date(value.astimezone(self.zone), format="medium", locale=self.language)
        return f"{day}, {format_time(value, format='short', tzinfo=self.zone, locale=self.language)}"

    def language_names(self, codes: Iterable[str]) -> str:
        """`English, German` for `en`, `de`; what has no name stays a code."""
        from babel import Locale, UnknownLocaleError

        names = []
        for code in codes:
            try:
                name = Locale.parse(code.replace("-", "_").removesuffix("_orig")).get_display_name(self.language)
            except (UnknownLocaleError, ValueError):
                name = None
            names.append(name or code)
        return ", ".join(dict.fromkeys(names))

    def number(self, value: float | None) -> str:
        """`12,345`."""
        if value is None:
            return ""
        from babel.numbers import format_decimal

        return format_decimal(value, locale=self.language)

    def filters(self) -> dict[str, Callable[..., Any]]:
        """By the names templates use."""
        return {
            "size": self.size,
            "duration": duration,
            "speed": self.speed,
            "eta": self.eta,
            "runtime": self.runtime,
            "ago": self.ago,
            "date": self.date,
            "datetime": self.datetime,
            "moment": self.moment,
            "number": self.number,
            "language_names": self.language_names,
        }
