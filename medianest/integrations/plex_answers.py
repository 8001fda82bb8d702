"""Reading what Plex sends: JSON with keys that may be missing, numbers that may be text, and two old lists in XML."""

from __future__ import annotations

import platform
from xml.etree import ElementTree

from medianest import __version__
from medianest.errors import UpstreamFailed
from medianest.integrations.answers import as_flag, as_int, as_object, as_text, rows
from medianest.integrations.http import Answer

__all__ = [
    "LARGEST_XML_BYTES",
    "PRODUCT",
    "as_flag",
    "as_int",
    "as_object",
    "as_text",
    "error_code",
    "plex_headers",
    "read_xml",
    "rows",
]

PRODUCT = "MediaNest"
LARGEST_XML_BYTES = 4 * 1024 * 1024


def plex_headers(client_id: str, token: str | None = None) -> dict[str, str]:
    """What every call to Plex carries; a token goes here and nowhere else.

    `Accept` is exactly this: with a list of types Plex answers XML.
    """
    headers = {
        "Accept": "application/json",
        "X-Plex-Client-Identifier": client_id,
        "X-Plex-Product": PRODUCT,
        "X-Plex-Version": __version__,
        "X-Plex-Device-Name": PRODUCT,
        "X-Plex-Platform": platform.system() or "Linux",
        "User-Agent": f"{PRODUCT}/{__version__}",
    }
    if token is not None:
        headers["X-Plex-Token"] = token if token.isascii() and token.isprintable() else ""
    return headers


def error_code(answer: Answer) -> int:
    """Plex's own number for what is wrong, 0 when it names none."""
    try:
        body = answer.json()
    except UpstreamFailed:
        return 0
    errors = rows(body, "errors")
    return as_int(errors[0].get("code")) if errors else 0


def read_xml(answer: Answer) -> ElementTree.Element:
    """The root of an XML answer.

    Raises:
        UpstreamFailed: it is none, is too large, or declares a document type (which could name files and entities).
    """
    if len(answer.content) > LARGEST_XML_BYTES:
        raise UpstreamFailed(f"{answer.host} sent a list that is too long.", code="answer_too_large")
    # UTF-16 would hide the word from the search; Plex never sends it
    head = answer.content.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith(b"<") or b"\x00" in head or b"<!DOCTYPE" in head.upper() or b"<!ENTITY" in head.upper():
        raise UpstreamFailed(f"{answer.host} sent an answer that can not be read.", code="unreadable")
    try:
        return ElementTree.fromstring(head)  # noqa: S314  # document types were refused just above
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise UpstreamFailed(f"{answer.host} sent an answer that can not be read.", code="unreadable") from error
