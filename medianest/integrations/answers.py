"""Reading JSON of other services: keys that may be missing, numbers that may be text, lists that may be null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medianest.errors import UpstreamFailed

LARGEST_ID = 2**53


def as_int(value: Any, default: int = 0) -> int:
    """A whole number that may come as a number, as text, or not at all."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return default


def as_id(value: Any) -> int | None:
    """A number that names something: positive, and not beyond what a database column holds."""
    found = as_int(value)
    return found if 0 < found <= LARGEST_ID else None


def as_flag(value: Any) -> bool:
    """A yes or no that may come as true, 1 or "1"."""
    return value is True or str(value).lower() in ("1", "true")


def as_text(value: Any) -> str:
    """Text that may be null, missing or a number."""
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def as_object(value: Any, host: str) -> Mapping[str, Any]:
    """`value`, when it is a JSON object.

    Raises:
        UpstreamFailed: it is something else.
    """
    if not isinstance(value, dict):
        raise UpstreamFailed(f"{host} sent an answer that can not be read.", code="unreadable")
    return value


def rows(container: Any, key: str) -> tuple[Mapping[str, Any], ...]:
    """The list `key` of a container, empty when it is missing; only objects are taken."""
    found = container.get(key) if isinstance(container, dict) else None
    return tuple(row for row in found if isinstance(row, dict)) if isinstance(found, list) else ()
