"""Asks an Overseerr whether the connection works, in the order in which things can be wrong."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from msgspec.structs import replace

from medianest.connections.overseerr.model import OverseerrCheck
from medianest.errors import NotFound, UpstreamFailed
from medianest.integrations.http import Unreachable
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.overseerr_answers import OverseerrUser, PublicSettings
from medianest.integrations.overseerr_failures import Busy, KeyRefused, ServerError

NAMES = {"overseerr": "Overseerr", "seerr": "Seerr"}


async def check_overseerr(
    client: Overseerr, *, has_key: bool, born: str = "", default_user_id: int | None = None
) -> OverseerrCheck:
    """How the server answers now; never raises for what it does.

    Args:
        born: what is known of the connected installation, empty when any will do.
        default_user_id: who asks for people without an account there; looked after when it is known.
    """
    began = time.monotonic()
    found = await _check(client, has_key=has_key, born=born, default_user_id=default_user_id)
    return replace(found, took_ms=round(1000 * (time.monotonic() - began)))


async def _check(client: Overseerr, *, has_key: bool, born: str, default_user_id: int | None) -> OverseerrCheck:
    base = OverseerrCheck(at=datetime.now(UTC), url=client.url)
    try:
        about = await client.public_settings()
    except Unreachable as error:
        return replace(base, code="overseerr_unreachable", text=f"The server does not answer: {error.message}")
    except (Busy, ServerError) as error:
        return replace(base, code=error.code, text=error.message, is_reachable=True)
    except NotFound:
        text = f"Something else answers at {client.url}, not Overseerr. Mend the address."
        return replace(base, code="overseerr_wrong_address", text=text, is_reachable=True, is_overseerr=False)
    except UpstreamFailed as error:
        code = "overseerr_wrong_address"
        return replace(base, code=code, text=error.message, is_reachable=True, is_overseerr=False)
    base = await _about(base, client, about)
    if not about.is_initialized:
        text = f"{NAMES[about.kind]} is there, but nobody has finished its set-up. Open {client.url} and do that first."
        return replace(base, code="overseerr_not_initialized", text=text)
    if not has_key:
        text = f"The key of {NAMES[about.kind]} is needed: it stands in its settings, under General."
        return replace(base, code="overseerr_no_key", text=text)
    try:
        owner = await client.me()
    except KeyRefused as error:
        return replace(base, code="overseerr_key_refused", text=error.message, is_key_good=False)
    except UpstreamFailed as error:
        return replace(base, code="overseerr_error", text=f"The key could not be tried: {error.message}")
    base = replace(base, is_key_good=True, owner_name=owner.name, born=birth(owner))
    if born and base.born != born:
        text = (
            f"Another installation answers at {client.url} than the one that was connected. Nothing is sent to it until "
            "somebody says that it is the right one."
        )
        return replace(base, code="overseerr_other_server", text=text, is_ours=False)
    return await _with_default_user(replace(base, is_ours=True), client, default_user_id)


async def _about(base: OverseerrCheck, client: Overseerr, about: PublicSettings) -> OverseerrCheck:
    found = replace(
        base,
        is_reachable=True,
        is_overseerr=True,
        is_initialized=about.is_initialized,
        kind=about.kind,
        title=about.title or NAMES[about.kind],
    )
    try:
        return replace(found, version=(await client.status()).version)
    except UpstreamFailed:  # it asks the internet for its newest version, and may hang over that
        return found


async def _with_default_user(base: OverseerrCheck, client: Overseerr, default_user_id: int | None) -> OverseerrCheck:
    if default_user_id is None:
        return base
    try:
        await client.me(as_user=default_user_id)
    except KeyRefused:
        text = "The person in whose name people without an account ask is not there any more. Choose another."
        return replace(base, code="overseerr_default_user_gone", text=text)
    except UpstreamFailed:
        return base
    return base


def birth(owner: OverseerrUser) -> str:
    """What tells one installation from another: when its first account was made, which outlives a move to Seerr."""
    return owner.created_at.isoformat() if owner.created_at else f"plex {owner.plex_id}"
