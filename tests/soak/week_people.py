"""What people do on each day, and how the queue stands in its evening."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.harness.downloads import add, wait_for
from tests.harness.processes import wait_until
from tests.soak.week_script import BAD, BUSY, BUSY_CLIP, CALM, CLUB, DIARY, FILM, GOOD, NEWS, PREMIERE, REFUSED, SID
from tests.soak.week_town import BEN, BENS_PASSWORD, Town

ENGINE = "/api/v1/system/engine"
DAY_S = 24 * 3600


def follow(client: httpx.Client, url: str, **more: Any) -> int:
    """Follow a list; the number of the subscription."""
    answer = client.post("/api/v1/subscriptions", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def until_yt_dlp(owner: httpx.Client, version: str) -> None:
    def runs() -> bool:
        return bool(owner.get(ENGINE).json()["current"]["version"] == version)

    wait_until(runs, timeout_s=150, what=f"yt-dlp {version}", every_s=0.5)


def link_to_diary(town: Town) -> str:
    return town.site.url(f"/wall/private/{DIARY.name}?opens={SID[::-1]}&date=2026{DIARY.date}", host=CLUB)


def moves_in(town: Town) -> None:
    """The Saturday before: who is there, and what they follow."""
    with town.owner() as owner:
        owner.put("/api/v1/queue-settings", json={"free_space_floor_bytes": 0}).raise_for_status()
        made = owner.post("/api/v1/users", json={"username": BEN}).raise_for_status().json()
        with town.server.client(BEN, made["password"]) as first:
            chosen = {"current_password": made["password"], "new_password": BENS_PASSWORD}
            first.post("/api/v1/me/password", json=chosen).raise_for_status()
        keep = {"rule": "newest", "number": 2}
        follow(owner, town.list_of("kitchen"), take_old="last", old_number=3, keep=keep)
        follow(owner, town.list_of("news"))
    with town.ben() as ben:
        follow(ben, town.list_of("garden"))


def monday(town: Town) -> None:
    """The good yt-dlp came in the night."""
    with town.ben() as ben:
        add(ben, town.list_of("songs"), layout="season")
    with town.owner() as owner:
        until_yt_dlp(owner, GOOD)


def tuesday(town: Town) -> None:
    with town.ben() as ben:
        number = add(ben, link_to_diary(town))["id"]
        release = int(time.time()) + 2 * DAY_S - 60
        where = f"date=2026{PREMIERE.date}&release={release}&file={town.folder}/open.json"
        premiere = add(ben, town.site.url(f"/wall/upcoming/{PREMIERE.name}?{where}", host=CLUB))["id"]
        assert wait_for(ben, number, ("waiting",))["reason_code"] == "needs_sign_in"
        assert wait_for(ben, premiere, ("waiting",))["reason_code"] == "upcoming"


def wednesday(town: Town) -> None:
    """Ben takes a video out that the list goes on showing, and pauses his channel; a site asks for peace."""
    with town.ben() as ben, town.owner() as owner:
        [garden] = ben.get("/api/v1/subscriptions").json()["items"]
        wait_until(lambda: filed(town, "roses"), timeout_s=60, what="the roses")
        ben.patch(f"/api/v1/subscriptions/{garden['id']}", json={"state": "paused"}).raise_for_status()
        [monday_news] = town.rows("SELECT id FROM download_history WHERE video_id = 'monday'")
        owner.delete(f"/api/v1/history/{monday_news['id']}").raise_for_status()
        town.site.forget()  # from now on nobody asks for it
        trouble = "fail=1,2&fail_status=429&retry_after=7200"
        add(
            ben,
            town.site.url(
                f"/clip/{BUSY_CLIP.name}.mp4?length={BUSY_CLIP.length_s}&{trouble}{BUSY_CLIP.ending}", host=BUSY
            ),
        )
        add(ben, town.site.url(CALM.page, host=BUSY))
        for link in REFUSED:
            add(ben, town.site.url(link))


def thursday(town: Town) -> None:
    """The bad yt-dlp came in the night; the premiere begins."""
    town.write("open", [PREMIERE.name])
    with town.owner() as owner:
        until_yt_dlp(owner, BAD)
        town.show(4)
        [news] = [one for one in owner.get("/api/v1/subscriptions").json()["items"] if "news" in one["url"]]
        owner.post(f"/api/v1/subscriptions/{news['id']}/check").raise_for_status()
        until_yt_dlp(owner, GOOD)
        assert owner.get(ENGINE).json()["history"][0]["way"] == "automatic_rollback"


def friday(town: Town) -> None:
    """Plex is off; the cookies come."""
    lines = f"# Netscape HTTP Cookie File\n{CLUB}\tFALSE\t/\tFALSE\t0\tsid\t{SID}\n"
    with town.owner() as owner:
        owner.put(f"/api/v1/cookies/{CLUB}", json={"cookies": lines}).raise_for_status()


def saturday(town: Town) -> None:
    with town.ben() as ben:
        add(ben, town.site.url(FILM.page), layout="film")
        add(ben, town.site.url(NEWS[5][0].page))  # it is there, by way of somebody else


def filed(town: Town, video: str) -> bool:
    return bool(town.rows("SELECT id FROM download_history WHERE video_id = :v AND filed_at IS NOT NULL", v=video))


DAYS: dict[int, Callable[[Town], None]] = {
    0: moves_in, 1: monday, 2: tuesday, 3: wednesday, 4: thursday, 5: friday, 6: saturday,
}  # fmt: skip
