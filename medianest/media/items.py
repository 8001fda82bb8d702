"""From what Plex says to what a person sees: links, signed pictures, and the rating limits of children."""

from __future__ import annotations

from datetime import UTC, datetime

from medianest.integrations.plex_links import app_link, web_link
from medianest.integrations.plex_media import PlexItem
from medianest.media.model import LibraryItem
from medianest.media.ratings import age_of, is_within
from medianest.media.signing import PictureSigner, Source
from medianest.media.viewers import Viewer

WITHOUT_OWN_RATING = ("season", "episode")  # the show's counts
WIDE = ("episode", "clip")


class ItemMaker:
    """Makes `LibraryItem`s for somebody."""

    def __init__(self, signer: PictureSigner, plex_app_url: str) -> None:
        self._signer = signer
        self._plex_app_url = plex_app_url

    def make(self, item: PlexItem, viewer: Viewer) -> LibraryItem:
        """`item` as `viewer` sees it. What was watched is left out where it would be the owner's."""
        is_wide = item.type in WIDE
        duration_min = round(item.duration_ms / 60000) or None
        share = item.view_offset_ms / item.duration_ms if item.duration_ms else 0
        is_counted = viewer.is_own
        return LibraryItem(
            rating_key=item.rating_key,
            kind=item.type,
            title=item.title,
            href=f"/library/item/{item.rating_key}",
            year=item.year,
            summary=item.summary,
            poster=self._picture(item.show_thumb or item.parent_thumb if is_wide else item.thumb, "poster", viewer),
            still=self._picture(item.thumb, "still", viewer) if is_wide else None,
            backdrop=self._picture(item.art, "backdrop", viewer),
            certification=item.content_rating,
            age=age_of(item.content_rating),
            genres=item.genres,
            score=item.score,
            duration_min=duration_min,
            added_at=datetime.fromtimestamp(item.added_at_s, UTC) if 0 < item.added_at_s < 2**33 else None,
            tmdb_id=item.tmdb_id if item.type in ("movie", "show") else None,
            index=item.index,
            parent_title=item.parent_title,
            parent_key=item.parent_key,
            show_title=item.show_title or (item.parent_title if item.type == "season" else ""),
            show_key=item.show_key or (item.parent_key if item.type == "season" else None),
            library_title=item.section_title,
            items_total=item.leaf_count if item.type == "season" else item.child_count,
            items_watched=item.viewed_leaf_count if is_counted else None,
            is_watched=is_counted and self._is_watched(item),
            watched_percent=min(99, max(1, round(100 * share))) if is_counted and share else None,
            plex_url=web_link(self._plex_app_url, viewer.machine_id, item.rating_key),
            plex_app_url=app_link(viewer.machine_id, item.rating_key),
        )

    def small_poster(self, item: PlexItem, viewer: Viewer) -> str | None:
        return self._picture(item.show_thumb or item.thumb, "small", viewer)

    def _picture(self, path: str | None, size: str, viewer: Viewer) -> str | None:
        return self._signer.address(Source.PLEX, path, size, viewer.user_id)

    @staticmethod
    def _is_watched(item: PlexItem) -> bool:
        if item.leaf_count:
            return (item.viewed_leaf_count or 0) >= item.leaf_count
        return item.view_count > 0


def is_shown(item: PlexItem, viewer: Viewer, show: PlexItem | None = None) -> bool:
    """Whether the rating limit of `viewer` lets `item` through; a season or an episode counts as its `show` does."""
    if viewer.limit is None:
        return True
    if item.type not in WITHOUT_OWN_RATING:
        return is_within(item.content_rating, viewer.limit)
    has_own = item.content_rating is not None
    is_show_fine = show is not None and is_within(show.content_rating, viewer.limit)
    return is_show_fine and (not has_own or is_within(item.content_rating, viewer.limit))


def show_key_of(item: PlexItem) -> str | None:
    """The key of the show that a season or an episode belongs to."""
    if item.type == "episode":
        return item.show_key
    return item.parent_key if item.type == "season" else None
