"""People's pictures: from Plex through us, or uploaded."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.database import fetch
from tests.accounts.plex.conftest import Enter, row_of
from tests.harness.application import Visit, csrf_of, sign_in
from tests.plex import PlexWorld
from tests.plex.plex_tv import png

PNG = png((10, 20, 30))
JPEG = b"\xff\xd8\xff\xe0" + b"0" * 100
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"0" * 100


@pytest.fixture
async def ada(house: Application, visit: Visit) -> httpx.AsyncClient:
    client = visit(house)
    await sign_in(client)
    return client


async def upload(
    client: httpx.AsyncClient, content: bytes, name: str = "me.png", kind: str = "image/png"
) -> httpx.Response:
    token = csrf_of((await client.get("/settings")).text)
    return await client.post("/settings/picture", data={"_csrf": token}, files={"picture": (name, content, kind)})


def folder(house: Application) -> Path:
    return house.settings.data_dir / "people"


async def test_the_picture_at_plex_is_fetched_by_us(
    house: Application, enter: Enter, visit: Visit, plex: PlexWorld
) -> None:
    browser = await enter(house, plex.friend)
    page = (await browser.client.get("/")).text
    address = re.search(r'<img src="(/people/\d+/picture\?v=[^"]+)"', page)
    assert address
    assert plex.url not in page
    answer = await browser.client.get(address[1])
    assert answer.content.startswith(b"\x89PNG")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private")
    assert "sandbox" in answer.headers.get_list("content-security-policy")[0]
    plex.calls.clear()
    assert (await browser.client.get(address[1])).status_code == 200
    assert plex.calls == []  # kept
    assert (await visit(house).get(address[1])).status_code == 303  # only for people who are signed in


async def test_no_token_goes_along_for_a_picture(house: Application, enter: Enter, plex: PlexWorld) -> None:
    browser = await enter(house, plex.friend)
    plex.calls.clear()
    await browser.client.get(f"/people/{(await browser.me())['id']}/picture")
    asked = [call for call in plex.calls if "avatar" in call.path]
    assert len(asked) == 1
    assert not asked[0].token


async def test_a_picture_elsewhere_is_fetched_from_the_internet_only(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    browser = await enter(house, plex.friend)
    user_id = (await browser.me())["id"]
    from medianest.accounts.pictures import plex_picture_name

    for thumb in (
        plex.server_url + "/photo.png", "http://169.254.169.254/latest", "http://127.0.0.1:1/x", "file:///etc/passwd",
        "http://[::1]/x", "//evil", "http://user@127.0.0.1/",
    ):  # fmt: skip
        await fetch("UPDATE plex_accounts SET thumb = {}", thumb)
        await fetch("UPDATE users SET picture = {} WHERE id = {}", plex_picture_name(thumb), user_id)
        plex.calls.clear()
        assert (await browser.client.get(f"/people/{user_id}/picture")).status_code == 404
        assert plex.calls == []


async def test_what_is_no_picture_is_not_handed_out(house: Application, enter: Enter, plex: PlexWorld) -> None:
    browser = await enter(house, plex.friend)
    address = f"/people/{(await browser.me())['id']}/picture"
    plex.faults.add("/users/", "html", times=1)
    assert (await browser.client.get(address)).status_code == 404
    assert not list(folder(house).glob("p*"))
    assert (await browser.client.get(address)).status_code == 404  # not asked for again at once
    assert (await browser.client.get("/people/999/picture")).status_code == 404


@pytest.mark.parametrize(("content", "kind"), [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")])
async def test_a_local_person_uploads_one(
    house: Application, ada: httpx.AsyncClient, content: bytes, kind: str
) -> None:
    assert (await upload(ada, content, "../../x.svg", "image/svg+xml")).status_code == 303
    user_id = (await ada.get("/api/v1/me")).json()["user"]["id"]
    answer = await ada.get(f"/people/{user_id}/picture")
    assert answer.content == content
    assert answer.headers["content-type"] == kind
    files = [path.name for path in folder(house).iterdir()]
    assert len(files) == 1
    assert re.fullmatch(r"u[0-9a-f]{32}", files[0])
    assert (await upload(ada, PNG)).status_code == 303
    assert (await ada.get(f"/people/{user_id}/picture")).content == PNG
    assert len(list(folder(house).iterdir())) == 1  # the old one went
    token = csrf_of((await ada.get("/settings")).text)
    assert (await ada.post("/settings/picture/remove", data={"_csrf": token})).status_code == 303
    assert (await ada.get(f"/people/{user_id}/picture")).status_code == 404
    assert not list(folder(house).iterdir())


async def test_an_instance_on_another_machine_has_what_was_uploaded_here(
    house: Application, ada: httpx.AsyncClient, visit: Visit, tmp_path: Path
) -> None:
    await upload(ada, PNG)
    (tmp_path / "elsewhere").mkdir()
    settings = msgspec.structs.replace(house.settings, data_dir=tmp_path / "elsewhere")
    other = create_app(settings)
    client = visit(other)
    await sign_in(client)
    user_id = (await client.get("/api/v1/me")).json()["user"]["id"]
    assert (await client.get(f"/people/{user_id}/picture")).content == PNG
    await fetch("DELETE FROM users WHERE id = {}", user_id)
    assert await fetch("SELECT name FROM people_pictures") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "a PNG, JPEG or WebP file"),
        (b"<!doctype html><p>hello", "a PNG, JPEG or WebP file"),
        (b"GIF89a" + b"0" * 50, "a PNG, JPEG or WebP file"),
        (b"", "Choose a picture"),
        (PNG + b"0" * 1_000_000, "larger than 1 MB"),
    ],
)
async def test_anything_else_is_refused(house: Application, ada: httpx.AsyncClient, content: bytes, words: str) -> None:
    answer = await upload(ada, content)
    assert answer.status_code == 400
    assert words in answer.text
    assert not folder(house).exists()


async def test_far_too_much_is_not_even_read(ada: httpx.AsyncClient) -> None:
    assert (await upload(ada, PNG + b"0" * 3_000_000)).status_code == 413


async def test_the_picture_of_plex_people_follows_plex(house: Application, enter: Enter, plex: PlexWorld) -> None:
    browser = await enter(house, plex.friend)
    assert "follow your Plex account" in (await browser.client.get("/settings/picture")).text
    assert (await upload(browser.client, PNG)).status_code == 409
    assert str((await row_of(plex.friend))["picture"]).startswith("p")


async def test_files_that_are_nobodys_picture_are_removed(house: Application, ada: httpx.AsyncClient) -> None:
    await upload(ada, PNG)
    await ada.get("/people/1/picture")
    used = next(folder(house).iterdir())
    old, new = folder(house) / ("u" + "0" * 32), folder(house) / ("u" + "1" * 32)
    for path in (old, new):
        path.write_bytes(PNG)
    week = time.time() - 7 * 24 * 3600
    for path in (used, old):
        os.utime(path, (week, week))
    assert await house.people_pictures.clean() == "Removed 1 pictures that nobody has any more."
    assert {path.name for path in folder(house).iterdir()} == {used.name, new.name}
