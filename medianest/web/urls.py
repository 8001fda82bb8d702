"""Every address that MediaNest prints is made here: below the base path, and never from what a client sent."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

ONE_SLASH = re.compile(r"/(?!/)[^\s\\]*")


class Urls:
    """Makes addresses below the base path (`""` or such as `/medianest`)."""

    def __init__(self, base_path: str) -> None:
        self.base_path = base_path

    @property
    def cookie_path(self) -> str:
        return self.base_path or "/"

    def to(self, path: str) -> str:
        """`/downloads` → `/medianest/downloads`; a path that is below the base path already stays."""
        if self.base_path and (path == self.base_path or path.startswith(self.base_path + "/")):
            return path
        return self.base_path + path

    def safe_next(self, wanted: str | None, default: str = "/") -> str:
        """Where to go after a sign-in or a form: `wanted` when it is a path of ours, else `default`.

        Only a path counts: one leading slash, no scheme, host, backslash or control character (SEC-55).
        """
        fallback = self.to(default)
        if not wanted or not wanted.isprintable() or not ONE_SLASH.fullmatch(wanted):
            return fallback
        # browsers take %2e for a dot when they resolve a path
        path = re.split(r"[?#]", wanted, maxsplit=1)[0].lower().replace("%2e", ".") + "/"
        if "//" in path.removesuffix("/") or "/../" in path or "/./" in path:
            return fallback
        if self.base_path and not (
            wanted == self.base_path or wanted.startswith((self.base_path + "/", self.base_path + "?"))
        ):
            return fallback
        return wanted


def external_base(connection: Any, public_url: str = "") -> str:
    """Scheme and host of addresses that are followed from outside, without a slash at the end and without the base path.

    The public address when there is one; else what the call came by, which `walls.py` has checked before anything else.
    """
    if public_url:
        parts = urlsplit(public_url)  # it may name the base path, which `Urls.to` adds
        return f"{parts.scheme}://{parts.netloc}"
    scheme = "https" if connection.scope["scheme"] in ("https", "wss") else "http"
    return f"{scheme}://{connection.headers.get('host', '')}"
