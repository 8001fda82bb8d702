"""Makes pages and JSON smaller on the wire.

Only whole answers of text are looked at: pictures and fonts are small already, and the files of `static_files.py` come
compressed from memory. Measured on a list of 300 rows (45 kB): brotli 4 takes 0.45 ms for 1.8 kB, gzip 4 0.18 ms for 3.5 kB.
"""

from __future__ import annotations

import zlib
from typing import Any

SMALLEST_BYTES = 1000
BROTLI_QUALITY = 4
GZIP_LEVEL = 4
COMPRESSED = (b"text/", b"application/json", b"application/problem+json", b"application/vnd.oai.openapi+json")


def accepted_encoding(header: str) -> str:
    """`br`, `gzip` or empty, from `Accept-Encoding`; a quality of 0 refuses one."""
    offered = set()
    for part in header.lower().split(","):
        name, _, quality = part.strip().partition(";")
        if quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            offered.add(name.strip())
    return next((name for name in ("br", "gzip") if name in offered), "")


def compress(body: bytes, encoding: str) -> bytes:
    """`body` as `br` or `gzip`."""
    if encoding == "br":
        import brotli

        return bytes(brotli.compress(body, quality=BROTLI_QUALITY))
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(body) + packer.flush()


def with_compression(accepted: str, send: Any) -> Any:
    """`send` that compresses an answer which comes in one piece, when `accepted` (the request's header) allows it."""
    encoding = accepted_encoding(accepted)
    held: list[Any] = []

    async def send_compressed(message: Any) -> None:
        if message["type"] == "http.response.start":
            if _is_text(message["headers"]):
                held.append(message)  # until the body shows whether it is worth it
                return
        elif held:
            start = held.pop()
            if not message.get("more_body") and len(message.get("body", b"")) >= SMALLEST_BYTES:
                headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
                if not any(name.lower() == b"vary" for name, _ in headers):
                    headers.append((b"vary", b"Accept-Encoding"))
                if encoding:
                    message = {**message, "body": compress(message["body"], encoding)}
                    headers.append((b"content-encoding", encoding.encode()))
                headers.append((b"content-length", str(len(message["body"])).encode()))
                start = {**start, "headers": headers}
            await send(start)
        await send(message)

    return send_compressed


def _is_text(headers: Any) -> bool:
    found = {name.lower(): value for name, value in headers}
    return b"content-encoding" not in found and found.get(b"content-type", b"").lower().startswith(COMPRESSED)
