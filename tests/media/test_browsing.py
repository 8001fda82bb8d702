"""Libraries, what is new, what was begun, collections: each person as their own sharing allows."""

from __future__ import annotations

from medianest.database import fetch
from tests.media.house import House


async def test_everybody_sees_the_libraries_that_are_shared_with_them(house: House) -> None:
    assert [one["title"] for one in (await house.json("frida", "/libraries"))["items"]] == [
        "Films", "Shows", "From the web",
    ]  # fmt: skip
    assert [one["title"] for one in (await house.json("finn", "/libraries"))["items"]] == ["From the web"]
    assert len((await house.json("ada", "/libraries"))["items"]) == 3  # no account at Plex: with the owner's eyes
    assert (await (await house.client("finn")).get("/library")).headers["location"] == "/library/3"
    for path in ("/library/1", "/library/999", "/library/item/" + house.orbit.rating_key, "/library/item/../x"):
        assert (await (await house.client("finn")).get(path)).status_code == 404, path
    await house.json("finn", "/libraries/1/items", 404)


async def test_each_call_is_made_with_the_persons_own_token_and_none_is_in_an_address(house: House) -> None:
    await house.page("finn", "/library/3")
    own = house.plex.server_token(house.plex.friend_one_library)
    read = [one for one in house.plex.server.calls if one.path == "/library/sections/3/all"]
    assert [one.headers["x-plex-token"] for one in read] == [own]
    tokens = (own, house.plex.owner.token(), house.plex.server_token(house.plex.friend))
    for call in house.plex.server.calls:
        assert not any(token in str(call.query) for token in tokens)
    page = await house.page("finn", "/library/3")
    assert not any(token in page for token in tokens)
    assert house.plex.server_url not in page


async def test_a_library_comes_in_pages_that_go_on_in_place(house: House) -> None:
    for number in range(120):
        house.plex.server.add_movie(
            "1", f"Reel {number:03}", 1900 + number, tmdb=7000 + number, rating="PG", score=number % 10
        )
    first = await house.page("frida", "/library/1")
    assert first.count('class="poster"') == 50
    assert "122 titles" in first
    assert 'href="/library/1?sort=title&amp;offset=50"' in first
    part = await house.page("frida", "/library/1/items?sort=title&offset=50", **{"HX-Request": "true"})
    assert (part.count('class="poster"'), part.count("autofocus"), "<html" in part) == (50, 1, False)
    last = await house.page("frida", "/library/1?sort=title&offset=100")
    assert (last.count('class="poster"'), "Show more" in last) == (22, False)
    newest = await house.json("frida", "/libraries/1/items?sort=year&limit=2")
    assert [one["title"] for one in newest["items"]] == ["Reel 119", "Reel 118"]
    found = await house.page("frida", "/library/1?words=reel+11")
    assert found.count('class="poster"') == 10
    assert "Nothing here fits" in await house.page("frida", "/library/1?words=nothing")
    # a child gets whole pages as well, of what they may see
    child = await house.json("kid", "/libraries/1/items?limit=10&offset=5&sort=year")
    assert (child["total"], len(child["items"])) == (121, 10)
    assert {one["certification"] for one in child["items"]} == {"PG"}


async def test_what_is_watched_is_not_known_of_people_who_see_with_the_owners_eyes(house: House) -> None:
    house.plex.server.watch(house.plex.owner, house.bears, 1_800_000)
    house.plex.server.watch(house.plex.friend, house.orbit, 1_200_000)
    rows = await house.page("olive", "/home/rows")
    assert "Continue watching" in rows
    assert '<progress max="100" value="50"' in rows
    assert "Continue watching" not in await house.page("ada", "/home/rows")
    begun = await house.media.continue_watching(await house.user("frida"))
    assert [one.title for one in begun.items] == ["The Quiet Orbit"]


async def test_new_episodes_stand_once_under_their_series(house: House) -> None:
    found = await house.json("frida", "/media/recent")
    assert [one["show_title"] or one["title"] for one in found["items"]].count("Harbour Lights") == 1
    page = await house.page("frida", "/library/recent")
    assert "Harbour Lights" in page
    assert "Season 2 · Episode 3" in page


async def test_a_series_leads_to_its_seasons_and_episodes(house: House) -> None:
    series = await house.page("frida", f"/library/item/{house.lights.rating_key}")
    assert "Season 1" in series
    season = house.plex.server.season_of(house.lights, 2)
    assert f'href="/library/item/{season.rating_key}"' in series
    page = await house.page("frida", f"/library/item/{season.rating_key}")
    assert page.count('<li class="row">') == 3
    episode = next(one for one in house.plex.server.items.values() if one.parent is season)
    page = await house.page("frida", f"/library/item/{episode.rating_key}")
    assert f"plex://preplay/?metadataKey=%2Flibrary%2Fmetadata%2F{episode.rating_key}" in page
    assert "Harbour Lights, Season 2" in page


async def test_collections_show_their_members_in_order(house: House) -> None:
    collection = house.plex.server.new_item("collection", "1", "An evening")
    collection.members, collection.member_type = [house.bears.rating_key, house.orbit.rating_key], "movie"
    assert "An evening" in await house.page("frida", "/library/collections")
    page = await house.page("frida", f"/library/item/{collection.rating_key}")
    assert page.index("Buttons and Bears") < page.index("The Quiet Orbit")
    assert "An evening" not in await house.page("finn", "/library/collections")
    assert "An evening" not in await house.page("kid", "/library/collections")  # nobody has rated it


async def test_a_child_sees_nothing_above_their_limit_anywhere(house: House) -> None:
    house.plex.server.watch(house.plex.owner, house.orbit)
    for path in ("/library/1", "/library/2", "/library/recent", "/library/collections", "/home/rows"):
        page = await house.page("kid", path)
        assert "The Quiet Orbit" not in page, path
        assert "Harbour Lights" not in page, path
        assert "Orbit of a kite" not in page, path
    assert "Buttons and Bears" in await house.page("kid", "/library/1")
    episode = next(one for one in house.plex.server.items.values() if one.top is house.lights and one.type == "episode")
    for item in (house.orbit, house.lights, episode, house.clip):
        assert (await (await house.client("kid")).get(f"/library/item/{item.rating_key}")).status_code == 404
    house.lights.rating = "TV-PG"
    house.forget()
    await house.page("kid", f"/library/item/{episode.rating_key}")
    assert "Harbour Lights" in await house.page("kid", "/library/recent")  # by the rating of the series


async def test_the_home_page_waits_for_no_service_and_fetches_its_rows_afterwards(house: House) -> None:
    await house.page("frida", "/")  # the first time it is learned which server the settings name
    calls = len(house.plex.calls), len(house.overseerr.calls)
    page = await house.page("frida", "/")
    assert 'hx-get="/home/rows"' in page
    assert 'href="/library/recent"' in page  # without script
    assert (len(house.plex.calls), len(house.overseerr.calls)) == calls
    rows = await house.page("frida", "/home/rows")
    assert rows.index("New in the library") < rows.index("Popular now")
    assert "Buttons and Bears" in rows


async def test_the_system_page_tells_how_often_answers_were_there(house: House) -> None:
    for _ in range(4):
        await house.page("frida", "/library/1")
    page = await house.page("ada", "/system")
    assert "Answers kept in memory" in page
    items = next(one for one in house.media.figures() if one.name == "items")
    assert (items.hits, items.misses, items.rate) == (3, 1, 75)


async def test_a_person_whose_plex_sign_in_ended_is_told_and_sees_nothing_of_others(house: House) -> None:
    await fetch("UPDATE plex_accounts SET server_token = NULL WHERE user_id = {}", house.ids["finn"])
    page = await house.page("finn", "/library")
    assert "Sign in with Plex again" in page
    assert "Films" not in page
    page = await house.page("finn", "/search?q=harbour")
    assert "Sign in with Plex again" in page
    assert "Harbour Lights" in page  # what can be asked for is still found
