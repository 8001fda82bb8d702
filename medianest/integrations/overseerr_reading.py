"""Reads the JSON of Overseerr and Seerr. Numbers nobody knows are `unknown`, never an error; texts are capped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from medianest.integrations.answers import as_flag, as_id, as_int, as_text, rows
from medianest.integrations.overseerr_answers import (
    CastMember,
    DownloadState,
    Episode,
    FoundPage,
    FoundTitle,
    MediaInfo,
    MediaState,
    OverseerrUser,
    PublicSettings,
    RequestCounts,
    RequestRow,
    RowState,
    SeasonDetails,
    SeasonSummary,
    Share,
    TitleDetails,
    UserQuota,
)

LONGEST_TITLE, LONGEST_TEXT, MOST_CAST = 500, 5000, 20
PICTURE = re.compile(r"/[A-Za-z0-9_.-]{1,200}")
COUNTRIES = ("US", "GB", "DE", "FR", "NL", "CA", "AU")  # whose age rating is taken first
# Seerr's document has 6 as DELETED; the server has 6 as BLOCKLISTED and 7 as DELETED
MEDIA_STATES = dict(enumerate(MediaState, start=1))
ROW_STATES = dict(enumerate(tuple(RowState)[1:], start=1))


def capped(value: Any, longest: int = LONGEST_TITLE) -> str:
    return as_text(value)[:longest].strip()


def moment(value: Any) -> datetime | None:
    """A time with its zone, None for anything else."""
    try:
        found = datetime.fromisoformat(as_text(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def day(value: Any) -> date | None:
    """A date, which may be empty, or have a time behind it."""
    try:
        return date.fromisoformat(as_text(value)[:10])
    except ValueError:
        return None


def picture(value: Any) -> str | None:
    """The path of a picture at the film database; what looks like anything else is left out."""
    text = as_text(value)
    return text if PICTURE.fullmatch(text) else None


def score(value: Any) -> float | None:
    """0 to 10; 0 means that nobody has voted."""
    return float(value) if isinstance(value, int | float) and 0 < value <= 10 else None


def media_state(value: Any) -> MediaState:
    return MEDIA_STATES.get(as_int(value), MediaState.UNKNOWN)


def row_state(value: Any) -> RowState:
    return ROW_STATES.get(as_int(value), RowState.UNKNOWN)


def media_info(found: Any) -> MediaInfo | None:
    """`mediaInfo` of a title or `media` of a request; None when the server knows nothing."""
    if not isinstance(found, dict) or (number := as_id(found.get("id"))) is None:
        return None
    key = as_text(found.get("ratingKey"))
    return MediaInfo(
        id=number,
        media_type="tv" if found.get("mediaType") == "tv" else "movie",
        tmdb_id=as_id(found.get("tmdbId")) or 0,
        status=media_state(found.get("status")),
        status_4k=media_state(found.get("status4k")),
        tvdb_id=as_id(found.get("tvdbId")),
        seasons={as_int(one.get("seasonNumber")): media_state(one.get("status")) for one in rows(found, "seasons")},
        rating_key=key if key.isascii() and key.isdigit() else None,
        downloads=tuple(map(_download, rows(found, "downloadStatus"))),
        requests=tuple(row for one in rows(found, "requests") if (row := request_row(one)) is not None),
    )


def _download(found: Mapping[str, Any]) -> DownloadState:
    return DownloadState(
        title=capped(found.get("title")),
        size_bytes=as_int(found.get("size")),
        left_bytes=as_int(found.get("sizeLeft")),
        status=capped(found.get("status"), 50),
        done_at=moment(found.get("estimatedCompletionTime")),
    )


def request_row(found: Any) -> RequestRow | None:
    """A request; None for what is none."""
    if not isinstance(found, dict) or (number := as_id(found.get("id"))) is None:
        return None
    media = media_info(found.get("media"))
    asked_by, changed_by = _person(found.get("requestedBy")), _person(found.get("modifiedBy"))
    kind = as_text(found.get("type")) or (media.media_type if media else "movie")
    return RequestRow(
        id=number,
        status=row_state(found.get("status")),
        media_type="tv" if kind == "tv" else "movie",
        media=media,
        requested_by_id=asked_by[0],
        requested_by_name=asked_by[1],
        modified_by_id=changed_by[0],
        modified_by_name=changed_by[1],
        seasons=tuple(sorted({as_int(one.get("seasonNumber")) for one in rows(found, "seasons")})),
        is_4k=as_flag(found.get("is4k")),
        created_at=moment(found.get("createdAt")),
        updated_at=moment(found.get("updatedAt")),
    )


def _person(found: Any) -> tuple[int | None, str]:
    return (as_id(found.get("id")), capped(found.get("displayName"), 100)) if isinstance(found, dict) else (None, "")


def user(found: Any) -> OverseerrUser | None:
    if not isinstance(found, dict) or (number := as_id(found.get("id"))) is None:
        return None
    return OverseerrUser(
        id=number,
        name=capped(found.get("displayName"), 100) or capped(found.get("username"), 100) or f"#{number}",
        email=capped(found.get("email"), 320).lower(),
        plex_id=as_id(found.get("plexId")),
        permissions=as_int(found.get("permissions")),
        created_at=moment(found.get("createdAt")),
    )


def found_title(found: Mapping[str, Any], media_type: str = "") -> FoundTitle | None:
    """A row of a list; None for people, collections and what has no number."""
    kind, number = as_text(found.get("mediaType")) or media_type, as_id(found.get("id"))
    if kind not in ("movie", "tv") or number is None:
        return None
    day_key = "releaseDate" if kind == "movie" else "firstAirDate"
    released = day(found.get(day_key))
    return FoundTitle(
        media_type=kind,
        tmdb_id=number,
        title=capped(found.get("title" if kind == "movie" else "name")) or f"#{number}",
        year=released.year if released else None,
        overview=capped(found.get("overview"), LONGEST_TEXT),
        poster_path=picture(found.get("posterPath")),
        backdrop_path=picture(found.get("backdropPath")),
        vote_average=score(found.get("voteAverage")),
        media=media_info(found.get("mediaInfo")),
    )


def found_page(found: Mapping[str, Any], media_type: str = "") -> FoundPage:
    """A page of titles."""
    titles = (found_title(row, media_type) for row in rows(found, "results"))
    return FoundPage(
        page=max(1, as_int(found.get("page"), 1)),
        pages=as_int(found.get("totalPages")),
        total=as_int(found.get("totalResults")),
        results=tuple(title for title in titles if title is not None),
    )


def title_details(found: Mapping[str, Any], media_type: str) -> TitleDetails | None:
    """A film or series with all that is known; None for what has no number."""
    base = found_title({**found, "mediaType": media_type})
    if base is None:
        return None
    is_movie = media_type == "movie"
    ratings = _film_ratings(found) if is_movie else _series_ratings(found)
    country = next((one for one in COUNTRIES if one in ratings), next(iter(ratings), ""))
    outside = found.get("externalIds") if isinstance(found.get("externalIds"), dict) else {}
    runtimes = found.get("episodeRunTime")
    runtime = found.get("runtime") if is_movie else (runtimes[0] if isinstance(runtimes, list) and runtimes else None)
    credits = found.get("credits")
    imdb = as_text(found.get("imdbId")) or as_text((outside or {}).get("imdbId"))
    return TitleDetails(
        media_type=media_type,
        tmdb_id=base.tmdb_id,
        title=base.title,
        year=base.year,
        overview=base.overview,
        tagline=capped(found.get("tagline")),
        poster_path=base.poster_path,
        backdrop_path=base.backdrop_path,
        genres=tuple(name for row in rows(found, "genres") if (name := capped(row.get("name"), 60))),
        vote_average=base.vote_average,
        certification=ratings.get(country, ""),
        certification_country=country,
        certifications=ratings,
        runtime_min=minutes if 0 < (minutes := as_int(runtime)) < 10000 else None,
        release_date=day(found.get("releaseDate" if is_movie else "firstAirDate")),
        status=capped(found.get("status"), 50),
        seasons=tuple(map(_season_summary, rows(found, "seasons"))) if not is_movie else (),
        imdb_id=imdb if re.fullmatch(r"tt\d{5,12}", imdb) else None,
        tvdb_id=as_id((outside or {}).get("tvdbId")) or (base.media.tvdb_id if base.media else None),
        cast=tuple(
            CastMember(name=name, character=capped(row.get("character"), 200))
            for row in rows(credits, "cast")[:MOST_CAST]
            if (name := capped(row.get("name"), 200))
        ),
        media=base.media,
    )


def _film_ratings(found: Mapping[str, Any]) -> dict[str, str]:
    ratings = {}
    for land in rows(found.get("releases"), "results"):
        words = (capped(one.get("certification"), 20) for one in rows(land, "release_dates"))
        if word := next((one for one in words if one), ""):
            ratings[capped(land.get("iso_3166_1"), 2).upper()] = word
    return ratings


def _series_ratings(found: Mapping[str, Any]) -> dict[str, str]:
    return {
        capped(land.get("iso_3166_1"), 2).upper(): word
        for land in rows(found.get("contentRatings"), "results")
        if (word := capped(land.get("rating"), 20))
    }


def _season_summary(found: Mapping[str, Any]) -> SeasonSummary:
    number = as_int(found.get("seasonNumber"))
    return SeasonSummary(
        number=number,
        name=capped(found.get("name")) or (f"Season {number}" if number else "Specials"),
        episodes=as_int(found.get("episodeCount")),
        air_date=day(found.get("airDate")),
        overview=capped(found.get("overview"), LONGEST_TEXT),
        poster_path=picture(found.get("posterPath")),
    )


def season_details(found: Mapping[str, Any]) -> SeasonDetails:
    """A season with its episodes."""
    summary = _season_summary(found)
    return SeasonDetails(
        number=summary.number,
        name=summary.name,
        overview=summary.overview,
        episodes=tuple(
            Episode(
                number=as_int(row.get("episodeNumber")),
                title=capped(row.get("name")),
                overview=capped(row.get("overview"), LONGEST_TEXT),
                air_date=day(row.get("airDate")),
            )
            for row in rows(found, "episodes")
        ),
    )


def public_settings(found: Mapping[str, Any]) -> PublicSettings:
    """`mediaServerType` is absent on Overseerr: the way to tell the two apart."""
    return PublicSettings(
        kind="seerr" if "mediaServerType" in found else "overseerr",
        title=capped(found.get("applicationTitle"), 100),
        is_initialized=as_flag(found.get("initialized")),
        allows_4k_movies=as_flag(found.get("movie4kEnabled")),
        allows_4k_shows=as_flag(found.get("series4kEnabled")),
    )


def user_quota(found: Mapping[str, Any]) -> UserQuota:
    """A limit of 0, or none, is no limit."""
    return UserQuota(movie=_share(found.get("movie")), tv=_share(found.get("tv")))


def _share(found: Any) -> Share:
    found = found if isinstance(found, dict) else {}
    limit, used = as_int(found.get("limit")) or None, as_int(found.get("used"))
    return Share(
        days=as_int(found.get("days")),
        limit=limit,
        used=used,
        remaining=None if limit is None else as_int(found.get("remaining"), max(0, limit - used)),
        is_restricted=as_flag(found.get("restricted")),
    )


def request_counts(found: Mapping[str, Any]) -> RequestCounts:
    """Numbers over everybody's requests."""
    return RequestCounts(**{name: as_int(found.get(name)) for name in RequestCounts.__struct_fields__})
