"""One search for everything: what is there first, then what can be asked for; each person with their own sharing."""

from __future__ import annotations

from medianest.media.model import MediaType, TitleKey
from tests.media.house import House


async def test_what_is_in_the_library_comes_first_and_each_title_once(house: House) -> None:
    found = await house.names("frida", "orbit")
    assert found == [
        ("The Quiet Orbit", "watch"),
        ("Orbit of a kite", "watch"),
        ("The Quiet Orbit Returns", "request"),
    ]
    page = await house.page("frida", "/search?q=orbit")
    assert page.index("In the library</h2>") < page.index("Can be asked for</h2>")
    assert 'href="/media/movie/603"' in page
    assert f'href="/library/item/{house.clip.rating_key}"' in page  # nobody knows its number
    assert 'data-announce="3 results"' in page


async def test_everybody_finds_only_what_is_shared_with_them(house: House) -> None:
    assert ("Orbit of a kite", "watch") in await house.names("finn", "orbit")
    found = await house.json("finn", "/search?q=orbit")
    by_title = {one["title"]: one for one in found["items"]}
    assert by_title["The Quiet Orbit"]["plex_url"] is None
    await house.index.refresh()
    found = await house.json("finn", "/search?q=orbit")
    by_title = {one["title"]: one for one in found["items"]}
    # it is on the server, so that asking for it makes no sense, but not for them
    assert (by_title["The Quiet Orbit"]["availability"], by_title["The Quiet Orbit"]["plex_url"]) == ("available", None)
    assert len(by_title) == len(found["items"])


async def test_a_title_with_other_words_in_plex_is_still_watched_and_not_asked_for(house: House) -> None:
    house.orbit.title = "Die stille Bahn"
    await house.index.refresh()
    assert ("The Quiet Orbit", "watch") in await house.names("frida", "quiet orbit")
    assert ("The Quiet Orbit", "request") in await house.names("finn", "quiet orbit")


async def test_one_search_costs_plex_and_overseerr_one_call_each_and_a_second_one_none(house: House) -> None:
    await house.names("frida", "orbit")
    await house.index.refresh()

    def calls() -> tuple[int, int]:
        searched = [one for one in house.plex.server.calls if one.path == "/hubs/search"]
        return len(searched), len([one for one in house.overseerr.calls if one.path.endswith("/search")])

    assert calls() == (1, 1)
    await house.names("frida", "  ORBIT ")
    assert calls() == (1, 1)
    await house.names("finn", "orbit")  # sees something else in Plex, the same in Overseerr
    assert calls() == (2, 1)


async def test_any_words_can_be_looked_for(house: House) -> None:
    client = await house.client("frida")
    for q in ("fish & chips", "a+b?c=d/e#f", "50% off", "œuvre nº 1", "  ", "x" * 5000, "\0", "[](){}"):
        answer = await client.get("/search", params={"q": q})
        assert answer.status_code == 200, q
        assert "notice is-wait" not in answer.text, q


async def test_strange_titles_are_shown_as_text(house: House) -> None:
    page = await house.page("frida", "/search?q=chips")
    assert "&lt;b&gt;Fish" in page
    assert "<b>Fish" not in page


async def test_a_pasted_link_becomes_a_download(house: House) -> None:
    page = await house.page("frida", "/search?q=https%3A%2F%2Fvideos.example%2Fwatch%3Fv%3D1%26t%3D2")
    assert 'href="/downloads?url=https%3A%2F%2Fvideos.example%2Fwatch%3Fv%3D1%26t%3D2"' in page
    assert [one for one in house.overseerr.calls if one.path.endswith("/search")] == []
    there = await house.page("frida", "/downloads?url=https%3A%2F%2Fvideos.example%2Fwatch%3Fv%3D1")
    assert ">https://videos.example/watch?v=1</textarea>" in there
    assert "javascript:" not in await house.page("frida", "/downloads?url=javascript%3Aalert(1)")
    assert (await house.json("frida", "/search?q=https://videos.example/x"))["link"] == "https://videos.example/x"


async def test_films_and_series_can_be_looked_at_alone(house: House) -> None:
    films = await house.page("frida", "/search?q=harbour&show=films")
    assert ('href="/media/movie/1399"' in films, 'href="/media/tv/1399"' in films) == (True, False)
    series = await house.page("frida", "/search?q=harbour&show=series")
    assert ('href="/media/movie/1399"' in series, 'href="/media/tv/1399"' in series) == (False, True)


async def test_more_results_come_in_the_place_of_the_link(house: House) -> None:
    for number in range(45):
        house.overseerr.add_movie(9000 + number, f"Comet number {number:02}", "2001-01-01")
    first = await house.page("frida", "/search?q=comet")
    assert first.count('href="/media/movie/90') == 20
    assert 'hx-get="/search/more?q=comet&amp;page=2"' in first
    assert 'data-announce="20 results, and more"' in first
    part = await house.page("frida", "/search/more?q=comet&page=2", **{"HX-Request": "true"})
    assert (part.count("<li"), part.count("autofocus"), "<html" in part) == (21, 1, False)
    last = await house.page("frida", "/search/more?q=comet&page=3", **{"HX-Request": "true"})
    assert (last.count('href="/media/movie/90'), "Show more" in last) == (5, False)
    assert (await house.page("frida", "/search?q=comet&page=3")).count('href="/media/movie/90') == 5  # without script


async def test_suggestions_are_few_and_lead_on(house: House) -> None:
    part = await house.page("frida", "/search/suggestions?q=orbit")
    assert part.count("<li>") == 4
    assert 'href="/search?q=orbit"' in part
    assert (await house.page("frida", "/search/suggestions?q=o")).count("<li>") == 0


async def test_what_was_asked_for_carries_its_badge(house: House) -> None:
    house.overseerr.add_movie(3, "Third Orbit")
    answer = await (await house.client("frida")).post("/api/v1/requests", json={"media_type": "movie", "tmdb_id": 3})
    assert answer.status_code == 201, answer.text
    page = await house.page("frida", "/search?q=third")
    assert 'aria-label="Third Orbit, Waiting"' in page
    assert (await house.json("frida", "/search?q=third"))["items"][0]["request"]["status"] == "pending"


# children


async def test_a_child_finds_only_what_their_limit_allows(house: House) -> None:
    await house.index.refresh()
    assert await house.names("kid", "buttons") == [("Buttons and Bears", "watch")]
    assert await house.names("kid", "orbit") == []  # R, and a home video that nobody has rated
    # PG-13 by the American board; the series is 12 in Germany, but 14 comes first
    assert await house.names("kid", "harbour") == []


async def test_ratings_that_were_learned_for_a_child_are_remembered(house: House) -> None:
    house.overseerr.add_movie(31, "Garden of Bees", certifications={"DE": "6"})
    house.overseerr.add_movie(32, "Garden of Knives", certifications={"DE": "18"})
    house.overseerr.add_movie(33, "Garden of Nobody", certifications={})
    assert await house.names("kid", "garden") == [("Garden of Bees", "request")]
    details = [one for one in house.overseerr.calls if "/movie/" in one.path]
    house.forget()
    assert await house.names("kid", "garden") == [("Garden of Bees", "request")]
    assert [one for one in house.overseerr.calls if "/movie/" in one.path] == details
    known = await house.media.known([TitleKey(MediaType.MOVIE, 32)])
    assert [one.certification for one in known.values()] == ["de/18"]


async def test_of_several_ratings_the_one_that_says_an_age_counts(house: House) -> None:
    house.overseerr.add_movie(34, "Meadow", certifications={"US": "NR", "DE": "6"})
    assert await house.names("kid", "meadow") == [("Meadow", "request")]


async def test_children_have_no_search_for_videos(house: House) -> None:
    assert "YouTube" not in await house.page("kid", "/search?q=bears")
    assert "YouTube" in await house.page("frida", "/search?q=bears")
    assert (await house.media.videos("bears", await house.user("kid"))).items == ()
