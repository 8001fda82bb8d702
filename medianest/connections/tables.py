"""Tables of outside services. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import JSON, UUID, BigInt, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table


class IntegrationConfigRow(Table, tablename="integration_configs"):
    name = Text(primary_key=True, help_text="plex, overseerr, …")
    is_enabled = Boolean()
    url = Text()
    secrets = Text(null=True, default=None, secret=True, help_text="sealed JSON object")
    options = JSON(help_text="what is no secret: the server's number, name, version")
    updated_by = BigInt(null=True, default=None)
    updated_at = Timestamptz()


class PlexPinRow(Table, tablename="plex_pins"):
    id = UUID(primary_key=True)
    purpose = Text(help_text="sign_in, link or connect")
    user_id = BigInt(null=True, default=None, help_text="who links or connects")
    pin_id = BigInt(help_text="plex.tv's number")
    code = Text(secret=True)
    is_strong = Boolean(help_text="long, for the sign-in page; else four characters to type")
    state_hash = Text(secret=True, help_text="SHA-256 of the one-time state in the return address")
    browser_hash = Text(secret=True, help_text="SHA-256 of the cookie of the browser that began")
    return_to = Text(help_text="where Plex sends the browser back, without the one-time state")
    next_path = Text()
    is_remembered = Boolean()
    state = Text(help_text="a PinState")
    reason = Text(help_text="why refused, or why it still waits: a word of PinReason or of who finished it")
    token = Text(null=True, default=None, secret=True, help_text="sealed; kept at once, until the sign-in is through")
    result_user_id = BigInt(null=True, default=None)
    created_at = Timestamptz()
    expires_at = Timestamptz()
    read_after = Timestamptz(help_text="plex.tv is asked no earlier: one read a second, twice as long after a refusal")
    failures = Integer()
    finished_at = Timestamptz(null=True, default=None)
