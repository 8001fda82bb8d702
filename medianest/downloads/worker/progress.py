"""Progress of one download, gathered over all the files it is made of (picture and sound may come apart)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PAUSE_S = 0.25  # at most four messages a second

Send = Callable[..., None]


class ProgressReporter:
    """Turns yt-dlp's hooks into the protocol's `progress` events, the first at once."""

    def __init__(self, send: Send, parts: list[dict[str, Any]]) -> None:
        self._send = send
        sizes = [part.get("filesize") or part.get("filesize_approx") or None for part in parts]
        self._sizes: list[float | None] = sizes
        self._done = [0.0] * len(parts)
        self._ids = [str(part.get("format_id")) for part in parts]
        self._last = 0.0
        self.is_over = False  # subtitles that come after the video are no progress of it

    def on_hook(self, status: dict[str, Any]) -> None:
        """Hook for yt-dlp's downloaders."""
        place = None if self.is_over else self._place(status)
        if place is None:
            return
        if status.get("status") == "finished":
            self._done[place] = status.get("total_bytes") or status.get("downloaded_bytes") or self._done[place]
            self._sizes[place] = self._done[place]
            return
        if status.get("status") != "downloading":
            return
        self._done[place] = status.get("downloaded_bytes") or 0
        self._sizes[place] = status.get("total_bytes") or status.get("total_bytes_estimate") or self._sizes[place]
        now = time.monotonic()
        if now - self._last >= PAUSE_S:
            self._last = now
            self._report(place, status)

    def _report(self, place: int, status: dict[str, Any]) -> None:
        done = int(sum(self._done))
        total = int(sum(size or 0 for size in self._sizes)) if all(self._sizes) else None
        speed, eta = status.get("speed"), status.get("eta")
        if total and speed:
            eta = max(total - done, 0) / speed
        self._send(
            "progress",
            status="downloading",
            downloaded_bytes=done,
            total_bytes=max(total, done) if total else None,
            speed_bytes_s=round(speed, 1) if speed else None,
            eta_s=round(eta) if eta is not None else None,
            percent=self._percent(place, status, done, total),
        )

    def _percent(self, place: int, status: dict[str, Any], done: int, total: int | None) -> float | None:
        if total:
            return round(min(100.0 * done / total, 100.0), 1)
        index, count = status.get("fragment_index"), status.get("fragment_count")
        here = self._sizes[place]
        share = self._done[place] / here if here else index / count if index and count else None
        return None if share is None else round(min(100.0 * (place + share) / len(self._done), 100.0), 1)

    def _place(self, status: dict[str, Any]) -> int | None:
        """Which part this hook is about."""
        if len(self._ids) == 1:
            return 0
        name = str((status.get("info_dict") or {}).get("format_id"))
        return self._ids.index(name) if name in self._ids else None
