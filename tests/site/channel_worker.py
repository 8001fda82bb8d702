"""The download worker as it is, with extractors for `/channel/` of the test site beside the real ones."""

from __future__ import annotations

from typing import Any

from medianest.downloads.worker import main as worker
from medianest.downloads.worker.engine import Engine

SITE = r"http://127\.0\.0\.1:\d+/channel"


def extractors() -> list[Any]:
    """Classes, made when yt-dlp is there to be imported."""
    from yt_dlp.extractor.common import InfoExtractor
    from yt_dlp.utils import OnDemandPagedList

    class GrowingClipIE(InfoExtractor):  # type: ignore[misc]
        _VALID_URL = SITE + r"/clip/(?P<id>[^?]+)"

        def _real_extract(self, url: str) -> Any:
            return self._download_json(url, self._match_id(url))

    class GrowingTabIE(InfoExtractor):  # type: ignore[misc]
        """A tab, whose pages are fetched as somebody asks for their entries."""

        _VALID_URL = SITE + r"/(?P<id>[^/?]+)/(?P<tab>videos|shorts|streams|mix)"
        _RETURN_TYPE = "playlist"

        def _real_extract(self, url: str) -> Any:
            name = self._match_id(url)

            def page(number: int) -> Any:
                mark = "&" if "?" in url else "?"
                yield from self._download_json(f"{url}{mark}page={number}", name)

            entries = OnDemandPagedList(page, 30)
            return self.playlist_result(entries, name, f"Channel {name}", channel_id=name, channel=f"Channel {name}")

    class GrowingChannelIE(InfoExtractor):  # type: ignore[misc]
        _VALID_URL = SITE + r"/(?P<id>[^/?]+)(?:\?|$)"

        def _real_extract(self, url: str) -> Any:
            name = self._match_id(url)
            tabs = [self.url_result(one, GrowingTabIE) for one in self._download_json(url, name)]
            return self.playlist_result(tabs, name, f"Channel {name}", channel_id=name, channel=f"Channel {name}")

    return [GrowingClipIE, GrowingTabIE, GrowingChannelIE]


class EngineWithChannels(Engine):
    """The engine, which knows one more site."""

    def _load(self) -> None:
        super()._load()
        import yt_dlp.globals

        own = extractors()
        yt_dlp.globals.extractors.value.update({f"{one.ie_key()}IE": one for one in own})
        self._extractors = [*own, *self._extractors]


if __name__ == "__main__":
    worker.Engine = EngineWithChannels  # type: ignore[misc]
    worker.main()
