"""What the film database knows, as Overseerr passes it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Title:
    """A film or a series. `seasons` maps a number to its episodes, 0 for specials; `certifications` a country to a word."""

    media_type: str
    tmdb_id: int
    title: str
    date: str = ""
    overview: str = ""
    poster: str | None = None
    backdrop: str | None = None
    genres: tuple[str, ...] = ()
    certifications: dict[str, str] = field(default_factory=dict)
    runtime_min: int = 100
    vote: float = 7.1
    imdb_id: str | None = None
    tvdb_id: int | None = None
    cast: tuple[str, ...] = ()
    seasons: dict[int, int] = field(default_factory=dict)

    def found(self, media: dict[str, Any] | None) -> dict[str, Any]:
        """Document: MovieResult, TvResult. Notes 2b `GET /search`: null posters, empty dates, optional keys left out."""
        common: dict[str, Any] = {
            "id": self.tmdb_id, "mediaType": self.media_type, "popularity": 10.5, "posterPath": self.poster,
            "backdropPath": self.backdrop, "voteCount": 321, "voteAverage": self.vote,
            "genreIds": [index for index, _genre in enumerate(self.genres)], "overview": self.overview,
            "originalLanguage": "en",
        }  # fmt: skip
        if self.media_type == "movie":
            common |= {"title": self.title, "originalTitle": self.title, "adult": False, "video": False}
            common["releaseDate"] = self.date
        else:
            common |= {"name": self.title, "originalName": self.title, "originCountry": ["US"]}
            common["firstAirDate"] = self.date
        return common if media is None else common | {"mediaInfo": media}

    def details(self, media: dict[str, Any] | None) -> dict[str, Any]:
        """Document: MovieDetails, TvDetails."""
        common: dict[str, Any] = {
            "id": self.tmdb_id, "backdropPath": self.backdrop, "posterPath": self.poster,
            "genres": [{"id": index, "name": genre} for index, genre in enumerate(self.genres)], "homepage": "",
            "originalLanguage": "en", "overview": self.overview, "popularity": 10.5, "productionCompanies": [],
            "productionCountries": [], "spokenLanguages": [], "status": "Released", "tagline": "",
            "voteAverage": self.vote, "voteCount": 321, "watchProviders": [],
            "credits": {"cast": [self._actor(*one) for one in enumerate(self.cast)], "crew": []},
            "externalIds": {"imdbId": self.imdb_id, "tvdbId": self.tvdb_id},
        }  # fmt: skip
        common |= self._film() if self.media_type == "movie" else self._series()
        return common if media is None else common | {"mediaInfo": media}

    def season(self, number: int) -> dict[str, Any]:
        """Document: Season, with its episodes."""
        episodes = [
            {
                "id": 1000 * number + one, "name": f"Part {one}", "airDate": self.date or None, "episodeNumber": one,
                "overview": "", "productionCode": "", "seasonNumber": number, "showId": self.tmdb_id,
                "stillPath": None, "voteAverage": 7.0, "voteCount": 3,
            }
            for one in range(1, self.seasons[number] + 1)
        ]  # fmt: skip
        return self._season(number) | {"episodes": episodes, "externalIds": {"tvdbId": None}}

    def _film(self) -> dict[str, Any]:
        releases = [
            {"iso_3166_1": land, "release_dates": [{"certification": word, "release_date": self.date, "type": 3}]}
            for land, word in self.certifications.items()
        ]
        return {
            "imdbId": self.imdb_id, "adult": False, "budget": 0, "relatedVideos": [], "originalTitle": self.title,
            "releaseDate": self.date, "releases": {"results": releases}, "revenue": 0, "runtime": self.runtime_min,
            "title": self.title, "video": False, "keywords": [], "onUserWatchlist": False,
        }  # fmt: skip

    def _series(self) -> dict[str, Any]:
        ratings = [{"iso_3166_1": land, "rating": word} for land, word in self.certifications.items()]
        return {
            "contentRatings": {"results": ratings}, "createdBy": [], "episodeRunTime": [self.runtime_min],
            "firstAirDate": self.date, "inProduction": False, "languages": ["en"], "lastAirDate": self.date,
            "name": self.title, "networks": [], "numberOfEpisodes": sum(self.seasons.values()),
            "numberOfSeasons": len([one for one in self.seasons if one]), "originCountry": ["US"],
            "originalName": self.title, "seasons": [self._season(number) for number in sorted(self.seasons)],
            "type": "Scripted", "keywords": [], "onUserWatchlist": False,
        }  # fmt: skip

    def _season(self, number: int) -> dict[str, Any]:
        return {
            "id": 70000 + number, "airDate": self.date or None, "episodeCount": self.seasons[number],
            "name": f"Season {number}" if number else "Specials", "overview": "", "posterPath": self.poster,
            "seasonNumber": number,
        }  # fmt: skip

    def _actor(self, place: int, name: str) -> dict[str, Any]:
        return {"id": place, "castId": place, "character": f"Part {place}", "creditId": str(place), "gender": 0,
                "name": name, "order": place, "profilePath": None}  # fmt: skip


def library() -> list[Title]:
    """Titles of every kind; film 1399 and series 1399 are two things."""
    return [
        Title(
            "movie", 603, "The Quiet Orbit", "1999-03-30", "A navigator finds that her ship has been turning round.",
            "/orbit.jpg", "/orbit-wide.jpg", ("Science Fiction", "Drama"), {"US": "R", "DE": "16"}, 136, 8.2,
            "tt0133093", cast=("Mara Lindt", "Ines Okafor"),
        ),
        Title("movie", 604, "The Quiet Orbit Returns", "2003-05-15", "Further round.", "/orbit2.jpg", None,
              ("Science Fiction",), {"US": "R"}, 138, 6.7, "tt0234215"),
        Title("movie", 862, "Buttons and Bears", "1995-10-30", "Two toys and a very large garden.", "/bears.jpg",
              "/bears-wide.jpg", ("Family", "Animation"), {"US": "G", "DE": "0"}, 81, 7.9, "tt0114709"),
        Title("movie", 704, '<b>Fish & "Chips"</b> $&', "", "", None, None, (), {}, 0, 0.0),
        Title("movie", 1399, "Harbour", "2011-01-01", "The film, not the series.", "/harbour.jpg", None, ("Drama",),
              {"US": "PG-13"}, 99, 6.1),
        Title("tv", 1399, "Harbour Lights", "2011-04-17", "Nine families and one lighthouse.", "/lights.jpg",
              "/lights-wide.jpg", ("Drama",), {"US": "TV-14", "DE": "12"}, 55, 8.4, "tt0944947", 121361,
              ("Ole Brandt",), {0: 2, 1: 10, 2: 8, 3: 6}),
        Title("tv", 4000, "One of Everything", "2020-01-01", "", None, None, ("Comedy",), {"US": "TV-PG"}, 25, 7.0,
              None, 400400, (), {1: 6}),
    ]  # fmt: skip
