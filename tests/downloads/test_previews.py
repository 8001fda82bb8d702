"""Looking at a link before adding it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.downloads.model import DownloadKind
from medianest.errors import Invalid, UpstreamFailed
from tests.downloads.running_queue import Queue

URL = "http://site.test/video?id=p&title=Rice"


async def test_a_preview_tells_what_the_link_leads_to(still_queue: Queue, ana: User) -> None:
    preview = await still_queue.service.preview(URL, ana)
    assert (preview.title, preview.kind, preview.duration_s, preview.uploader) == (
        "Rice",
        DownloadKind.VIDEO,
        20,
        "Ana",
    )
    assert preview.existing is None
    assert preview.thumbnail is not None
    name = preview.thumbnail.removeprefix("/pictures/")
    assert still_queue.parts.pictures.read(name)[1] == "image/jpeg"


async def test_many_who_ask_at_once_cause_one_look(still_queue: Queue, ana: User, tmp_path: Path) -> None:
    counter = tmp_path / "looks"
    url = f"{URL}&counter={counter}"
    found = await asyncio.gather(*(still_queue.service.preview(url, ana) for _ in range(5)))
    assert len({preview.title for preview in found}) == 1
    await still_queue.service.preview(url, ana)
    assert counter.read_text() == "x"


async def test_a_row_begins_with_what_the_preview_told(still_queue: Queue, ana: User) -> None:
    await still_queue.service.preview(URL, ana)
    download = await still_queue.add(URL, ana)
    assert (download.title, download.uploader, download.duration_s) == ("Rice", "Ana", 20)
    assert download.thumbnail is not None


async def test_a_preview_points_to_what_is_there_already(still_queue: Queue, ana: User, ben: User) -> None:
    download = await still_queue.add(URL, ana)
    assert (await still_queue.service.preview(URL, ana)).existing == download.id
    assert (await still_queue.service.preview(URL, ben)).existing is None


@pytest.mark.parametrize(
    ("kind", "error"),
    [("unsupported", Invalid), ("gone", Invalid), ("transient", UpstreamFailed), ("live", UpstreamFailed)],
)
async def test_a_preview_that_fails_says_why(still_queue: Queue, ana: User, kind: str, error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        await still_queue.service.preview(f"http://site.test/fail?class={kind}", ana)
    assert str(raised.value).endswith(".")


async def test_a_private_address_is_not_even_looked_at(still_queue: Queue, ana: User) -> None:
    with pytest.raises(Invalid):
        await still_queue.service.preview("http://192.168.0.1/", ana)
    assert still_queue.parts.pool.size == 0
