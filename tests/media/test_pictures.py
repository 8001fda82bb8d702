"""Pictures come through MediaNest: signed addresses only, fixed hosts, pictures only, kept on disk (SEC-05)."""

from __future__ import annotations

import asyncio
import os
import re
import time
from pathlib import Path

import httpx
import pytest

from medianest.media.picture_pages import PLACEHOLDER
from medianest.media.pictures import MediaPictures
from medianest.media.signing import PictureSigner, Source
from tests.media.house import House
from tests.plex.items import png

SIGNED = re.compile(r"/pictures/\w+/\w+/[\w-]+/[\w-]+")


async def address(house: House, name: str, source: str = "plex") -> str:
    """The poster of a film as somebody's page shows it."""
    page = await house.page(name, "/search?q=orbit")
    return next(found for found in SIGNED.findall(page) if f"/{source}/" in found)


async def fetched(house: House, name: str, path: str) -> httpx.Response:
    return await (await house.client(name)).get(path)


@pytest.fixture
def signer(house: House) -> PictureSigner:
    """The installation's own."""
    return house.application.media.pictures._signer


@pytest.mark.parametrize("source", ["plex", "tmdb"])
async def test_a_poster_is_fetched_once_and_kept(house: House, source: str) -> None:
    path = await address(house, "frida", source)
    answers = await asyncio.gather(*(fetched(house, "frida", path) for _ in range(8)))
    assert {one.status_code for one in answers} == {200}
    assert answers[0].headers["content-type"] == "image/png"
    assert answers[0].headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "sandbox" in answers[0].headers["content-security-policy"]
    assert answers[0].headers["x-content-type-options"] == "nosniff"
    calls = [one for one in house.plex.server.calls if one.path == "/photo/:/transcode"]
    assert len(calls) + len(house.pictures.asked) == 1
    if source == "plex":
        assert {name: calls[0].query[name] for name in ("width", "height", "url")} == {
            "width": "300", "height": "450", "url": house.orbit.thumb,
        }  # fmt: skip
    else:
        assert house.pictures.asked == ["/t/p/w342/orbit2.jpg"]
    # another person's address of the same picture is another one, and costs no call
    other = await address(house, "olive", source)
    assert other != path
    assert (await fetched(house, "olive", other)).content == answers[0].content
    assert len([one for one in house.plex.server.calls if one.path == "/photo/:/transcode"]) == len(calls)


async def test_an_address_is_good_for_its_person_and_nothing_else(house: House) -> None:
    path = await address(house, "frida")
    _, _, source, size, signature, name = path.split("/")
    wrong = (
        f"/pictures/{source}/backdrop/{signature}/{name}",
        f"/pictures/tmdb/{size}/{signature}/{name}",
        f"/pictures/file/{size}/{signature}/{name}",
        f"/pictures/{source}/huge/{signature}/{name}",
        f"/pictures/{source}/{size}/{signature[:-1]}A/{name}",
        f"/pictures/{source}/{size}/{signature}/{name[:-4]}AAAA",
        f"/pictures/{source}/{size}/{signature}/%F0%9F%92%A5",
        f"/pictures/{source}/{size}/x/{name}",
    )
    for one in wrong:
        assert (await fetched(house, "frida", one)).status_code == 404, one
    assert (await fetched(house, "finn", path)).status_code == 404
    nobody = await house._visit(house.application).get(path)
    assert nobody.status_code == 303
    assert [one for one in house.plex.server.calls if one.path == "/photo/:/transcode"] == []


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/x.png",
        "//evil.example/x.png",
        "/library/../etc/passwd",
        "/a\\b",
        "library/x",
        "/x://y",
        "/x\r\nHost: y",
    ],
)
async def test_plex_never_gets_an_outside_address_even_when_it_named_it_itself(
    house: House, signer: PictureSigner, path: str
) -> None:
    signed = signer.address(Source.PLEX, path, "poster", house.ids["frida"])
    assert signed is not None
    answer = await fetched(house, "frida", signed)
    assert (answer.status_code, answer.content) == (200, PLACEHOLDER)
    assert [one for one in house.plex.server.calls if one.path == "/photo/:/transcode"] == []


@pytest.mark.parametrize(
    "path", ["/../../x.jpg", "/a/b.jpg", "/x.svg", "//evil.example/x.jpg", "/x.jpg?y=1", "@evil.example/x.jpg"]
)
async def test_the_film_database_is_asked_for_names_of_pictures_only(
    house: House, signer: PictureSigner, path: str
) -> None:
    signed = signer.address(Source.TMDB, path, "poster", house.ids["frida"])
    assert signed is not None
    assert (await fetched(house, "frida", signed)).content == PLACEHOLDER
    assert house.pictures.asked == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        (200, b"<html><script>alert(1)</script></html>"),
        (200, b""),
        (404, b"\xff\xd8\xff\xe0"),
        (200, b"\x89PNG\r\n\x1a\n" + b"0" * 5_000_000),
    ],
)
async def test_what_is_no_picture_is_neither_kept_nor_handed_out(
    house: House, signer: PictureSigner, status: int, body: bytes
) -> None:
    house.pictures.answers["x.jpg"] = (status, body)
    signed = signer.address(Source.TMDB, "/x.jpg", "poster", house.ids["frida"])
    assert signed is not None
    for _ in range(3):
        answer = await fetched(house, "frida", signed)
        assert (answer.status_code, answer.content) == (200, PLACEHOLDER)
        assert answer.headers["cache-control"] == "private, max-age=120"
    assert len(house.pictures.asked) == 1  # not again at once
    folder = house.application.settings.data_dir / "cache" / "pictures"
    assert [one for one in folder.rglob("*") if one.is_file()] == []


async def test_a_title_with_a_strange_picture_shows_none(house: House) -> None:
    house.overseerr.add_movie(5, "Strange", poster="https://evil.example/x.jpg", backdrop="/../x.jpg")
    page = await house.page("frida", "/media/movie/5")
    assert "evil.example" not in page
    assert SIGNED.findall(page) == []


async def test_the_least_used_pictures_go_when_there_are_too_many(house: House, tmp_path: Path) -> None:
    one = len(png((200, 90, 60), 30, 45))
    pictures = MediaPictures(
        house.media._browsing._viewers, PictureSigner(b"k"), tmp_path / "p", house.pictures.url,
        is_tmdb_named=True, cap_bytes=3 * one,
    )  # fmt: skip
    keys = []
    for number in range(3):
        path = pictures._path(f"{number}" * 64)
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * one)
        os.utime(path, (time.time() - 10_000 + number,) * 2)
        keys.append(path)
    leaving = keys[0].parent / ".left.part"
    leaving.write_bytes(b"x")
    os.utime(leaving, (1, 1))
    assert pictures._from_disk("0" * 64) is not None  # looked at: now the newest
    signed = pictures._signer.address(Source.TMDB, "/new.jpg", "poster", 1)
    assert signed is not None
    _, _, _, size, signature, name = signed.split("/")
    assert await pictures.read(Source.TMDB, size, signature, name, 1) is not None  # writing over the cap cleans
    assert [path.exists() for path in keys] == [True, False, True]
    assert not leaving.exists()
    assert (await pictures.clean()).startswith("Removed 0 pictures")
    await pictures.close()
