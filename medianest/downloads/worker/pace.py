"""The speed that the server allows a download, changed while it runs: its share of what all may have together."""

from __future__ import annotations

import time
from threading import Lock
from typing import Any

STEP_S = 0.25  # a change is felt after that time at most


class Pace:
    """Slows the threads that bytes come through: the one that downloads, and the proxy's for programs like ffmpeg."""

    def __init__(self) -> None:
        self._bytes_s: float | None = None
        self._file = ""
        self._taken = 0.0  # bytes of the file so far
        self._owed = 0.0  # bytes that came faster than allowed
        self._paid_at = time.monotonic()
        self._lock = Lock()

    def set(self, bytes_s: float | None) -> None:
        """At most so many bytes a second from now on; None is as fast as it goes."""
        self._bytes_s = bytes_s if bytes_s and bytes_s > 0 else None

    def on_hook(self, status: dict[str, Any]) -> None:
        """Hook for yt-dlp's downloaders: waits as long as the bytes that came since the last call are worth."""
        if status.get("status") != "downloading":
            return
        file = str(status.get("tmpfilename") or status.get("filename"))
        done = float(status.get("downloaded_bytes") or 0)
        if file != self._file or done < self._taken:  # what an earlier try left on the disk costs nothing
            self._file, self._taken = file, done
            return
        came, self._taken = done - self._taken, done
        self.pay(came)

    def pay(self, bytes_: float) -> None:
        """So many bytes came: wait as long as they are worth. May be called from any thread."""
        wait_s = self._owing(bytes_)
        while wait_s:
            time.sleep(wait_s)
            wait_s = self._owing(0)

    def _owing(self, bytes_: float) -> float:
        """Add what came, take off what the time since the last call is worth; seconds to wait before asking again."""
        with self._lock:
            now = time.monotonic()
            speed, passed = self._bytes_s, now - self._paid_at
            self._paid_at = now
            if speed is None:
                self._owed = 0.0
                return 0.0
            # time in which nothing came is worth one step at most
            self._owed = max(-speed * STEP_S, self._owed - passed * speed) + bytes_
            return max(0.0, min(self._owed / speed, STEP_S))
