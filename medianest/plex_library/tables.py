"""Tables of what is in Plex and of what is still to be done there. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import BigInt, BigSerial, Integer, Text, Timestamptz
from piccolo.table import Table


class PlaceRow(Table, tablename="plex_places"):
    """Where one filed video stands in Plex."""

    history_id = BigInt(primary_key=True)
    folder = Text(help_text="of the show or film, relative to the library")
    path = Text(help_text="of the media, relative to the library")
    title = Text()
    state = Text(help_text="a PlaceState")
    reason = Text(help_text="why it is missing: a MissingReason")
    section = Text(null=True, default=None, help_text="key of the Plex library")
    item_type = Text(null=True, default=None, help_text="movie or episode")
    rating_key = Text(null=True, default=None)
    server_id = Text(null=True, default=None, help_text="the machine whose rating key this is")
    wanted_at = Timestamptz()
    found_at = Timestamptz(null=True, default=None)
    checked_at = Timestamptz(null=True, default=None, help_text="when the rating key was last seen to be good")


class ScanRow(Table, tablename="plex_scans"):
    """A folder that Plex is to look into. Nothing is to be done while due_at is null."""

    id = BigSerial(primary_key=True)
    folder = Text(help_text="unique")
    first_wanted_at = Timestamptz()
    changes = Integer(help_text="grows with each file that comes or goes")
    due_at = Timestamptz(null=True, default=None)
    attempts = Integer(help_text="failures in a row, for the back-off")
    reason = Text()
    owner = Text(null=True, default=None)
    lease_until = Timestamptz(null=True, default=None)


class CollectionRow(Table, tablename="plex_collections"):
    """A downloaded playlist as a collection. Nothing is to be done while due_at is null."""

    id = BigSerial(primary_key=True)
    download_id = BigInt(help_text="the list; unique, and it may be gone")
    state = Text(help_text="a CollectionState")
    title = Text()
    section = Text(null=True, default=None)
    item_type = Text(null=True, default=None)
    rating_key = Text(null=True, default=None)
    server_id = Text(null=True, default=None)
    marker = Text(null=True, default=None, help_text="its title while it is being made, to find it after a crash")
    poster = Text(null=True, default=None, help_text="name of the picture that was sent")
    members = Integer(help_text="in the collection")
    wanted = Integer(help_text="videos of the list that are in the library")
    changes = Integer()
    due_at = Timestamptz(null=True, default=None)
    attempts = Integer()
    reason = Text()
    owner = Text(null=True, default=None)
    lease_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz()
    changed_at = Timestamptz()


class MemberRow(Table, tablename="plex_collection_members"):
    """What we have put into a collection. Its key is (collection_id, rating_key)."""

    collection_id = BigInt(primary_key=True)
    rating_key = Text()
    position = Integer(help_text="from 1")
