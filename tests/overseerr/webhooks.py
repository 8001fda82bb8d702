"""What the server tells its webhook (notes 2g): all texts, the state before the change, one attempt, no retry."""

from __future__ import annotations

import contextlib
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

from tests.overseerr.rows import RequestRow, There

if TYPE_CHECKING:
    from tests.overseerr.world import OverseerrWorld

EVENTS = {
    "MEDIA_PENDING": "New Movie Request",
    "MEDIA_APPROVED": "Movie Request Approved",
    "MEDIA_AUTO_APPROVED": "Movie Request Automatically Approved",
    "MEDIA_AVAILABLE": "Movie Request Now Available",
    "MEDIA_DECLINED": "Movie Request Declined",
    "MEDIA_FAILED": "Movie Request Failed",
}


def body_of(world: OverseerrWorld, kind: str, row: RequestRow, status_before: int) -> dict[str, Any]:
    """The default template, filled: every value is a text, absent parts are null."""
    media, person = row.media, row.requested_by
    title = world.titles.get((media.media_type, media.tmdb_id))
    words = EVENTS[kind].replace("Movie", "Movie" if media.media_type == "movie" else "Series")
    year = f" ({title.date[:4]})" if title and title.date else ""
    seasons = ", ".join(str(number) for number in sorted(row.seasons))
    return {
        "notification_type": kind,
        "event": words,
        "subject": f"{title.title if title else ''}{year}",
        "message": title.overview if title else "",
        "image": f"https://image.example.org{title.poster}" if title and title.poster else "",
        "media": {
            "media_type": media.media_type, "tmdbId": str(media.tmdb_id), "tvdbId": str(media.tvdb_id or ""),
            "status": There(status_before).name, "status4k": There(media.status_4k).name,
        },
        "request": {
            "request_id": str(row.id), "requestedBy_email": person.email,
            "requestedBy_username": person.display_name, "requestedBy_avatar": "/avatar/1.png",
            "requestedBy_settings_discordId": "", "requestedBy_settings_telegramChatId": "",
        },
        "issue": None,
        "comment": None,
        "extra": [{"name": "Requested Seasons", "value": seasons}] if media.media_type == "tv" else [],
    }  # fmt: skip


def trial_body() -> dict[str, Any]:
    """Notes 2g: in a test event the four objects are null, `event` is empty."""
    return {
        "notification_type": "TEST_NOTIFICATION", "event": "", "subject": "Test Notification",
        "message": "Check check, 1, 2, 3. Are we coming in clear?", "image": "", "media": None, "request": None,
        "issue": None, "comment": None, "extra": [],
    }  # fmt: skip


def send(url: str, authorization: str, body: bytes) -> None:
    """One attempt in the background; nobody looks at what comes back."""

    def post() -> None:
        headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
        request = urllib.request.Request(url, data=body, headers=headers, method="POST")
        with (
            contextlib.suppress(OSError),
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5),
        ):
            pass

    threading.Thread(target=post, daemon=True).start()
