"""Lists that grow: a feed and the tabs of a channel as a file says right now, and a mix without an end.

`/growing/NAME.xml?file=…` is an RSS feed, `/channel/NAME/TAB?file=…&page=N` what the extractor of `channel_worker.py` reads
(thirty entries a page), `/channel/NAME/mix?page=N` another thirty for ever, `/channel/clip/ID` one video. The file holds JSON:
for a feed `{"items": ["id", …]}`, for a channel `{"videos": […], "shorts": […], "streams": […]}`, newest first; an entry is an
id, or an object with `id` and more (of a feed `link`, a path of this site or a whole address; of a channel `title`,
`duration`, `timestamp`, `live_status`, `availability`).
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.site.answers import Answer

if TYPE_CHECKING:
    from tests.site.pages import Page

PAGE_SIZE = 30


def write(path: Path, **lists: list[Any]) -> None:
    """What the lists of `path` hold from now on."""
    path.write_text(json.dumps(lists))


def _growing(page: Page) -> Answer:
    items = "".join(
        f"<item><title>{html.escape(one.get('title') or 'Item ' + one['id'])}</title><guid>{one['id']}</guid>"
        f"<pubDate>{one.get('date', 'Sun, 15 Mar 2026 10:00:00 GMT')}</pubDate>"
        f"<link>{html.escape(_link(page, one))}</link></item>"
        for one in _entries(page, "items")
    )
    text = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{html.escape(page.name)}</title>{items}</channel></rss>'
    return Answer(text.encode(), "application/rss+xml")


def _link(page: Page, entry: dict[str, Any]) -> str:
    link: str = entry.get("link") or f"/page/jsonld/{entry['id']}"
    return page.base + link if link.startswith("/") else link


def _channel(page: Page) -> Answer:
    if page.path.startswith("/channel/clip/"):
        return _clip(page)
    number = int(page.text("page") or 0)
    if page.name == "mix":
        return _json([_flat(page, {"id": f"mix{number * PAGE_SIZE + one}"}) for one in range(PAGE_SIZE)])
    if page.name in ("videos", "shorts", "streams"):
        found = _entries(page, page.name)[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
        return _json([_flat(page, one) for one in found])
    tabs = json.loads(Path(page.text("file")).read_text())
    return _json([page.link(f"/channel/{page.name}/{tab}") for tab in tabs])


def _clip(page: Page) -> Answer:
    return _json(
        {
            "id": page.name,
            "title": page.text("title", f"Item {page.name}"),
            "url": f"{page.base}/clip/{page.name}.mp4?length=1",
            "channel": "Ana",
            "channel_id": "UC1",
            "uploader": "Ana",
            "upload_date": page.text("date", "20260315"),
        }
    )


def _flat(page: Page, entry: dict[str, Any]) -> dict[str, Any]:
    url = f"{page.base}/channel/clip/{entry['id']}"
    return {"_type": "url", "ie_key": "GrowingClip", "url": url, "title": f"Item {entry['id']}", **entry}


def _entries(page: Page, name: str) -> list[dict[str, Any]]:
    found = json.loads(Path(page.text("file")).read_text()).get(name, [])
    return [one if isinstance(one, dict) else {"id": one} for one in found]


def _json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode(), "application/json")


ROUTES: dict[str, Callable[[Page], Answer]] = {"/growing/": _growing, "/channel/": _channel}
