"""How much of a title is there: whoever knows of more is right, and nothing goes back by mistake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from medianest.media.model import Availability, MediaType, Season, Title
from medianest.media.plex_index import Entry
from medianest.media.standing import CONFIRM_GONE, Look, SeasonThere, settle

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
FILM = Title(media_type=MediaType.MOVIE, tmdb_id=603, title="Orbit", availability=Availability.PROCESSING)
SHOW = Title(
    media_type=MediaType.TV,
    tmdb_id=1399,
    title="Lights",
    seasons=(Season(number=1, episodes=10), Season(number=2, episodes=8), Season(number=0, episodes=2)),
)
THERE = Look(server_id="m", entry=Entry("7", "Orbit"))
NOT_THERE = Look(server_id="m")
ARRIVED = settle(FILM, None, THERE, now=NOW)


def test_plex_is_believed_before_overseerr_knows() -> None:
    assert ARRIVED.title.availability is Availability.AVAILABLE
    assert ARRIVED.title.plex_rating_key == "7"


def test_overseerr_is_believed_while_plex_can_not_be_asked() -> None:
    said = replace(FILM, availability=Availability.AVAILABLE)
    assert settle(said, None, None, now=NOW).title.availability is Availability.AVAILABLE
    assert settle(FILM, None, NOT_THERE, now=NOW).title.availability is Availability.PROCESSING


def test_a_plex_that_is_down_takes_nothing_back() -> None:
    later = settle(replace(FILM, availability=Availability.NONE), ARRIVED, None, now=NOW + timedelta(days=3))
    assert later.title.availability is Availability.AVAILABLE
    assert later.title.plex_rating_key == "7"


def test_gone_is_believed_after_two_looks_some_time_apart() -> None:
    fresh = replace(FILM, availability=Availability.NONE)
    once = settle(fresh, ARRIVED, NOT_THERE, now=NOW)
    assert (once.title.availability, once.missing_since) == (Availability.AVAILABLE, NOW)
    soon = settle(fresh, once, NOT_THERE, now=NOW + CONFIRM_GONE / 2)
    assert (soon.title.availability, soon.missing_since) == (Availability.AVAILABLE, NOW)
    gone = settle(fresh, soon, NOT_THERE, now=NOW + CONFIRM_GONE)
    assert (gone.title.availability, gone.title.plex_rating_key) == (Availability.NONE, None)


def test_found_again_forgets_that_it_was_missing() -> None:
    once = settle(FILM, ARRIVED, NOT_THERE, now=NOW)
    again = settle(FILM, once, THERE, now=NOW + timedelta(minutes=5))
    assert (again.missing_since, again.title.availability) == (None, Availability.AVAILABLE)


def test_another_server_says_nothing_about_what_the_old_one_had() -> None:
    other = settle(replace(FILM, availability=Availability.NONE), ARRIVED, Look(server_id="other"), now=NOW)
    assert other.title.availability is Availability.NONE


def test_a_series_is_there_season_by_season() -> None:
    look = Look(server_id="m", entry=Entry("9", "Lights"), seasons={1: SeasonThere("10", 10), 2: SeasonThere("11", 3)})
    title = settle(SHOW, None, look, now=NOW).title
    assert [one.availability.value for one in title.seasons] == ["available", "partial", "none"]
    assert (title.availability, title.seasons_there) == (Availability.PARTIAL, 1)
    whole = replace(look, seasons={1: SeasonThere("10", 10), 2: SeasonThere("11", 8)})
    assert settle(SHOW, None, whole, now=NOW).title.availability is Availability.AVAILABLE  # specials do not count


def test_a_season_without_episodes_yet_does_not_make_a_series_incomplete() -> None:
    announced = replace(SHOW, seasons=(Season(number=1, episodes=10), Season(number=2, episodes=0)))
    look = Look(server_id="m", entry=Entry("9", "Lights"), seasons={1: SeasonThere("10", 10)})
    assert settle(announced, None, look, now=NOW).title.availability is Availability.AVAILABLE


def test_a_new_season_makes_a_whole_series_partly_there_whatever_overseerr_says() -> None:
    said = replace(SHOW, availability=Availability.AVAILABLE)
    look = Look(server_id="m", entry=Entry("9", "Lights"), seasons={1: SeasonThere("10", 10)})
    assert settle(said, None, look, now=NOW).title.availability is Availability.PARTIAL
