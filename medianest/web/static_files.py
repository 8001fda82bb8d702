"""Style sheets, scripts, icons and fonts: read once at the start, served from memory under the hash of the whole tree.

The address changes when any file does, so browsers may keep what they have for ever. All style sheets are joined into one.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from medianest.errors import NotFound
from medianest.web.compression import accepted_encoding
from medianest.web.urls import Urls

TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}
COMPRESSED = frozenset((".css", ".js", ".json", ".svg", ".txt", ".webmanifest"))
HELD_BYTES = 256 * 1024
IMMUTABLE = "public, max-age=31536000, immutable"


class Asset(msgspec.Struct):
    """One file; the compressed forms are made when first asked for.

    A large one, such as what draws the page of the API, is read anew for the few who ask.
    """

    held: bytes | None
    media_type: str
    is_compressible: bool
    source: Traversable | None = None
    brotli: bytes | None = None
    gzip: bytes | None = None

    @property
    def body(self) -> bytes:
        if self.held is None and self.source is not None:
            return self.source.read_bytes()
        return self.held or b""

    def encoded(self, accepted: str) -> tuple[bytes, str]:
        """Body and its `Content-Encoding` for what the browser accepts."""
        encoding = accepted_encoding(accepted)
        if self.is_compressible and encoding == "br":
            if self.brotli is None:
                import brotli

                self.brotli = brotli.compress(self.body, quality=9)
            return self.brotli, "br"
        if self.is_compressible and encoding == "gzip":
            if self.gzip is None:
                self.gzip = gzip.compress(self.body, 9, mtime=0)
            return self.gzip, "gzip"
        return self.body, ""


class StaticFiles:
    """Every file below `folder` in memory.

    Args:
        folder: holds `css/` with `order.txt`, the order in which its sheets are joined into `app.css`.
    """

    def __init__(self, folder: Traversable, urls: Urls) -> None:
        self._urls = urls
        self.assets: dict[str, Asset] = {}
        tree = hashlib.sha256()
        for name, source in sorted(_files_below(folder)):
            kind = PurePosixPath(name).suffix
            if kind in TYPES and not name.startswith("css/"):
                body = source.read_bytes()
                tree.update(name.encode() + b"\0" + body)
                held = body if len(body) <= HELD_BYTES else None
                self.assets[name] = Asset(held, TYPES[kind], kind in COMPRESSED, source)
        css = folder / "css"
        sheet = b"\n".join((css / name).read_bytes() for name in (css / "order.txt").read_text("utf-8").split())
        tree.update(sheet)
        self.assets["app.css"] = Asset(sheet, TYPES[".css"], True)
        self.hash = tree.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Address of a file for templates; raises KeyError for a name that does not exist."""
        if name not in self.assets:
            raise KeyError(f"There is no static file {name}.")
        return self._urls.to(f"/static/{self.hash}/{name}")

    def answer(self, version: str, name: str, accepted: str, known: str = "") -> Response[Any]:
        """The file, or a redirect from a version that is gone to the present one.

        Args:
            accepted: the request's `Accept-Encoding`.
            known: its `If-None-Match`; a browser that has the file gets 304.

        Raises:
            NotFound: there is no such file.
        """
        asset = self.assets.get(name)
        if asset is None:
            raise NotFound("There is no such file.")
        if version != self.hash:
            return Redirect(self.url(name), status_code=302)
        body, encoding = asset.encoded(accepted)
        tag = f'"{self.hash}{"-" + encoding if encoding else ""}"'
        headers = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding", "ETag": tag}
        if tag in known:
            return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
        if encoding:
            headers["Content-Encoding"] = encoding
        return Response(body, media_type=asset.media_type, headers=headers)


def _files_below(folder: Traversable, below: str = "") -> Iterator[tuple[str, Traversable]]:
    """Each file by its path from `folder`."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files_below(entry, f"{below}{entry.name}/")
        else:
            yield below + entry.name, entry


@get("/static/{version:str}/{name:path}", opt={"public": True}, include_in_schema=False)
async def static_file(
    request: Request[Any, Any, Any],
    version: FromPath[str],
    name: FromPath[Path],
    static_files: NamedDependency[StaticFiles],
) -> Response[Any]:
    """A file of ours, to everybody."""
    accepted, known = request.headers.get("accept-encoding", ""), request.headers.get("if-none-match", "")
    return static_files.answer(version, name.as_posix().lstrip("/"), accepted, known)
