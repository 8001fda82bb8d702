"""A video site that stops people: `/wall/KIND/ID` says which wall its extractor (`wall_worker.py`) is to run into.

`KIND` is bot, private, age, members, geo, upcoming, rate, gone, drm or bug. `opens=TEXT` lets in who brings a cookie
`sid` with that text backwards (so that the link itself holds no secret), `until=3` everybody after the third visit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.site.answers import Answer

if TYPE_CHECKING:
    from tests.site.pages import Page


def _wall(page: Page) -> Answer:
    cookies = [one.strip() for one in page.cookies.split(";")]
    is_open = f"sid={page.text('opens', '?')[::-1]}" in cookies or page.visit > int(page.text("until") or 10**9)
    kind = page.path.split("/")[2]
    return Answer(
        json.dumps(
            {
                "wall": None if is_open else kind,
                "id": page.name,
                "title": f"Behind {kind}",
                "url": f"{page.base}/clip/{page.name}.mp4",
                "release": int(page.text("release") or 0) or None,
            }
        ).encode(),
        "application/json",
    )


ROUTES: dict[str, Callable[[Page], Answer]] = {"/wall/": _wall}
