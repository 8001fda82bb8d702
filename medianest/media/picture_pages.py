"""Handing out pictures, to whom they were signed for."""

from __future__ import annotations

import base64

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from medianest.accounts.model import Caller
from medianest.errors import NotFound
from medianest.media.pictures import MediaPictures
from medianest.media.signing import NONE, Source

# a see-through dot: the page shows the frame and the title under it, and the browser reports nothing broken
PLACEHOLDER = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR4nGNgAAIAAAUAAXpeqz8AAAAASUVORK5CYII="
)
WALLS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
}
KEPT = {**WALLS, "Cache-Control": "private, max-age=31536000, immutable"}
MISSING = {**WALLS, "Cache-Control": "private, max-age=120"}


@get("/pictures/{source:str}/{size:str}/{signature:str}/{name:str}", include_in_schema=False)
async def media_picture(
    source: FromPath[str],
    size: FromPath[str],
    signature: FromPath[str],
    name: FromPath[str],
    caller: NamedDependency[Caller],
    media_pictures: NamedDependency[MediaPictures],
) -> Response[bytes]:
    """A picture; the address changes with it, so that it may be kept for ever."""
    if source not in tuple(Source):
        raise NotFound(NONE)
    found = await media_pictures.read(Source(source), size, signature, name, caller.user.id)
    if found is None:
        return Response(PLACEHOLDER, media_type="image/png", headers=MISSING)
    content, media_type = found
    return Response(content, media_type=media_type, headers=KEPT)
