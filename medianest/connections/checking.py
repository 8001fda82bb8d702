"""Asks the connection whether it works, in the order in which things can be wrong."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from medianest.connections.clients import PlexClients
from medianest.connections.model import PlexCheck, PlexConnection
from medianest.errors import UpstreamFailed
from medianest.integrations.plex_server import ServerRefused
from medianest.integrations.plex_tv import TokenDead

IDENTITY_S = 10.0  # slow is not down: a server that scans takes its time


async def check_connection(connection: PlexConnection, token: str | None, clients: PlexClients) -> PlexCheck:
    """How `connection` answers now; never raises for what the other side does."""
    began = time.monotonic()
    found = await _check(connection, token, clients)
    return _with(found, took_ms=round(1000 * (time.monotonic() - began)))


async def _check(connection: PlexConnection, token: str | None, clients: PlexClients) -> PlexCheck:
    base = PlexCheck(at=datetime.now(UTC), url=connection.url)
    server = await clients.server(connection.url)
    try:
        identity = await server.identity(timeout_s=IDENTITY_S)
    except UpstreamFailed as error:
        return _with(base, code="plex_unreachable", text=f"The Plex server does not answer: {error.message}")
    base = _with(
        base, is_reachable=True, is_ours=identity.machine_id == connection.machine_id, version=identity.version
    )
    if not base.is_ours:
        text = f"Another Plex server answers at {connection.url}, not {connection.name}. Mend the address."
        return _with(base, code="plex_other_server", text=text)
    if not token:
        text = "There is no token for the server. Connect it with Plex, so that MediaNest can read its libraries."
        return _with(base, code="plex_no_token", text=text)
    try:
        sections = await server.sections(token)
    except ServerRefused:
        text = "The Plex server does not take MediaNest's token any more. Reconnect it with Plex."
        return _with(base, code="plex_token_refused", text=text, is_token_good=False)
    except UpstreamFailed as error:
        return _with(base, code="plex_slow", text=f"The Plex server did not list its libraries: {error.message}")
    base = _with(base, is_token_good=True, libraries=len(sections))
    try:
        await (await clients.plex_tv(is_background=True)).user(token)
    except TokenDead:
        text = "plex.tv does not know MediaNest's token any more. Reconnect with Plex before the server refuses it too."
        return _with(base, code="plex_token_dead", text=text, is_known_at_plex=False)
    except UpstreamFailed:
        return base  # says nothing about the token
    return _with(base, is_known_at_plex=True)


def _with(check: PlexCheck, **changes: object) -> PlexCheck:
    from msgspec.structs import replace

    return replace(check, **changes)
