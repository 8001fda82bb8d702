"""Cookies of one site, for one job: in a file of our own for the moment in which yt-dlp reads them."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any


def load_cookies(ydl: Any, text: str, folder: str) -> None:
    """Have `ydl` know the cookies of a Netscape file. The file (mode 0600) is gone again when this returns.

    Raises:
        yt_dlp.cookies.CookieLoadError: it is no such file.
    """
    path = Path(folder, f"cookies-{uuid.uuid4().hex}.txt")
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        ydl.params["cookiefile"] = str(path)
        _ = ydl.cookiejar  # read here, and kept in memory
    finally:
        ydl.params["cookiefile"] = None  # or it would be written anew at the end
        path.unlink(missing_ok=True)
