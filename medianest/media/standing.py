"""How much of a title is there, out of what Overseerr says, what Plex shows and what was known before.

Whoever knows of more is right: Overseerr learns of an arrival late, and Plex may be down. A title goes back only when the
server was read twice, some time apart, without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from medianest.integrations.overseerr_answers import MediaInfo, MediaState, SeasonSummary, TitleDetails
from medianest.media.model import Availability, CastMember, MediaType, Season, Title, further
from medianest.media.plex_index import Entry
from medianest.media.ratings import age_of
from medianest.media.repository import Remembered

CONFIRM_GONE = timedelta(minutes=10)

STATES = {
    MediaState.PENDING: Availability.REQUESTED,
    MediaState.PROCESSING: Availability.PROCESSING,
    MediaState.PARTIALLY_AVAILABLE: Availability.PARTIAL,
    MediaState.AVAILABLE: Availability.AVAILABLE,
}


class SeasonThere(msgspec.Struct, frozen=True):
    """A season on the server."""

    rating_key: str
    episodes: int


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a look into Plex found: `entry` None is "not there", seen for sure. `seasons` are those of a series."""

    server_id: str
    entry: Entry | None = None
    seasons: Mapping[int, SeasonThere] = {}


def availability_of(media: MediaInfo | None) -> Availability:
    """What Overseerr thinks of a title."""
    return STATES.get(media.status, Availability.NONE) if media else Availability.NONE


def title_of(details: TitleDetails, *, at: datetime) -> Title:
    """What the request manager says about a title."""
    certification = certification_of(details)
    media = details.media
    states = media.seasons if media else {}
    return Title(
        media_type=MediaType(details.media_type),
        tmdb_id=details.tmdb_id,
        title=details.title,
        year=details.year,
        overview=details.overview,
        poster_path=details.poster_path,
        backdrop_path=details.backdrop_path,
        genres=details.genres,
        score=None if details.vote_average is None else round(details.vote_average, 1),
        certification=certification,
        age=age_of(certification),
        runtime_min=details.runtime_min,
        release_date=details.release_date.isoformat() if details.release_date else None,
        seasons=tuple(
            Season(
                number=one.number,
                title=one.name,
                episodes=one.episodes,
                availability=STATES.get(states.get(one.number, MediaState.UNKNOWN), Availability.NONE),
            )
            for one in sorted(details.seasons, key=_specials_last)
        ),
        cast=tuple(CastMember(name=one.name, character=one.character) for one in details.cast),
        availability=availability_of(media),
        availability_4k=STATES.get(media.status_4k, Availability.NONE) if media else Availability.NONE,
        imdb_id=details.imdb_id,
        tvdb_id=details.tvdb_id or (media.tvdb_id if media else None),
        media_id=media.id if media else None,
        is_blocklisted=media is not None and media.status is MediaState.BLOCKLISTED,
        is_whole=True,
        fetched_at=at,
    )


def certification_of(details: TitleDetails) -> str | None:
    """The age rating, with its country unless that is the United States; one that says an age before any other."""
    known = {details.certification_country: details.certification, **details.certifications}
    written = [
        rating if country == "US" else f"{country.lower()}/{rating}"
        for country, rating in known.items()
        if country and rating
    ]
    return next((one for one in written if age_of(one) is not None), written[0] if written else None)


def settle(fresh: Title, before: Remembered | None, look: Look | None, *, now: datetime) -> Remembered:
    """What is to be remembered of `fresh`.

    Args:
        before: what was remembered until now.
        look: what Plex shows; None when it could not be asked.
    """
    if look is None:
        return _without_plex(fresh, before)
    if look.entry is not None:
        return Remembered(title=_with_plex(fresh, look.entry, look.seasons), server_id=look.server_id)
    if before is None or before.title.plex_rating_key is None or before.server_id != look.server_id:
        return Remembered(title=replace(fresh, plex_rating_key=None), server_id=look.server_id)
    since = before.missing_since or now
    if now - since >= CONFIRM_GONE:
        return Remembered(title=replace(fresh, plex_rating_key=None), server_id=look.server_id)
    return Remembered(title=_no_less(fresh, before.title), missing_since=since, server_id=before.server_id)


def _without_plex(fresh: Title, before: Remembered | None) -> Remembered:
    if before is None:
        return Remembered(title=fresh)
    title = _no_less(fresh, before.title) if before.title.plex_rating_key else fresh
    return Remembered(title=title, missing_since=before.missing_since, server_id=before.server_id)


def _no_less(fresh: Title, before: Title) -> Title:
    """`fresh`, with nothing lost of what was there."""
    known = {season.number: season for season in before.seasons}
    seasons = tuple(
        replace(
            season,
            availability=further(season.availability, known[season.number].availability),
            episodes_there=known[season.number].episodes_there,
            rating_key=known[season.number].rating_key,
        )
        if season.number in known
        else season
        for season in fresh.seasons
    )
    return replace(
        fresh,
        seasons=seasons,
        availability=further(fresh.availability, before.availability),
        plex_rating_key=before.plex_rating_key,
    )


def _with_plex(fresh: Title, entry: Entry, there: Mapping[int, SeasonThere]) -> Title:
    if fresh.media_type is MediaType.MOVIE:
        return replace(fresh, availability=Availability.AVAILABLE, plex_rating_key=entry.rating_key)
    seasons = tuple(_season_with_plex(season, there.get(season.number)) for season in fresh.seasons)
    # what has no episodes yet can not be missing
    counted = [season for season in seasons if season.number > 0 and (season.episodes or season.episodes_there)]
    is_complete = all(season.availability is Availability.AVAILABLE for season in counted)
    availability = Availability.AVAILABLE if is_complete else Availability.PARTIAL
    return replace(fresh, seasons=seasons, availability=availability, plex_rating_key=entry.rating_key)


def _season_with_plex(season: Season, there: SeasonThere | None) -> Season:
    if there is None or not there.episodes:
        return replace(season, episodes_there=0)
    is_complete = there.episodes >= season.episodes
    seen = Availability.AVAILABLE if is_complete else Availability.PARTIAL
    return replace(
        season,
        availability=further(season.availability, seen),
        episodes_there=there.episodes,
        rating_key=there.rating_key,
    )


def _specials_last(season: SeasonSummary) -> tuple[bool, int]:
    return season.number == 0, season.number
