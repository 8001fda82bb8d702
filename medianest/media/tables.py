"""What is remembered of titles. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import BigInt, BigSerial, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table


class MediaItemRow(Table, tablename="media_items"):
    id = BigSerial(primary_key=True)
    media_type = Text(help_text="a MediaType")
    tmdb_id = BigInt()
    title = Text()
    original_title = Text()
    year = Integer(null=True, default=None)
    overview = Text()
    poster_path = Text(null=True, default=None, help_text="TMDB's path of the picture")
    backdrop_path = Text(null=True, default=None)
    genres = Text(help_text="a JSON list of words")
    score_tenths = Integer(null=True, default=None, help_text="0 to 100")
    certification = Text(null=True, default=None)
    runtime_min = Integer(null=True, default=None)
    release_date = Text(null=True, default=None, help_text="YYYY-MM-DD")
    seasons = Text(help_text="a JSON list of Season")
    cast_members = Text(help_text="a JSON list of CastMember")
    imdb_id = Text(null=True, default=None)
    tvdb_id = BigInt(null=True, default=None)
    media_id = BigInt(null=True, default=None, help_text="Overseerr's number of it")
    is_blocklisted = Boolean()
    availability = Text(help_text="an Availability, the furthest that was seen")
    availability_4k = Text()
    plex_rating_key = Text(null=True, default=None, help_text="changes when Plex matches it anew")
    plex_missing_since = Timestamptz(null=True, default=None, help_text="first successful look that did not find it")
    server_id = Text(null=True, default=None, help_text="the machine identifier that plex_rating_key belongs to")
    is_whole = Boolean(help_text="details were read, not only a line of a search")
    fetched_at = Timestamptz(help_text="of what the request manager says")
    seen_at = Timestamptz(help_text="last time somebody came across it")
