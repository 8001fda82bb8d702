"""A video site that stops people: `/wall/KIND/ID` says which wall its extractor (`wall_worker.py`) is to run into.

`KIND` is bot, private, age, members, geo, upcoming, rate, gone, drm or bug. `opens=TEXT` lets in who brings a cookie
`sid` with that text backwards (so that the link itself holds no secret), `until=3` everybody after the third visit.
`file` names a JSON list of the ids whose wall has fallen; `date` is the day of the video, such as 20260315.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.site.answers import Answer

if TYPE_CHECKING:
    from tests.site.pages import Page


def _wall(page: Page) -> Answer:
    cookies = [one.strip() for one in page.cookies.split(";")]
    is_open = f"sid={page.text('opens', '?')[::-1]}" in cookies or page.visit > int(page.text("until") or 10**9)
    is_open = is_open or (bool(page.text("file")) and page.name in json.loads(Path(page.text("file")).read_text()))
    kind = page.path.split("/")[2]
    return Answer(
        json.dumps(
            {
                "wall": None if is_open else kind,
                "id": page.name,
                "title": f"Behind {kind}",
                "url": f"{page.base}/clip/{page.name}.mp4",
                "release": int(page.text("release") or 0) or None,
                "date": page.text("date"),
            }
        ).encode(),
        "application/json",
    )


ROUTES: dict[str, Callable[[Page], Answer]] = {"/wall/": _wall}
