"""Before a link is added its preview says what it counts, what is left of the hour and the room, and whether somebody must say yes."""

from __future__ import annotations

import pytest

from medianest.accounts.model import User
from medianest.accounts.people.model import PersonChange, QuotaChange
from medianest.app import Application
from medianest.downloads.model import DownloadKind, Preview
from tests.accounts.people.house import owner, person, signed_in
from tests.harness.application import Visit, csrf_of

LINK = "https://videos.example/list"
GB = 1024**3


@pytest.fixture
async def seen(application: Application) -> Preview:
    """A list of 60 videos that was looked at before, so that no worker is needed."""
    found = Preview(url=LINK, kind=DownloadKind.PLAYLIST, title="Sixty", items_total=60, quota_cost=1)
    application.downloads.service._previews._kept[LINK] = (10**12, found)
    return found


async def preview_of(application: Application, visit: Visit, name: str) -> str:
    client = await signed_in(application, visit, name)
    token = csrf_of((await client.get("/downloads")).text)
    answer = await client.post(
        "/downloads/preview", data={"url": LINK}, headers={"X-CSRF-Token": token, "HX-Request": "true"}
    )
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_what_a_link_counts_is_said_before_it_is_added(
    application: Application, visit: Visit, seen: Preview
) -> None:
    _client, ada = await owner(application, visit)
    await _make(application, ada, "ben", per_hour=5, room=10 * GB)
    text = await preview_of(application, visit, "ben")
    assert "Counts as 3 of your 5 downloads an hour; 5 are left." in text
    assert "GB in the library are free." in text
    assert "grown-up" not in text
    await _make(application, ada, "cat", per_hour=2)
    assert "A list this long takes the whole hour." in await preview_of(application, visit, "cat")
    await _make(application, ada, "mia", is_child=True, per_hour=5)
    assert "A grown-up has to say yes before it starts." in await preview_of(application, visit, "mia")


async def _make(
    application: Application, ada: User, name: str, *, per_hour: int, room: int = -1, is_child: bool = False
) -> None:
    made = await person(application, name, ada, is_child=is_child)
    change = PersonChange(quotas=QuotaChange(downloads_per_hour=per_hour, storage_bytes=room))
    await application.people.change(made.id, change, by=ada)
