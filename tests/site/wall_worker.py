"""The download worker as it is, with an extractor for `/wall/` of the test site beside the real ones.

It raises what extractors of real sites raise, word by word; production loads no plug-ins, so it is put in here.
"""

from __future__ import annotations

from typing import Any

from medianest.downloads.worker import main as worker
from medianest.downloads.worker.engine import Engine

# as yt-dlp's extractors say it
SENTENCES = {
    "bot": "Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies for the authentication.",
    "private": "Private video. Sign in if you've been granted access to this video",
    "age": "Sign in to confirm your age. This video may be inappropriate for some users.",
    "members": "Join this channel to get access to members-only content like this video, and other exclusive perks.",
    "rate": "This content isn't available, try again later. The current session has been rate-limited by YouTube for up to an hour.",
    "gone": "Video unavailable. This video has been removed by the uploader",
}


def extractor() -> Any:
    """The class, made when yt-dlp is there to be imported."""
    from yt_dlp.extractor.common import InfoExtractor
    from yt_dlp.utils import ExtractorError

    class WallIE(InfoExtractor):  # type: ignore[misc]
        _VALID_URL = r"http://127\.0\.0\.\d+:\d+/wall/(?P<kind>[a-z]+)/(?P<id>[^?]+)"

        def _real_extract(self, url: str) -> Any:
            found = self._download_json(url, self._match_id(url))
            kind = found["wall"]
            if kind in SENTENCES:
                raise ExtractorError(SENTENCES[kind], expected=True)
            if kind == "geo":
                self.raise_geo_restricted(countries=["AT", "CH"])
            if kind == "drm":
                self.report_drm(found["id"])
                return {"id": found["id"], "title": found["title"], "formats": [], "_has_drm": True}
            if kind == "bug":
                raise KeyError("itag")
            if kind == "upcoming":
                return {
                    "id": found["id"], "title": found["title"], "formats": [], "live_status": "is_upcoming",
                    "release_timestamp": found["release"],
                }  # fmt: skip
            video = {"id": found["id"], "title": found["title"], "url": found["url"], "uploader": "Ana"}
            return {**video, "upload_date": found["date"]} if found["date"] else video

    return WallIE


class EngineWithWalls(Engine):
    """The engine, which knows one more site."""

    def _load(self) -> None:
        super()._load()
        import yt_dlp.globals

        own = extractor()
        yt_dlp.globals.extractors.value["WallIE"] = own
        self._extractors = [own, *self._extractors]


if __name__ == "__main__":
    worker.Engine = EngineWithWalls  # type: ignore[misc]
    worker.main()
