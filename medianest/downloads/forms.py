"""The form of the queue settings: in the units people use, where the settings are in bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from medianest.downloads.model import NightHolds, QueueSettings
from medianest.downloads.wishes_form import read_taken
from medianest.errors import Invalid

BYTES_OF_MB = 1_000_000
BYTES_OF_GB = 1024**3


def read_queue_settings(form: Mapping[str, Any], current: QueueSettings) -> QueueSettings:
    """The settings as sent; a field that is not in the form keeps its value.

    Raises:
        Invalid: names the fields that are no numbers.
    """
    errors: dict[str, str] = {}

    def number(name: str, default: float | None) -> float | None:
        text = str(form[name]).strip().replace(",", ".") if name in form else None
        if text is None:
            return default
        if text == "":
            return None
        try:
            value = float(text)
        except ValueError:
            errors[name] = "This is no number."
            return default
        if not -1e12 < value < 1e12:
            errors[name] = "This is no sensible number."
            return default
        return value

    def whole(name: str, default: int) -> int:
        value = number(name, default)
        if value is None or value != int(value):
            errors.setdefault(name, "A whole number is needed.")
            return default
        return int(value)

    rate = number("rate_limit_mb_s", (current.rate_limit_bytes_s or 0) / BYTES_OF_MB or None)
    floor = number("free_space_floor_gb", current.free_space_floor_bytes / BYTES_OF_GB)
    if floor is None:
        errors.setdefault("free_space_floor_gb", "A number is needed; 0 keeps nothing free.")
    total = number("total_rate_mb_s", (current.total_rate_bytes_s or 0) / BYTES_OF_MB or None)
    per_person = number("per_person_downloads", current.per_person_downloads)
    if per_person is not None and per_person != int(per_person):
        errors.setdefault("per_person_downloads", "A whole number is needed.")
    holds = str(form.get("night_holds", current.night_holds))
    if holds not in tuple(NightHolds):
        errors["night_holds"] = "Choose one of the three."
        holds = current.night_holds
    settings = msgspec.structs.replace(
        current,
        concurrent_downloads=whole("concurrent_downloads", current.concurrent_downloads),
        per_person_downloads=None if per_person is None else int(per_person),
        total_rate_bytes_s=None if total is None else round(total * BYTES_OF_MB),
        night_holds=NightHolds(holds),
        night_from=whole("night_from", current.night_from),
        night_until=whole("night_until", current.night_until),
        time_zone=str(form.get("time_zone", current.time_zone)).strip(),
        is_paused=str(form.get("is_paused", "")).lower() in ("true", "on", "1"),
        max_list_items=whole("max_list_items", current.max_list_items),
        max_height=whole("max_height", current.max_height),
        rate_limit_bytes_s=None if rate is None else round(rate * BYTES_OF_MB),
        subtitle_languages=",".join(
            part.strip() for part in str(form.get("subtitle_languages", "")).split(",") if part.strip()
        ),
        free_space_floor_bytes=round((floor or 0) * BYTES_OF_GB),
        **read_taken(form, current, errors),
    )
    if errors:
        raise Invalid("Some values do not fit. Nothing was changed.", fields=errors)
    return settings
