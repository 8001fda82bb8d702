"""Overseerr and Seerr as MediaNest reads and asks them: every trap of the notes, every kind of trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from medianest.errors import NotFound, UpstreamFailed
from medianest.integrations.breaker import Breaker, GuardedClient
from medianest.integrations.http import HttpClient, Reach, Unreachable
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.overseerr_answers import MediaState, RowState
from medianest.integrations.overseerr_failures import (
    AlreadyRequested,
    Busy,
    KeyRefused,
    NothingToRequest,
    RequestRefused,
    ServerError,
    TitleUnavailable,
    Unreadable,
    WrongAddress,
)
from medianest.integrations.overseerr_reading import media_info, request_row, title_details
from tests.overseerr import OverseerrWorld, Permission


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    made = HttpClient(Reach.OWNER, timeout_s=1)
    yield made
    await made.close()


@pytest.fixture
def client(http: HttpClient, overseerr: OverseerrWorld) -> Overseerr:
    return Overseerr(http, overseerr.url + "/", overseerr.api_key)


@pytest.fixture(params=["overseerr", "seerr"])
def world(request: pytest.FixtureRequest) -> OverseerrWorld:
    found: OverseerrWorld = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def either(http: HttpClient, world: OverseerrWorld) -> Overseerr:
    return Overseerr(http, world.url, world.api_key)


async def film(client: Overseerr, tmdb_id: int = 603, as_user: int | None = 2, *, is_4k: bool = False) -> Any:
    return await client.create_request("movie", tmdb_id, seasons=None, is_4k=is_4k, as_user=as_user)


async def show(client: Overseerr, *seasons: int, as_user: int | None = 2) -> Any:
    return await client.create_request("tv", 1399, seasons=seasons, is_4k=False, as_user=as_user)


async def test_the_two_are_told_apart_and_one_client_reads_both(either: Overseerr, world: OverseerrWorld) -> None:
    about = await either.public_settings()
    assert (about.kind, about.is_initialized, about.title) == (world.kind, True, world.application_title)
    assert (await either.status()).version == world.version
    assert (await either.me()).plex_id == 1001
    await film(either)
    world.approve(world.row(1))
    world.mark_available("movie", 603, rating_key="77")
    row = (await either.requests(20, 0, "all", sort="modified")).results[0]
    assert row.status is (RowState.COMPLETED if world.is_seerr else RowState.APPROVED)
    assert row.media is not None
    assert (row.media.status, row.media.rating_key, row.media.tmdb_id) == (MediaState.AVAILABLE, "77", 603)
    assert (row.requested_by_id, row.modified_by_name) == (2, "olive")
    assert (await either.count()).available == 1
    assert len((await either.discover("trending")).results) == len(world.titles)
    assert await either.finds_titles()
    refused = [call for call in world.calls if call.status >= 400]
    assert refused == [], "nothing that only Seerr knows is sent"


async def test_search_survives_every_character_and_leaves_people_and_collections_out(
    client: Overseerr, overseerr: OverseerrWorld
) -> None:
    for words in ("a+b c", "what? (2001): 50% off & more", "it's/[that]@#!$*,;=", "Zoë 東京", '"><script>'):
        await client.search(words)
        assert overseerr.calls[-1].status == 200, words
        assert overseerr.calls[-1].query["query"] == words
    page = await client.search("quiet orbit")
    assert [(one.media_type, one.tmdb_id, one.year) for one in page.results] == [
        ("movie", 603, 1999),
        ("movie", 604, 2003),
    ]
    bare = (await client.search("chips")).results[0]
    assert (bare.title, bare.year, bare.poster_path, bare.vote_average) == (
        '<b>Fish & "Chips"</b> $&',
        None,
        None,
        None,
    )
    assert (await client.search("  ")).results == ()
    assert (await client.search("orbit", page=9)).results == ()
    overseerr.tmdb_is_down = True
    assert (await client.search("orbit")).total == 0
    assert not await client.finds_titles(), "zero results may mean that the film database is down"


async def test_details_hold_ratings_seasons_and_what_is_asked_for(client: Overseerr, overseerr: OverseerrWorld) -> None:
    found = await client.movie(603)
    assert (found.certification, found.certification_country) == ("R", "US")
    assert dict(found.certifications) == {"US": "R", "DE": "16"}
    assert (found.runtime_min, found.imdb_id, found.cast[0].name, found.media) == (136, "tt0133093", "Mara Lindt", None)
    await show(client, 1, 2)
    overseerr.mark_available("tv", 1399, seasons=(1,))
    series = await client.tv(1399)
    assert [(one.number, one.episodes) for one in series.seasons] == [(0, 2), (1, 10), (2, 8), (3, 6)]
    assert series.media is not None
    assert series.media.status is MediaState.PARTIALLY_AVAILABLE
    assert dict(series.media.seasons) == {1: MediaState.AVAILABLE}
    assert [row.seasons for row in series.media.requests] == [(1, 2)]
    assert (series.certification, series.tvdb_id) == ("TV-14", 121361)
    assert len((await client.season(1399, 1)).episodes) == 10
    assert (await client.movie(1399)).title == "Harbour"
    for call in (client.movie(9), client.tv(603), client.season(1399, 9)):
        with pytest.raises(TitleUnavailable):
            await call


async def test_a_create_says_what_became_of_it(either: Overseerr, world: OverseerrWorld) -> None:
    row = await film(either)
    assert (row.status, row.requested_by_id, row.is_4k, row.media.tmdb_id) == (RowState.PENDING, 2, False, 603)
    assert world.calls[-1].json == {"mediaType": "movie", "mediaId": 603, "is4k": False}
    with pytest.raises(AlreadyRequested):
        await film(either, as_user=4)
    assert (await show(either, 2, 1)).seasons == (1, 2)
    assert (await show(either, 2, 3)).seasons == (3,), "only the new ones"
    creates = world.creates
    with pytest.raises(NothingToRequest):
        await show(either, 1, 2, 3)
    with pytest.raises(NothingToRequest):
        await show(either)
    assert world.creates == creates
    world.friend.permissions |= Permission.AUTO_APPROVE
    assert (await film(either, 604)).status is RowState.APPROVED
    with pytest.raises(ServerError) as failed:
        await film(either, 999)
    assert "api_key" not in failed.value.message


async def test_each_way_to_be_refused_is_told_apart(client: Overseerr, overseerr: OverseerrWorld) -> None:
    async def refused(call: Any) -> str:
        with pytest.raises(RequestRefused) as error:
            await call
        return error.value.code

    assert await refused(film(client, as_user=5)) == "permission"
    assert await refused(film(client, is_4k=True)) == "permission"
    assert await refused(film(client, as_user=77)) == "user"
    overseerr.friend.movie_quota, overseerr.friend.tv_quota = (1, 7), (1, 7)
    await film(client)
    assert (await client.quota(2)).movie.remaining == 0
    assert (await client.quota(1)).movie.limit is None
    assert await refused(film(client, 604)) == "quota"
    overseerr.blocklist("movie", 862)
    assert await refused(film(client, 862, as_user=4)) == "blocklisted"
    overseerr.api_key = "another"
    assert await refused(film(client, 604)) == "key"


async def test_only_a_number_of_a_person_is_ever_sent(client: Overseerr, overseerr: OverseerrWorld) -> None:
    wrong: list[Any] = ["frida", "2", 2.0, True, 0, -1]
    for as_user in wrong:
        with pytest.raises(ValueError, match="number"):
            await film(client, as_user=as_user)
    assert (overseerr.takedowns, overseerr.calls) == ([], [])


async def test_what_happens_to_a_request(client: Overseerr, overseerr: OverseerrWorld) -> None:
    row = await film(client)
    assert [(await client.approve(row.id)).status for _ in range(2)] == [RowState.APPROVED] * 2
    with pytest.raises(RequestRefused):
        await client.approve(row.id, as_user=2)
    assert (await client.decline(row.id)).status is RowState.DECLINED
    overseerr.fail(overseerr.row(row.id))
    assert (await client.request(row.id)).status is RowState.FAILED
    assert (await client.retry(row.id)).status is RowState.APPROVED
    await client.delete(row.id)
    for call in (client.delete(row.id), client.request(row.id), client.approve(row.id)):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(ValueError, match="completed"):
        await client.requests(10, 0, "completed")


async def test_people_are_read_to_the_last_page_and_imported_by_name(
    client: Overseerr, overseerr: OverseerrWorld
) -> None:
    for number in range(10, 230):
        person = overseerr.people[2]
        overseerr.people[number] = type(person)(number, f"p{number}@Example.org", 5000 + number, f"p{number}")
    people = {one.id: one for one in await client.users()}
    assert len(people) == 225
    assert (people[229].plex_id, people[229].email) == (5229, "p229@example.org")
    assert {one.plex_id for one in await client.plex_users()} == {1003, 1004, 1005}
    assert await client.import_users(()) == 0
    assert await client.import_users((1003, 1004, 1005)) == 1, "without an e-mail or a share they are skipped"
    assert 1003 in {one.plex_id for one in await client.users()}


async def test_a_stray_401_on_a_create_is_no_missing_right(client: Overseerr, overseerr: OverseerrWorld) -> None:
    overseerr.faults.add("/api/v1/request", "status", status=401, method="POST")
    with pytest.raises(UpstreamFailed) as failed:
        await client.create_request("movie", 603, seasons=(), is_4k=False, as_user=None)
    assert not isinstance(failed.value, RequestRefused)
    assert overseerr.rows_of("movie", 603) == []


@pytest.mark.parametrize(
    ("kind", "more", "raised", "code"),
    [
        ("html", {}, WrongAddress, "overseerr_wrong_address"),
        ("truncated", {}, Unreadable, "unreadable"),
        ("empty", {}, Unreadable, "unreadable"),
        ("status", {"status": 401}, KeyRefused, "overseerr_key_refused"),
        ("status", {"status": 403}, KeyRefused, "overseerr_key_refused"),
        ("status", {"status": 429, "headers": {"Retry-After": "7"}}, Busy, "overseerr_busy"),
        ("status", {"status": 500}, ServerError, "overseerr_error"),
        ("status", {"status": 503}, Unreachable, "gateway_down"),
        ("answer", {"status": 307, "headers": {"Location": "/login"}}, WrongAddress, "overseerr_wrong_address"),
        ("answer", {"status": 200, "content_type": "application/json", "body": b"[1]"}, UpstreamFailed, "unreadable"),
        ("reset", {}, Unreachable, "broken_off"),
        ("slow", {"seconds": 3}, Unreachable, "timed_out"),
    ],
)
async def test_each_kind_of_trouble_has_a_name_and_a_sentence(
    client: Overseerr, overseerr: OverseerrWorld, kind: str, more: dict[str, Any], raised: type[Exception], code: str
) -> None:
    overseerr.faults.add("/api/v1/request", kind, times=None, **more)
    with pytest.raises(raised) as error:
        await client.count()
    assert isinstance(error.value, UpstreamFailed)
    assert error.value.code == code
    assert overseerr.api_key not in error.value.message
    assert error.value.message.endswith(".")


async def test_a_wrong_address_and_a_dead_one(http: HttpClient, overseerr: OverseerrWorld) -> None:
    with pytest.raises(WrongAddress):
        await Overseerr(http, overseerr.url + "/overseerr", "k").public_settings()
    with pytest.raises(KeyRefused):
        await Overseerr(http, overseerr.url, "wrong").me()
    overseerr.off()
    with pytest.raises(Unreachable) as error:
        await Overseerr(http, overseerr.url, "k").status()
    assert error.value.code == "refused"


def test_numbers_nobody_knows_and_hostile_values_are_taken_calmly() -> None:
    media = media_info(
        {
            "id": "5", "tmdbId": None, "status": 99, "status4k": "x", "seasons": [None, {"seasonNumber": "1", "status": 8}],
            "ratingKey": "../1", "downloadStatus": [{"size": 0, "sizeLeft": 9}], "requests": [{"id": 0}, 3],
        }
    )  # fmt: skip
    assert media is not None
    assert (media.status, media.rating_key, media.requests, dict(media.seasons)) == (
        MediaState.UNKNOWN, None, (), {1: MediaState.UNKNOWN},
    )  # fmt: skip
    assert media.downloads[0].percent == 0
    row = request_row({"id": 1, "status": 17, "createdAt": "soon", "requestedBy": "me", "seasons": None})
    assert row is not None
    assert (row.status, row.created_at, row.requested_by_id) == (RowState.UNKNOWN, None, None)
    assert request_row([]) is None
    assert media_info({"id": 10**30}) is None
    details = title_details(
        {"id": 1, "name": "x" * 9000, "posterPath": "https://evil.example/x.png", "genres": {}, "credits": [],
         "externalIds": [], "contentRatings": None, "episodeRunTime": ["long"], "firstAirDate": "2020-13-45"},
        "tv",
    )  # fmt: skip
    assert details is not None
    assert (len(details.title), details.poster_path, details.certification, details.year) == (500, None, "", None)


async def test_a_server_that_is_down_is_left_alone_until_one_trial_succeeds(
    http: HttpClient, overseerr: OverseerrWorld
) -> None:
    now, told = [0.0], []
    breaker = Breaker("Overseerr", 3, 30, counts_slow=True, clock=lambda: now[0])
    breaker.on_change(lambda: told.append(breaker.state.is_open))
    client = Overseerr(GuardedClient(http, breaker), overseerr.url, overseerr.api_key)
    for status in (401, 403, 404, 429, 500):  # answers of a server that is there
        overseerr.faults.add("/api/v1/request", "status", times=3, status=status)
        for _ in range(3):
            with pytest.raises((UpstreamFailed, NotFound)):
                await client.count()
    assert not breaker.state.is_open
    for kind, more in (("html", {}), ("truncated", {}), ("status", {"status": 502})):
        overseerr.faults.add("/api/v1/request", kind, **more)
        with pytest.raises(UpstreamFailed):
            await client.count()
    assert (breaker.state.is_open, breaker.state.failures, breaker.state.paused_s) == (True, 3, 30)
    seen = len(overseerr.calls)
    with pytest.raises(Unreachable) as paused:
        await client.count()
    assert (paused.value.code, len(overseerr.calls)) == ("service_paused", seen)
    now[0] = 31
    overseerr.faults.add("/api/v1/request", "status", status=504)
    with pytest.raises(Unreachable):
        await client.count()
    assert breaker.state.paused_s == 30, "a trial that fails begins the time anew"
    now[0] = 62
    overseerr.faults.add("/api/v1/request", "slow", seconds=0.3)
    results = await asyncio.gather(*(client.count() for _ in range(5)), return_exceptions=True)
    assert [type(one).__name__ for one in results] == ["RequestCounts"] + ["Unreachable"] * 4, "one trial at a time"
    assert not breaker.state.is_open
    assert told == [True, False]


async def test_an_administrator_resets_it_and_who_goes_away_leaves_the_trial_to_others(
    http: HttpClient, overseerr: OverseerrWorld
) -> None:
    now = [0.0]
    breaker = Breaker("Overseerr", 1, 30, clock=lambda: now[0])
    client = Overseerr(GuardedClient(http, breaker), overseerr.url, overseerr.api_key)
    overseerr.faults.add("/api/v1/request", "slow", seconds=3)
    with pytest.raises(Unreachable):
        await client.count()
    assert not breaker.state.is_open, "slow is not down where a breaker does not say so"
    overseerr.off()
    with pytest.raises(Unreachable):
        await client.count()
    overseerr.on()
    breaker.reset()
    assert (await client.count()).total == 0
    breaker.failed()
    now[0] = 31
    overseerr.faults.add("/api/v1/request", "slow", seconds=3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await client.count()
    assert (await client.count()).total == 0
