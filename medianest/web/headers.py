"""Headers that every answer carries: what the browser may load, and what it may not do with us."""

from __future__ import annotations

from typing import Any

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
        "X-Frame-Options": "SAMEORIGIN",
    }.items()
)
PAGES_POLICY = (b"content-security-policy", POLICY.encode())
READER_POLICY = (b"content-security-policy", DOCS_POLICY.encode())
NOT_KEPT = (b"cache-control", b"no-store")


def with_security_headers(path: str, send: Any) -> Any:
    """`send` that adds them, and keeps answers for signed-in people out of every cache.

    Args:
        path: what was called, below the base path.
    """
    policy = READER_POLICY if path == DOCS_PATH else PAGES_POLICY

    async def send_with_headers(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", ()), *ALWAYS, policy]
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append(NOT_KEPT)
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers
