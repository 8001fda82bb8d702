"""Following by the API and by plain forms, with real yt-dlp reading a feed that grows; who may do what."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.database import Engine, fetch
from medianest.settings import AllowList, Settings
from tests.accounts.people.house import owner, person, signed_in
from tests.harness.application import Visit, csrf_of
from tests.site import Site
from tests.site.channels import write

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


@pytest.fixture
async def application(database: Engine, settings: Settings, cheap_passwords: None) -> AsyncIterator[Application]:
    """Its links may point at the test site; nothing runs beside it."""
    made = create_app(msgspec.structs.replace(settings, allow_private_downloads=AllowList(networks=("127.0.0.1/32",))))
    yield made
    await made.downloads.pool.stop()


class Town:
    """Ada looks after the house, ana follows a feed, ben and the child mia look on."""

    def __init__(self, application: Application, site: Site, folder: Path) -> None:
        self.application = application
        self.file = folder / "feed.json"
        self.url = site.url(f"/growing/show.xml?file={self.file}")
        self.clients: dict[str, httpx.AsyncClient] = {}
        self.put("b", "a")

    def put(self, *items: Any) -> None:
        write(self.file, items=list(items))

    async def fill(self, visit: Visit) -> None:
        self.clients["ada"], ada = await owner(self.application, visit)
        for name in ("ana", "ben", "mia"):
            await person(self.application, name, ada, is_child=name == "mia")
            self.clients[name] = await signed_in(self.application, visit, name)

    async def form(self, name: str, path: str, **values: Any) -> httpx.Response:
        """Send a form as a browser without script does, from the list of subscriptions."""
        token = csrf_of((await self.clients[name].get("/subscriptions")).text)
        return await self.clients[name].post(path, data={"_csrf": token, **values})


@pytest.fixture
async def town(application: Application, visit: Visit, site: Site, tmp_path: Path) -> Town:
    made = Town(application, site, tmp_path)
    await made.fill(visit)
    return made


async def test_a_program_follows_a_feed_from_the_dry_run_to_the_end(town: Town) -> None:
    ana, api = town.clients["ana"], "/api/v1/subscriptions"
    shown = (await ana.post(f"{api}/preview", json={"url": town.url, "take_old": "all"})).json()
    assert (shown["title"], shown["items_total"], shown["takes"], shown["existing"]) == ("show", 2, 2, None)
    made = await ana.post(api, json={"url": town.url, "interval_minutes": 60, "filters": {"without": "advert"}})
    assert (made.status_code, made.json()["title"], made.json()["counts"]["known"]) == (201, "show", 2)
    assert (await ana.post(api, json={"url": town.url})).status_code == 200  # twice is once
    one = f"{api}/{made.json()['id']}"
    town.put({"id": "d", "title": "An advert"}, "c", "b", "a")
    shown = (await ana.post(f"{one}/dry-run", json={})).json()
    assert (shown["takes"], shown["left_out"]) == (1, {"words": 1})
    assert (await ana.post(f"{one}/check")).status_code == 200
    await town.application.subscriptions.checker.drain()
    found = (await ana.get(one)).json()
    assert (found["outcome"], found["counts"]["queued"], found["newest_title"]) == ("found", 1, "An advert")
    assert [row["title"] for row in await fetch("SELECT title FROM download_queue")] == ["Item c"]
    items = (await ana.get(f"{one}/items", params={"state": "known"})).json()
    assert (items["total"], items["items"][0]["reason"]) == (3, "words")
    taken = await ana.post(f"{one}/items/{items['items'][0]['id']}/download")
    assert (taken.status_code, taken.json()["state"]) == (200, "queued")
    ignored = await ana.post(f"{one}/items/{items['items'][1]['id']}/ignore")
    assert ignored.json()["state"] == "ignored"
    paused = await ana.patch(one, json={"state": "paused", "title": "Mine", "keep": {"rule": "days", "number": 7}})
    assert (paused.json()["state"], paused.json()["title"], paused.json()["keep"]) == (
        "paused",
        "Mine",
        {"rule": "days", "number": 7},
    )
    assert (await ana.post(f"{one}/check")).status_code == 409
    wrong = await ana.patch(one, json={"filters": {"pattern": "("}})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "pattern")
    assert [one["id"] for one in (await ana.get(api)).json()["items"]] == [found["id"]]
    assert (await town.clients["ben"].get(api)).json()["total"] == 0
    assert (await town.clients["ben"].get(one)).status_code == 404
    assert (await town.clients["ada"].get(one)).json()["owner_name"] == "ana"
    assert (await ana.delete(one)).status_code == 204
    await town.application.subscriptions.checker.drain()
    assert await fetch("SELECT id FROM download_queue") == []


async def test_a_link_that_is_no_list_says_what_to_do_instead(town: Town, site: Site) -> None:
    ana, api = town.clients["ana"], "/api/v1/subscriptions"
    for url, code in (
        (site.url("/page/jsonld/one"), "single_video"), (site.url("/page/plain/x"), "unsupported"), ("ftp://a.test/", "link_not_http"),
        ("https://www.youtube.com/playlist?list=RDabc", "endless_list"), ("", "invalid"),
    ):  # fmt: skip
        refused = await ana.post(api, json={"url": url})
        assert (refused.status_code, refused.json()["code"]) == (400, code), url
    limited = await ana.post(f"{api}/preview", json={"url": site.url("/status/429")})
    assert (limited.status_code, limited.json()["code"]) == (502, "site_paused")
    refused = await town.clients["mia"].post(api, json={"url": town.url})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")


async def test_everything_is_done_by_plain_forms(town: Town) -> None:
    ana = town.clients["ana"]
    page = (await ana.get("/subscriptions", params={"url": town.url})).text
    assert "You follow nothing yet" in page
    assert f'value="{town.url}"' in page
    shown = await town.form("ana", "/subscriptions/preview", url=town.url, take_old="all")
    assert (shown.status_code, "2 videos are taken now" in shown.text) == (200, True)
    made = await town.form("ana", "/subscriptions", url=town.url, take_old="last", keep="newest", keep_number="5")
    assert made.status_code == 303
    here = made.headers["location"]
    await town.application.subscriptions.checker.drain()
    page = (await ana.get(here)).text
    assert page.count('class="follow-item"') == 2
    assert (await ana.get(here + "/card")).text.count("Item b") == 1
    settings = {
        "title": "My show", "interval_minutes": "1440", "quality": "480", "priority": "low", "keep": "days", "keep_number": "30",
        "words": "rice", "min_minutes": "1,5", "shorts": "true", "since": "2026-03-01",
    }  # fmt: skip
    assert (await town.form("ana", here, **settings)).status_code == 303
    [row] = await fetch("SELECT title, interval_s, quality, priority, keep_rule, keep_number FROM subscriptions")
    assert tuple(row.values()) == ("My show", 86400, "480", 2, "days", 30)
    wrong = await town.form("ana", here, **{**settings, "pattern": "[", "max_minutes": "many"})
    assert (wrong.status_code, 'value="["' in wrong.text, 'id="max_minutes-error"' in wrong.text) == (400, True, True)
    town.put({"id": "r", "title": "Rice"}, {"id": "s", "title": "Soup"}, "b", "a")
    tried = await town.form("ana", f"{here}/dry-run", **settings)
    assert "The next check would take 1 video." in tried.text
    for verb in ("pause", "resume", "check"):
        answer = await town.form("ana", f"{here}/{verb}", back=here)
        assert (answer.status_code, answer.headers["location"]) == (303, here)
    item = re.search(r'id="item-(\d+)"', (await ana.get(here, params={"show": "queued"})).text)
    assert item
    refused = await town.form("ana", f"{here}/items/{item[1]}/ignore")
    assert refused.status_code == 409
    assert "2 videos that wait are taken off the queue" in (await ana.get(f"{here}/delete")).text
    assert (await town.form("ben", f"{here}/delete")).status_code == 404
    assert (await town.form("ana", f"{here}/delete")).status_code == 303
    assert "You follow nothing yet" in (await ana.get("/subscriptions")).text


async def test_many_old_videos_are_asked_about_in_the_form(town: Town) -> None:
    town.put(*(f"v{number}" for number in range(30)))
    asked = await town.form("ana", "/subscriptions", url=town.url, take_old="all")
    assert (asked.status_code, 'name="confirmed"' in asked.text) == (409, True)
    assert (await town.form("ana", "/subscriptions", url=town.url, take_old="all", confirmed="true")).status_code == 303


async def test_subscriptions_end_with_their_person_and_the_page_says_so(town: Town) -> None:
    made = await town.clients["ana"].post("/api/v1/subscriptions", json={"url": town.url})
    assert made.status_code == 201
    ana = made.json()["user_id"]
    assert "1 subscription ends" in (await town.clients["ada"].get(f"/people/{ana}/delete")).text
    assert (await town.clients["ada"].delete(f"/api/v1/users/{ana}")).status_code == 204
    assert await fetch("SELECT id FROM subscriptions") == []


async def test_a_list_offers_to_be_followed(town: Town) -> None:
    ana = town.clients["ana"]
    token = csrf_of((await ana.get("/downloads")).text)
    shown = await ana.post("/downloads/preview", data={"_csrf": token, "url": town.url}, headers={"HX-Request": "true"})
    assert "/subscriptions?url=http" in shown.text
    child = town.clients["mia"]
    token = csrf_of((await child.get("/downloads")).text)
    shown = await child.post(
        "/downloads/preview", data={"_csrf": token, "url": town.url}, headers={"HX-Request": "true"}
    )
    assert "/subscriptions" not in shown.text
