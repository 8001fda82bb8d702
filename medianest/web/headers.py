"""Headers that every answer carries: what the browser may load, and what it may not do with us."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
# the reader of the API document writes styles into its page
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "img-src 'self'", "img-src 'self' data:"
)
DOCS_PATH = "/api/docs"

ALWAYS = tuple(
    (name.lower().encode(), value.encode())
    for name, value in {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    }.items()
)
FORMS_TO = b"x-forms-to"  # between a handler and this module; never sent
OLD_FRAME_RULE = (b"x-frame-options", b"SAMEORIGIN")
NOT_KEPT = (b"cache-control", b"no-store")


def with_security_headers(
    path: str, send: Any, frames: tuple[str, ...] = (), more: tuple[tuple[bytes, bytes], ...] = ()
) -> Any:
    """`send` that adds them, and keeps answers for signed-in people out of every cache.

    Args:
        path: what was called, below the base path.
        frames: origins that may show our pages in a frame.
        more: further headers of this answer.
    """
    always = (*_always(path == DOCS_PATH, frames), *more)

    async def send_with_headers(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = _with_form_target([*message.get("headers", ()), *always])
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append(NOT_KEPT)
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers


def forms_may_go_to(address: str) -> dict[str, str]:
    """Headers for a handler's answer: forms of this page may lead to the site of `address` as well.

    A form of ours that is answered with a redirect to another site is stopped by the browser without this.
    """
    parts = urlsplit(address)
    return {FORMS_TO.decode(): f"{parts.scheme}://{parts.netloc}"}


def _with_form_target(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """`headers` with the policy widened as a handler asked for."""
    target = next((value for name, value in headers if name.lower() == FORMS_TO), None)
    if target is None:
        return headers
    kept = [(name, value) for name, value in headers if name.lower() != FORMS_TO]
    old, new = b"form-action 'self'", b"form-action 'self' " + target
    return [(name, value.replace(old, new) if name == b"content-security-policy" else value) for name, value in kept]


@lru_cache(maxsize=8)
def _always(is_docs: bool, frames: tuple[str, ...]) -> tuple[tuple[bytes, bytes], ...]:
    policy = DOCS_POLICY if is_docs else POLICY
    if not frames:
        return (*ALWAYS, OLD_FRAME_RULE, (b"content-security-policy", policy.encode()))
    # the old header knows no list, and browsers that know the policy do not look at it
    policy = policy.replace("frame-ancestors 'self'", "frame-ancestors " + " ".join(("'self'", *frames)))
    return (*ALWAYS, (b"content-security-policy", policy.encode()))
