"""Tables of requests. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import BigInt, BigSerial, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table


class MediaRequestRow(Table, tablename="media_requests"):
    id = BigSerial(primary_key=True)
    media_type = Text()
    tmdb_id = BigInt()
    is_4k = Boolean()
    seasons = Text(help_text="numbers with commas, empty for a film")
    requested_by = BigInt(null=True, default=None, help_text="nobody: asked for by somebody who has no account here")
    title = Text(help_text="as it was when it was asked for; empty until an imported one was looked up")
    title_key = Text(help_text="the title folded, for finding and sorting")
    year = Integer(null=True, default=None)
    status = Text()
    reason_code = Text(null=True, default=None)
    reason = Text(null=True, default=None)
    is_approved = Boolean(help_text="somebody here, or their own rights, said yes")
    overseerr_id = BigInt(null=True, default=None, help_text="number of the request in Overseerr")
    quota_cost = Integer(help_text="1 for a film, 1 for each season")
    charged_at = Timestamptz(null=True, default=None, help_text="when it was counted")
    version = Integer(help_text="goes up with each change: a look that is older changes nothing")
    created_at = Timestamptz()
    changed_at = Timestamptz()
    looked_at = Timestamptz(null=True, default=None, help_text="when Overseerr or Plex was last asked about it")


class RequestPartRow(Table, tablename="request_parts"):
    """A film, or one season of a series. Its key is (request_id, season); of the open ones each exists once."""

    request_id = BigInt(primary_key=True)
    season = Integer(help_text="-1 for a film")
    media_type = Text()
    tmdb_id = BigInt()
    is_4k = Boolean()
    is_open = Boolean()


class RequestFollowerRow(Table, tablename="request_followers"):
    """Who waits for it: the one who asked and those who joined. Its key is (user_id, request_id)."""

    user_id = BigInt(primary_key=True)
    request_id = BigInt()
    joined_at = Timestamptz()


class RequestStatusRow(Table, tablename="request_status"):
    """One step of a request's history."""

    id = BigSerial(primary_key=True)
    request_id = BigInt()
    at = Timestamptz()
    status = Text()
    source = Text()
    actor_id = BigInt(null=True, default=None)
    reason = Text(null=True, default=None)


class OutboxRow(Table, tablename="outbox"):
    """Something that Overseerr must still be told; the oldest of a lane goes first, one at a time."""

    id = BigSerial(primary_key=True)
    kind = Text(help_text="send, approve, decline, delete or retry")
    request_id = BigInt()
    lane = Text(help_text="kind and number of the title: what must not happen at once")
    attempts = Integer()
    next_attempt_at = Timestamptz()
    owner = Text(null=True, default=None, help_text="the process that works on it")
    lease_until = Timestamptz(null=True, default=None)
    posted_at = Timestamptz(null=True, default=None, help_text="a call was made whose answer is not known")
    refusals = Integer(help_text="answers that said error; waiting for no answer at all is not counted")
    last_code = Text(null=True, default=None)
    created_at = Timestamptz()
