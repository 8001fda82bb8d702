"""HLS and DASH, sound and hostile ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from tests.site import clips
from tests.site.answers import TYPES, Answer

if TYPE_CHECKING:
    from tests.site.pages import Page

_MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=320x180,CODECS="avc1.42c00d,mp4a.40.2"
low.m3u8{tail}
#EXT-X-STREAM-INF:BANDWIDTH=600000,RESOLUTION=640x360,CODECS="avc1.42c01e,mp4a.40.2"
high.m3u8{tail}
"""
_MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT{length}S" minBufferTime="PT2S"
     profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
<AdaptationSet mimeType="video/mp4" contentType="video"><Representation id="v1" codecs="avc1.42c01e" bandwidth="400000"
  width="320" height="180"><BaseURL>picture.mp4{tail}</BaseURL></Representation></AdaptationSet>
<AdaptationSet mimeType="audio/mp4" contentType="audio"><Representation id="a1" codecs="mp4a.40.2" bandwidth="64000"
  audioSamplingRate="44100"><BaseURL>sound.m4a{tail}</BaseURL></Representation></AdaptationSet>
</Period></MPD>
"""


def _file(path: Path) -> Answer:
    if not path.is_file():
        return Answer(b"There is no such segment.", "text/plain", 404)
    return Answer(path, TYPES.get(path.suffix, "application/octet-stream"))


def _playlist(text: str) -> Answer:
    return Answer(text.encode(), TYPES[".m3u8"])


def _last(page: Page) -> str:
    return PurePosixPath(page.path).name


def _hls(page: Page) -> Answer:
    """Two variants of `length` seconds; `/hls/NAME/master.m3u8`."""
    if _last(page) == "master.m3u8":
        return _playlist(_MASTER.format(tail=page.tail))
    path = clips.hls(float(page.text("length") or 6)) / _last(page)
    if path.suffix != ".m3u8" or not path.is_file():
        return _file(path)
    lines = [line if line.startswith("#") else line + page.tail for line in path.read_text().splitlines()]
    return _playlist("\n".join(lines) + "\n")


def _hls_live(page: Page) -> Answer:
    """A broadcast that goes on: no end tag."""
    path = clips.hls(6) / _last(page)
    if path.suffix == ".ts":
        return _file(path)
    text = (clips.hls(6) / "low.m3u8").read_text().replace("#EXT-X-ENDLIST\n", "").replace("#EXT-X-ENDLIST", "")
    return _playlist(text.replace("#EXT-X-PLAYLIST-TYPE:VOD\n", ""))


def _hls_forbidden(page: Page) -> Answer:
    """Segments on another host, `?host=10.0.0.1`; the first one is ours when `first` is set."""
    path = clips.hls(6) / _last(page)
    if path.suffix == ".ts":
        return _file(path)
    port = page.base.rpartition(":")[2]
    host = page.text("host", "127.0.0.2")
    segments = [f"http://{host}:{port}/hls-forbidden/{page.name}/low-{number:03}.ts" for number in range(3)]
    if page.text("first"):
        segments[0] = f"{page.base}/hls-forbidden/{page.name}/low-000.ts"
    listed = "".join(f"#EXTINF:2.0,\n{segment}\n" for segment in segments)
    return _playlist(f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n{listed}#EXT-X-ENDLIST\n")


def _hls_disguised(page: Page) -> Answer:
    """A stream whose only segment is itself a playlist, naming a local file: what ffmpeg must never be shown."""
    if page.suffix == ".ts":
        return Answer(
            b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "video/mp2t"
        )
    return _playlist("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsegment.ts\n#EXT-X-ENDLIST\n")


def _dash(page: Page) -> Answer:
    """Picture and sound as two whole files, to be merged: `length` and `size` (of the picture) are those of clips."""
    length = float(page.text("length") or 6)
    match _last(page):
        case "manifest.mpd":
            tail = page.tail.replace("&", "&amp;")
            return Answer(_MPD.format(length=length, tail=tail).encode(), TYPES[".mpd"])
        case "picture.mp4":
            return _file(clips.silent(length, page.size_bytes))
        case "sound.m4a":
            return _file(clips.sound(length))
    return Answer(b"no", "text/plain", 404)


def _dash_segments(page: Page) -> Answer:
    """The same in many small files."""
    path = clips.dash(float(page.text("length") or 6)) / _last(page)
    return _file(path)


ROUTES: dict[str, Callable[[Page], Answer]] = {
    "/hls/": _hls,
    "/hls-live/": _hls_live,
    "/hls-forbidden/": _hls_forbidden,
    "/hls-disguised/": _hls_disguised,
    "/dash/": _dash,
    "/dash-segments/": _dash_segments,
}
