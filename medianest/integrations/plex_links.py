"""Addresses by which people open something in Plex: in a browser, or in the app of their device."""

from __future__ import annotations

from urllib.parse import quote


def web_link(app_url: str, machine_id: str, rating_key: str) -> str:
    """The page of an item in Plex's web app; without a key it would open the start page."""
    key = quote(f"/library/metadata/{rating_key}", safe="")
    return f"{app_url}/desktop/#!/server/{quote(machine_id, safe='')}/details?key={key}"


def app_link(machine_id: str, rating_key: str) -> str:
    """The same in the app, on devices that know such addresses."""
    key = quote(f"/library/metadata/{rating_key}", safe="")
    return f"plex://preplay/?metadataKey={key}&server={quote(machine_id, safe='')}"
