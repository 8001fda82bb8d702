"""Reading what Plex sends: JSON with keys that may be missing, numbers that may be text, and two old lists in XML."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from medianest import __version__
from medianest.errors import UpstreamFailed
from medianest.integrations.http import Answer

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


def as_int(value: Any, default: int = 0) -> int:
    """A whole number that may come as a number, as text, or not at all."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return default


def as_flag(value: Any) -> bool:
    """A yes or no that may come as true, 1 or "1"."""
    return value is True or str(value).lower() in ("1", "true")


def as_text(value: Any) -> str:
    """Text that may be null, missing or a number."""
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def as_object(value: Any, host: str = "Plex") -> Mapping[str, Any]:
    """`value`, when it is a JSON object.

    Raises:
        UpstreamFailed: it is something else.
    """
    if not isinstance(value, dict):
        raise UpstreamFailed(f"{host} sent an answer that can not be read.", code="unreadable")
    return value


def rows(container: Any, key: str) -> tuple[Mapping[str, Any], ...]:
    """The list `key` of a container; a list without entries is not there at all."""
    found = container.get(key) if isinstance(container, dict) else None
    return tuple(row for row in found if isinstance(row, dict)) if isinstance(found, list) else ()


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
