"""The addresses of the site. Every page hands its own query on to the media it shows, so that trouble can be asked for there.

Media: `/clip/NAME.mp4` (also .webm, .mkv; `length` in seconds, `size` in bytes), `/picture/NAME.jpg`, `/subtitles/NAME.vtt`.
Pages: `/page/html5/NAME`, `/page/opengraph/NAME`, `/page/jsonld/NAME`
(`title`, `date`, `uploader`, `description`, `picture`, `picture_host`),
`/page/several/NAME`, `/page/plain/NAME`, `/page/iframe/NAME`.
Lists: `/feed/enclosures/NAME.xml`, `/feed/pages/NAME.xml` (`items`), `/feed/hostile/NAME.xml`, `/feed/endless/NAME.xml`, `/list/NAME.xspf`.
Streams (`streams.py`): `/hls/NAME/master.m3u8`, `/hls-live/…`, `/hls-forbidden/…` (`host`), `/hls-disguised/…`, `/dash/NAME/manifest.mpd`,
`/dash-segments/NAME/manifest.mpd`.
Lists that grow (`channels.py`): `/growing/NAME.xml`, `/channel/NAME` with its tabs.
A big site (`tube.py`): `/tube/watch/ID`, `/tube/list/ID`.
Trouble (`faults.py`): `/status/CODE`, `/redirect?to=`, `/redirect-loop`, `/disguised/NAME.mp4`, and the knobs of `answers.py` on all.
"""

from __future__ import annotations

import html
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from tests.site import channels, clips, faults, streams, tube, walls
from tests.site.answers import TYPES, Answer

HOSTILE_TITLES = (
    "../../../etc/passwd",
    "..\\..\\windows",
    "/absolute",
    "-rf",
    "CON",
    "aux.mp4",
    "line\nbreak",
    "right\u202eto left",
    "🎬 emoji 👨‍👩‍👧",
    "x" * 300,
    "ä" * 200,
    "trailing dot.",
    "C:stream",
    "quotes \" and ' and `ticks`",
    "$(touch pwned)",
    "%(id)s %s {0}",
    "s01e01 3x04 20260315",
    "<script>alert(1)</script>",
)


def find_answer(base: str, path: str, raw_query: str, query: dict[str, str], visit: int, cookies: str = "") -> Answer:
    """The answer for `path`; `base` is the site's address as the client named it, `visit` counts requests from 1."""
    page = Page(base, unquote(path), raw_query, query, visit, cookies)
    for prefix, make in _ROUTES.items():
        if page.path.startswith(prefix):
            return make(page)
    return Answer(b"There is no such page.", "text/plain", 404)


class Page:
    """A request, in the words that the makers of pages need."""

    def __init__(
        self, base: str, path: str, raw_query: str, query: dict[str, str], visit: int, cookies: str = ""
    ) -> None:
        self.cookies = cookies
        self.base, self.path, self.query, self.visit = base, path, query, visit
        self.name = PurePosixPath(path).stem
        self.suffix = PurePosixPath(path).suffix
        self.tail = f"?{raw_query}" if raw_query else ""

    def link(self, path: str) -> str:
        """Whole address of `path`, with this page's query."""
        return f"{self.base}{path}{self.tail}"

    def text(self, key: str, default: str = "") -> str:
        return self.query.get(key, default)

    @property
    def picture_base(self) -> str:
        """Where pictures are, `?picture_host=10.0.0.1` puts them elsewhere."""
        host = self.query.get("picture_host")
        return f"http://{host}:{self.base.rpartition(':')[2]}" if host else self.base

    @property
    def length_s(self) -> float:
        return float(self.query.get("length") or 2)

    @property
    def size_bytes(self) -> int | None:
        return int(self.query["size"]) if self.query.get("size") else None


def _html(head: str = "", body: str = "") -> Answer:
    return Answer(f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode())


def _xml(text: str, content_type: str = "application/rss+xml") -> Answer:
    return Answer(f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), content_type)


def _index(page: Page) -> Answer:
    if page.path != "/":
        return Answer(b"There is no such page.", "text/plain", 404)
    return _html("<title>Test site</title>", f"<pre>{html.escape(__doc__ or '')}</pre>")


def _clip(page: Page) -> Answer:
    suffix = page.suffix.lstrip(".")
    height = int(page.text("height") or 180)
    return Answer(clips.clip(page.length_s, page.size_bytes, suffix, height), TYPES.get(page.suffix, "video/mp4"))


def _picture(page: Page) -> Answer:
    if page.suffix == ".svg":
        return Answer(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', TYPES[".svg"])
    return Answer(clips.picture(page.suffix.lstrip(".")), TYPES[page.suffix])


def _subtitles(page: Page) -> Answer:
    return Answer(b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n", TYPES[".vtt"])


def _html5(page: Page) -> Answer:
    title = html.escape(page.text("title", page.name))
    video = (
        f'<video poster="{page.base}/picture/{page.name}.jpg" controls>'
        f'<source src="{html.escape(page.link(f"/clip/{page.name}.mp4"))}" type="video/mp4">'
        f'<track kind="subtitles" srclang="en" src="{page.base}/subtitles/{page.name}.vtt"></video>'
    )
    return _html(f"<title>{title}</title>", video)


def _opengraph(page: Page) -> Answer:
    tags = {
        "og:title": page.text("title", page.name),
        "og:video": page.link(f"/clip/{page.name}.mp4"),
        "og:video:type": "video/mp4",
        "og:image": f"{page.picture_base}/picture/{page.name}.jpg",
        "og:description": page.text("description", "A clip"),
    }
    return _html("".join(f'<meta property="{name}" content="{html.escape(value)}">' for name, value in tags.items()))


def _jsonld(page: Page) -> Answer:
    thing = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": page.text("title", page.name),
        "description": page.text("description", f"About {page.name}"),
        "uploadDate": page.text("date", "2026-03-15T10:00:00Z"),
        "duration": f"PT{int(page.length_s)}S",
        "thumbnailUrl": [f"{page.picture_base}/picture/{page.name}.{page.text('picture', 'jpg')}"],
        "contentUrl": page.link(f"/clip/{page.name}.mp4"),
        "author": {"@type": "Person", "name": page.text("uploader", "Ana")},
    }
    data = json.dumps(thing).replace("<", "\\u003c")
    title = html.escape(page.text("title", page.name))
    return _html(f'<title>{title}</title><script type="application/ld+json">{data}</script>')


def _several(page: Page) -> Answer:
    links = [page.link(f"/clip/{page.name}-{number}.mp4") for number in (1, 2, 3)]
    videos = "".join(f'<video src="{html.escape(link)}"></video>' for link in links)
    return _html(f"<title>{html.escape(page.name)}</title>", videos)


def _plain(page: Page) -> Answer:
    return _html("<title>Nothing here</title>", "<p>Just text.</p>")


def _iframe(page: Page) -> Answer:
    return _html("<title>A frame</title>", f'<iframe src="{page.base}/page/plain/x"></iframe>')


def _feed_enclosures(page: Page) -> Answer:
    items = "".join(
        f"<item><title>{page.name} {number}</title><guid>{page.name}-{number}</guid>"
        f"<pubDate>Sun, {number % 28 + 1:02} Mar 2026 10:00:00 GMT</pubDate>"
        f'<enclosure type="video/mp4" url="{html.escape(page.link(f"/clip/{page.name}-{number}.mp4"))}"/></item>'
        for number in _numbers(page)
    )
    return _xml(f'<rss version="2.0"><channel><title>{page.name}</title>{items}</channel></rss>')


def _feed_pages(page: Page) -> Answer:
    items = "".join(_item(page, f"{page.name} {number}", f"{page.name}-{number}") for number in _numbers(page))
    return _xml(f'<rss version="2.0"><channel><title>{page.name}</title>{items}</channel></rss>')


def _feed_hostile(page: Page) -> Answer:
    items = "".join(_item(page, title, f"{page.name}-{number}", title) for number, title in enumerate(HOSTILE_TITLES))
    return _xml(f'<rss version="2.0"><channel><title>../{page.name}</title>{items}</channel></rss>')


def _feed_endless(page: Page) -> Answer:
    def pieces() -> Iterator[bytes]:
        yield b'<?xml version="1.0"?><rss version="2.0"><channel><title>Endless</title>'
        for number in itertools.count(1):
            yield "".join(
                _item(page, f"Item {number}.{part}", f"endless-{number}-{part}") for part in range(100)
            ).encode()

    return Answer(pieces(), "application/rss+xml")


def _item(page: Page, title: str, name: str, real_title: str | None = None) -> str:
    tail = page.tail
    if real_title is not None:
        tail = f"{tail}&" if tail else "?"
        tail += f"title={quote(real_title)}"
    link = html.escape(f"{page.base}/page/jsonld/{name}{tail}")
    shown = html.escape(title.replace("\n", " "))
    return f"<item><title>{shown}</title><guid>{name}</guid><link>{link}</link></item>"


def _xspf(page: Page) -> Answer:
    tracks = "".join(
        f"<track><title>Track {number}</title><location>{html.escape(page.link(f'/clip/{page.name}-{number}.mp4'))}</location></track>"
        for number in _numbers(page)
    )
    head = '<playlist version="1" xmlns="http://xspf.org/ns/0/"><title>Tracks</title><trackList>'
    return _xml(f"{head}{tracks}</trackList></playlist>", TYPES[".xspf"])


def _numbers(page: Page) -> range:
    return range(1, int(page.text("items") or 3) + 1)


_ROUTES: dict[str, Callable[[Page], Answer]] = {
    "/clip/": _clip,
    "/picture/": _picture,
    "/subtitles/": _subtitles,
    "/page/html5/": _html5,
    "/page/opengraph/": _opengraph,
    "/page/jsonld/": _jsonld,
    "/page/several/": _several,
    "/page/plain/": _plain,
    "/page/iframe/": _iframe,
    "/feed/enclosures/": _feed_enclosures,
    "/feed/pages/": _feed_pages,
    "/feed/hostile/": _feed_hostile,
    "/feed/endless/": _feed_endless,
    "/list/": _xspf,
    **streams.ROUTES,
    **channels.ROUTES,
    **tube.ROUTES,
    **faults.ROUTES,
    **walls.ROUTES,
    "/": _index,
}
