"""The page of a title, and what is known of it while a service is away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from medianest.database import fetch
from medianest.errors import NotAllowed
from medianest.media.model import Availability, MediaType, TitleAvailabilityChanged, TitleKey
from tests.media.house import House

ORBIT = TitleKey(MediaType.MOVIE, 603)
LIGHTS = TitleKey(MediaType.TV, 1399)


async def test_a_film_that_is_there_can_be_watched(house: House) -> None:
    page = await house.page("frida", "/media/movie/603")
    assert "The Quiet Orbit</h1>" in page
    assert "Watch in Plex" in page
    assert (
        f"https://app.plex.example/desktop/#!/server/{house.plex.machine_id}/details?key=%2Flibrary%2Fmetadata%2F{house.orbit.rating_key}"
        in page
    )
    assert 'class="badge is-ok">In the library' in page
    assert "2 h 16 min" in page
    assert "Mara Lindt" in page


async def test_a_series_says_which_seasons_are_there(house: House) -> None:
    await house.index.refresh()
    found = (await house.json("frida", "/media/tv/1399"))["title"]
    assert [(one["number"], one["availability"]) for one in found["seasons"]] == [
        (1, "available"), (2, "partial"), (3, "none"), (0, "none"),
    ]  # fmt: skip
    assert found["availability"] == "partial"
    page = await house.page("frida", "/media/tv/1399")
    assert "3 of 8 episodes" in page
    assert "1 of 3 seasons" in page


async def test_what_is_on_the_server_but_not_shared_says_so(house: House) -> None:
    await house.index.refresh()
    page = await house.page("finn", "/media/movie/603")
    assert "not in the libraries that are shared with you" in page
    assert "Watch in Plex" not in page


async def test_plex_has_it_before_overseerr_says_so(house: House) -> None:
    heard: list[TitleAvailabilityChanged] = []

    async def hear(event: TitleAvailabilityChanged) -> None:
        heard.append(event)

    house.application.events.subscribe(TitleAvailabilityChanged, hear)
    house.overseerr.add_movie(77, "Late Train", imdb_id="tt0000077")
    assert (await house.media.title(MediaType.MOVIE, 77, None)).availability is Availability.NONE
    await house.index.refresh()  # the look that this began has ended
    house.plex.server.add_movie("1", "Nachtzug", 2020, imdb="tt0000077")  # another name, and no number at TMDB
    house.let_time_pass()
    assert await house.media.in_plex(TitleKey(MediaType.MOVIE, 77)) is Availability.AVAILABLE
    assert [(one.tmdb_id, one.availability.value) for one in heard] == [(77, "available")]
    known = await house.media.known([TitleKey(MediaType.MOVIE, 77)])
    assert [one.availability.value for one in known.values()] == ["available"]


async def test_the_recurring_look_finds_what_has_arrived(house: House) -> None:
    house.overseerr.add_show(88, "New Show", {1: 2}, tvdb_id=880)
    await house.media.title(MediaType.TV, 88, None)
    await house.index.refresh()
    house.plex.server.add_show("2", "New Show", 2024, tvdb=880, seasons={1: 2})
    house.let_time_pass()
    assert await house.media.look_again() == "1 titles have arrived since the last look."
    known = await house.media.known([TitleKey(MediaType.TV, 88)])
    assert [one.availability.value for one in known.values()] == ["available"]


async def test_in_plex_is_unknown_while_plex_is_away(house: House) -> None:
    house.plex.turn_off()
    assert await house.media.in_plex(ORBIT) is Availability.UNKNOWN


async def test_a_restart_with_plex_down_takes_nothing_back(house: House) -> None:
    await house.index.refresh()
    await house.media.title(*ORBIT, None)
    house.forget()
    house.plex.turn_off()
    title = await house.media.title(*ORBIT, await house.user("frida"))
    assert (title.availability, title.plex_rating_key) == (Availability.AVAILABLE, house.orbit.rating_key)


async def test_a_film_that_was_removed_goes_after_a_second_look(house: House) -> None:
    await house.index.refresh()
    await house.media.title(*ORBIT, None)
    house.plex.server.remove(house.orbit.rating_key)
    house.let_time_pass(100_000)
    await house.index.refresh()
    assert (await house.media.title(*ORBIT, None)).availability is Availability.AVAILABLE
    earlier = datetime.now(UTC) - timedelta(minutes=20)
    await fetch("UPDATE media_items SET plex_missing_since = {} WHERE tmdb_id = 603", earlier)
    assert (await house.media.title(*ORBIT, None)).availability is Availability.NONE


async def test_while_overseerr_is_down_the_page_shows_what_was_known(house: House) -> None:
    await house.media.title(*LIGHTS, None)
    house.forget()
    house.overseerr.off()
    page = await house.page("frida", "/media/tv/1399")
    assert "The request service does not answer right now." in page
    assert "This is what was known just now." in page
    assert "Nine families and one lighthouse." in page


async def test_without_anything_known_plex_tells_what_it_has(house: House) -> None:
    house.overseerr.off()
    page = await house.page("frida", "/media/movie/603")
    assert "The Quiet Orbit</h1>" in page
    assert "Watch in Plex" in page


async def test_what_nobody_knows_is_said_in_words(house: House) -> None:
    house.overseerr.off()
    page = await house.page("frida", "/media/movie/862000")
    assert "does not answer right now" in page
    assert "127.0.0.1" not in page
    problem = await house.json("frida", "/media/movie/862000", 502)
    assert "127.0.0.1" not in problem["detail"]
    for path in ("/media/movie/0", "/media/movie/99999999999", "/media/song/1"):
        assert (await (await house.client("frida")).get(path)).status_code in (400, 404)


async def test_a_child_does_not_open_what_is_above_their_limit(house: House) -> None:
    answer = await (await house.client("kid")).get("/media/movie/603")
    assert answer.status_code == 403
    assert "This is not for your age." in answer.text
    assert "navigator" not in answer.text
    await house.json("kid", "/media/movie/603", 403)
    assert "Buttons and Bears" in await house.page("kid", "/media/movie/862")
    with pytest.raises(NotAllowed):
        await house.media.title(MediaType.MOVIE, 704, await house.user("kid"))  # nobody has rated it
