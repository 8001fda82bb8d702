"""What holds the queue up: sites that are left alone, stops of everything; and what happened to them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from medianest.downloads.model import ReasonCode
from medianest.events import Event

EVERYTHING = "*"  # the site of a stop that holds for the whole queue


class SitePause(msgspec.Struct, frozen=True, kw_only=True):
    """A site that is left alone until `until_at`; after that one download tries. `site` is `*` for the whole queue.

    `reason_code` is `rate_limited`, `bot_check`, or what is wrong with the machine.
    """

    site: str
    reason_code: ReasonCode
    detail: str
    since: datetime
    until_at: datetime
    length_s: int
    probe_id: int | None = None


class QueueChanged(Event, frozen=True):
    """Many downloads changed at once, or what holds the queue up: lists read themselves again."""


class SitePaused(Event, frozen=True):
    """A site, or the whole queue (`*`), is left alone for a while."""

    site: str
    reason_code: ReasonCode


class CookiesChanged(Event, frozen=True):
    """The cookies of a site were put in, replaced or removed."""

    site: str
