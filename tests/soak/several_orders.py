"""What people order in the scenario of several instances: links of the loopback site, by themselves and in playlists."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tests.site import Site, clips

CHANNELS = ("Ana", "Ben & Co.", "Çelik", "Dana")
DAYS = ("2026-03-15", "2026-03-16", "2026-12-31")
LENGTHS_S = (1, 2, 3, 4)
SLOWEST_BYTES_S, FASTEST_BYTES_S = 40_000, 200_000  # a clip of 4 s has about 130 kB
LIST_ITEMS = (5, 15)


class Video(NamedTuple):
    """One video of the site. `source` is the file that the site sends; None when it comes in pieces or apart."""

    url: str
    length_s: int
    size_bytes: int | None = None
    is_whole: bool = True

    @property
    def source(self) -> Path | None:
        return clips.clip(self.length_s, self.size_bytes) if self.is_whole else None


class Order(NamedTuple):
    """One link that people add. `videos` has one of a single link, all of a list's otherwise."""

    url: str
    videos: tuple[Video, ...]
    people: tuple[int, ...]  # who adds it, the first one first
    is_list: bool = False


def orders(site: Site, jobs: int, people: int, chance: random.Random) -> list[Order]:
    """Orders for `jobs` rows of videos: a third of them in lists, and some links that are in a list as well."""
    made = [*_lists(site, jobs // 3, people, chance)]
    left = jobs - sum(len(order.videos) for order in made)
    again = [chance.choice(order.videos) for order in made[: left // 12]]  # also added by themselves
    for number in range(left):
        video = again[number] if number < len(again) else _single(site, number, chance)
        # now and then a second person wants the same
        who = chance.sample(range(people), k=2 if people > 1 and chance.random() < 0.15 else 1)
        made.append(Order(video.url, (video,), tuple(who)))
    chance.shuffle(made)
    return made


def slow_video(site: Site, name: str) -> Video:
    """One that takes some twenty seconds, so that somebody can change their mind."""
    url = site.url(f"/page/jsonld/{name}?length=10&size=900000&throttle=40000&uploader=Slow")
    return Video(url, 10, size_bytes=900_000)


def _lists(site: Site, jobs: int, people: int, chance: random.Random) -> Iterator[Order]:
    number = 0
    while jobs > 0:
        items = min(jobs, chance.randint(*LIST_ITEMS))
        jobs -= items
        length = chance.choice(LENGTHS_S)
        query = f"items={items}&{_page_query(length, chance)}"
        name = f"list{number}"
        videos = tuple(Video(site.url(f"/page/jsonld/{name}-{item}?{query}"), length) for item in range(1, items + 1))
        yield Order(site.url(f"/feed/pages/{name}.xml?{query}"), videos, (chance.randrange(people),), is_list=True)
        number += 1


def _single(site: Site, number: int, chance: random.Random) -> Video:
    match chance.choices(("page", "file", "hls", "dash"), weights=(12, 6, 1, 1))[0]:
        case "page":
            length = chance.choice(LENGTHS_S)
            return Video(site.url(f"/page/jsonld/video{number}?{_page_query(length, chance)}"), length)
        case "file":
            length = chance.choice(LENGTHS_S)
            return Video(site.url(f"/clip/file{number}.mp4?length={length}&throttle={_speed(chance)}"), length)
        case "hls":
            return Video(site.url(f"/hls/hls{number}/master.m3u8?length=6"), 6, is_whole=False)
        case _:
            return Video(site.url(f"/dash/dash{number}/manifest.mpd?length=4"), 4, is_whole=False)


def _page_query(length_s: int, chance: random.Random) -> str:
    channel, day = quote(chance.choice(CHANNELS)), chance.choice(DAYS)
    return f"length={length_s}&throttle={_speed(chance)}&uploader={channel}&date={day}T10:00:00Z"


def _speed(chance: random.Random) -> int:
    return chance.randint(SLOWEST_BYTES_S, FASTEST_BYTES_S)
