"""Pages that are nothing but trouble. Milder trouble comes by query parameters, see `Knobs` in `answers.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.site import clips
from tests.site.answers import Answer

if TYPE_CHECKING:
    from tests.site.pages import Page

_LOCAL_FILE_PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


def _status(page: Page) -> Answer:
    """`/status/429?retry_after=30`"""
    headers = {"Retry-After": page.text("retry_after")} if page.text("retry_after") else {}
    return Answer(b"<html><body>No.</body></html>", "text/html", int(page.name), headers)


def _redirect(page: Page) -> Answer:
    """`/redirect?to=http://127.0.0.3:1/x`, of any scheme."""
    return Answer(b"", "text/plain", 302, {"Location": page.text("to")})


def _redirect_loop(page: Page) -> Answer:
    return Answer(b"", "text/plain", 302, {"Location": page.link("/redirect-loop")})


def _disguised(page: Page) -> Answer:
    """A video at the first look, a playlist that names a local file when it is fetched; `always` shows it from the start."""
    if page.visit == 1 and not page.text("always"):
        return Answer(clips.clip(), "video/mp4")
    return Answer(_LOCAL_FILE_PLAYLIST, "video/mp4")


def _web_page_as_video(page: Page) -> Answer:
    """A video at the first look, an error page with status 200 when it is fetched."""
    if page.visit == 1:
        return Answer(clips.clip(), "video/mp4")
    return Answer(b"<!DOCTYPE html><html><body>Too many visitors</body></html>", "video/mp4")


ROUTES: dict[str, Callable[[Page], Answer]] = {
    "/status/": _status,
    "/redirect-loop": _redirect_loop,
    "/redirect": _redirect,
    "/disguised/": _disguised,
    "/web-page-as-video/": _web_page_as_video,
}
