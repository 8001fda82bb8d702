"""What the forms of requests send, read into what the service takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from medianest.errors import Invalid
from medianest.media.model import MediaType
from medianest.requests.model import NewRequest
from medianest.requests.rules import ids_of


def _all(form: Any, name: str) -> Iterable[object]:
    """Every value of a field that may be there several times."""
    if hasattr(form, "getall"):
        return [str(one) for one in form.getall(name, [])]
    value = form.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def season_numbers(form: Any) -> tuple[int, ...]:
    """Seasons that were ticked."""
    return tuple(
        sorted({int(text) for one in _all(form, "season") if (text := str(one)).isdecimal() and len(text) < 6})
    )


def chosen_ids(form: Any) -> tuple[int, ...]:
    """Requests that were ticked."""
    return ids_of(_all(form, "id"))


def reason_of(form: Any) -> str:
    """The reason that was written, else the one that was chosen."""
    return str(form.get("reason", "")).strip() or str(form.get("ready", "")).strip()


def asked_for(form: Any) -> tuple[NewRequest, int | None]:
    """What is asked for, and for whom; raises `Invalid` for what no form of ours sends."""
    media_type, number = str(form.get("media_type", "")), str(form.get("tmdb_id", ""))
    if media_type not in tuple(MediaType) or not number.isdecimal() or len(number) > 11:
        raise Invalid("There is no such title.")
    for_user = str(form.get("for_user", "")).strip()
    if for_user and not (for_user.isdecimal() and len(for_user) < 19):
        raise Invalid("There is no such person.", fields={"for_user": "There is no such person."})
    new = NewRequest(
        media_type=MediaType(media_type),
        tmdb_id=int(number),
        seasons=season_numbers(form) if media_type == MediaType.TV else None,
        is_4k=str(form.get("is_4k", "")).lower() in ("true", "on", "1"),
    )
    return new, int(for_user) if for_user else None
