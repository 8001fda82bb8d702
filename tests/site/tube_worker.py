"""The download worker as it is, with extractors for `/tube/` of the test site beside the real ones.

Production loads no plug-ins at all, so the extractors are put in here. They bear the names of YouTube's: what depends on the
site (SponsorBlock, ids, channels) works as there.
"""

from __future__ import annotations

from typing import Any

from medianest.downloads.worker import main as worker
from medianest.downloads.worker.engine import Engine


def extractors() -> list[Any]:
    """Classes, made when yt-dlp is there to be imported."""
    from yt_dlp.extractor.common import InfoExtractor

    class YoutubeIE(InfoExtractor):  # type: ignore[misc]
        _VALID_URL = r"http://127\.0\.0\.1:\d+/tube/watch/(?P<id>[^?]+)"

        def _real_extract(self, url: str) -> Any:
            return self._download_json(url, self._match_id(url))

    class YoutubeTabIE(InfoExtractor):  # type: ignore[misc]
        _VALID_URL = r"http://127\.0\.0\.1:\d+/tube/list/(?P<id>[^?]+)"

        def _real_extract(self, url: str) -> Any:
            return self._download_json(url, self._match_id(url))

    return [YoutubeIE, YoutubeTabIE]


def globals_of_yt_dlp() -> Any:
    import yt_dlp.globals

    return yt_dlp.globals


class EngineWithTube(Engine):
    """The engine, which knows one more site."""

    def _load(self) -> None:
        super()._load()
        own = extractors()
        names = {one.ie_key() for one in own}
        globals_of_yt_dlp().extractors.value.update({f"{one.ie_key()}IE": one for one in own})
        self._extractors = [*own, *(one for one in self._extractors if one.ie_key() not in names)]


worker.Engine = EngineWithTube  # type: ignore[misc]
worker.main()
