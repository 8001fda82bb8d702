"""At which address a Plex server answers: what was typed first, then what Plex says, tried side by side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import msgspec

from medianest.errors import Invalid, UpstreamFailed
from medianest.integrations.plex_server import PlexServer
from medianest.integrations.plex_tv import PlexResource

TRY_S = 3.0
PLEX_PORT = 32400
FIELD = "address"


class FoundAddress(msgspec.Struct, frozen=True):
    url: str
    version: str


def read_address(text: str, field: str = FIELD, *, server: str = "Plex server", default_port: int = PLEX_PORT) -> str:
    """A typed address in its full form; `192.168.1.5` means the server's own port over http.

    Raises:
        Invalid: with a sentence for the field.
    """
    text = text.strip().rstrip("/")
    if not text:
        raise Invalid("An address is needed.", fields={field: f"Type the address of your {server}."})
    is_bare = "://" not in text
    try:
        parts = urlsplit("http://" + text if is_bare else text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.netloc.isprintable()
    if not is_one or parts.query or parts.fragment or "@" in parts.netloc or any(char.isspace() for char in text):
        sentence = f"This is no address such as http://192.168.1.5:{default_port}."
        raise Invalid("The address can not be read.", fields={field: sentence})
    if is_bare and port is None:
        parts = parts._replace(netloc=f"{parts.netloc}:{default_port}")
    return parts.geturl().rstrip("/")


def addresses_of(resource: PlexResource, typed: str = "") -> tuple[str, ...]:
    """What to try, the best first: typed, local, remote, relay.

    A local server is tried by its plain address as well: many routers do not resolve the names of `plex.direct`.
    """
    local = [one for one in resource.connections if one.is_local and not one.is_relay]
    remote = [one for one in resource.connections if not one.is_local and not one.is_relay]
    relay = [one for one in resource.connections if one.is_relay]
    plain = [
        f"http://{f'[{one.address}]' if ':' in one.address else one.address}:{one.port}"
        for one in local
        if one.address and one.port
    ]
    found = [typed, *(one.uri for one in local), *plain, *(one.uri for one in (*remote, *relay))]
    return tuple(dict.fromkeys(url for url in found if url.startswith(("http://", "https://"))))


async def first_that_answers(
    urls: Sequence[str], machine_id: str, server_at: Callable[[str], Awaitable[PlexServer]]
) -> FoundAddress | None:
    """The best address at which exactly this server answers within three seconds."""

    async def attempt(url: str) -> FoundAddress | None:
        try:
            identity = await (await server_at(url)).identity(timeout_s=TRY_S)
        except UpstreamFailed:
            return None
        return FoundAddress(url, identity.version) if identity.machine_id == machine_id else None

    tasks = [asyncio.create_task(attempt(url)) for url in urls]
    try:
        for task in tasks:
            if found := await task:
                return found
        return None
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
