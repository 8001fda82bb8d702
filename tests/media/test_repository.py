"""What is remembered of titles, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from medianest.database import Engine, fetch, is_postgres
from medianest.media.model import Availability, CastMember, MediaType, Season, Title, TitleKey
from medianest.media.repository import MOST_OPEN, SELECT, MediaRepository
from tests.harness.databases import ENGINES

NOW = datetime(2026, 3, 15, 12, 30, 1, 123456, tzinfo=UTC)
SHOW = Title(
    media_type=MediaType.TV, tmdb_id=1399, title="Harbour Lights", original_title="Hafenlicht", year=2011, overview="Nine families.",
    poster_path="/p.jpg", backdrop_path="/b.jpg", genres=("Drama", "Œuvre"), score=8.4, certification="de/12", age=12,
    runtime_min=55, release_date="2011-04-17",
    seasons=(Season(number=1, title="Season 1", episodes=10, episodes_there=3, availability=Availability.PARTIAL, rating_key="9"),),
    cast=(CastMember(name="Ole Brandt", character="Ole"),), availability=Availability.PARTIAL,
    availability_4k=Availability.REQUESTED, plex_rating_key="8", imdb_id="tt1", tvdb_id=7, media_id=4, is_blocklisted=True,
    is_whole=True, fetched_at=NOW,
)  # fmt: skip


@pytest.fixture(params=ENGINES)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Both engines."""
    return str(request.param)


async def test_a_title_comes_back_as_it_was_put(database: Engine) -> None:
    rows = MediaRepository()
    await rows.put(SHOW, at=NOW, missing_since=NOW, server_id="m")
    found = await rows.find(SHOW.key)
    assert found is not None
    assert (found.title, found.missing_since, found.server_id) == (SHOW, NOW, "m")
    bare = Title(media_type=MediaType.MOVIE, tmdb_id=1399, title="Harbour", fetched_at=NOW)
    await rows.put(bare, at=NOW)
    changed = replace(SHOW, title="Lights", seasons=(), availability=Availability.AVAILABLE)
    await rows.put(changed, at=NOW)
    known = await rows.known([SHOW.key, bare.key, TitleKey(MediaType.MOVIE, 2)])
    assert {key: one.title for key, one in known.items()} == {SHOW.key: changed, bare.key: bare}
    assert [one.title for one in await rows.open()] == [bare]
    assert await rows.certifications([SHOW.key, bare.key]) == {SHOW.key: "de/12"}


async def test_every_question_has_an_index(database: Engine) -> None:
    rows = MediaRepository()
    for number in range(1, 2001):
        there = Availability.AVAILABLE if number % 50 else Availability.NONE
        await rows.put(replace(SHOW, tmdb_id=number, availability=there, seasons=(), cast=()), at=NOW)
    if is_postgres():
        await fetch("ANALYZE media_items")
    explain = "EXPLAIN " if is_postgres() else "EXPLAIN QUERY PLAN "
    for question in (
        f"{SELECT}WHERE media_type = 'tv' AND tmdb_id IN (3, 5, 900)",
        f"{SELECT}WHERE availability IN ('none', 'requested', 'processing', 'partial', 'unknown') "
        f"ORDER BY seen_at DESC LIMIT {MOST_OPEN}",
    ):
        plan = "\n".join(str(one) for row in await fetch(explain + question) for one in row.values())
        assert "Seq Scan" not in plan, plan
        assert "SCAN media_items" not in plan, plan
