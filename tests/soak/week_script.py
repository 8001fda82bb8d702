"""The week as it is to happen: what the sites show on which day, what people do, and what the library holds in the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

LAST_DAY = 9
YEAR = 2026
PLEX_OFF = 5  # the day on which the Plex server is off
BAD_DAY = 4  # the day that begins with a bad yt-dlp
GOOD, BAD = "2027.01.15", "2027.02.01"  # versions of yt-dlp
BUSY, CLUB = "127.0.0.2", "127.0.0.3"  # sites of their own beside the first
SID = "membership-4711"
SLOW = "size=400000&throttle=80000"  # some five seconds, so that a kill comes in the middle
CUT = "size=400000&cut=150000"  # every connection breaks


class Video(NamedTuple):
    """One video of the sites, and where it belongs in the library."""

    name: str
    show: str
    date: str  # MMDD
    title: str
    length_s: int = 2
    trouble: str = ""  # of its page and its media
    number: str = ""  # as an episode; by its date when left out
    picture: bool = True

    @property
    def page(self) -> str:
        """Path of its page, with all that the page shows."""
        about = f"title={quote(self.title)}&uploader={self.show}&date={YEAR}-{self.date[:2]}-{self.date[2:]}T10:00:00Z"
        return f"/page/jsonld/{self.name}?{about}&length={self.length_s}&{self.trouble}{self.ending}"

    @property
    def ending(self) -> str:
        """The end of its address: yt-dlp takes what stands behind the last stroke as the id of a page that it does not know."""
        return f"&named=/{self.name}"

    @property
    def season(self) -> str:
        return "Season 01" if self.number else f"Season {YEAR}"

    @property
    def stem(self) -> str:
        """Its files in the library, without their endings."""
        number = self.number or f"s{YEAR}e{self.date}01"
        return f"{self.show}/{self.season}/{self.show} - {number} - {self.title} [{self.name}]"

    @property
    def files(self) -> set[str]:
        """What lies there for it alone."""
        return {f"{self.stem}.{ending}" for ending in ("mp4", "nfo", *(["jpg"] if self.picture else []))}

    @property
    def show_files(self) -> set[str]:
        """What lies there for its whole show and season."""
        pictures = ("poster.jpg", "fanart.jpg", f"{self.season}/{self.season.replace(' ', '')}.jpg")
        return {f"{self.show}/{name}" for name in ("tvshow.nfo", *(pictures if self.picture else ()))}


# a series that has ended; who follows it keeps its newest two
KITCHEN = [
    Video("soup", "Kitchen", "0301", "A soup"),
    Video("bread", "Kitchen", "0302", "Fresh bread", 3),
    Video("cake", "Kitchen", "0303", "A cake for Sunday"),
]
# what appears on which day
NEWS: Mapping[int, list[Video]] = {
    1: [Video("monday", "News", "0401", "Monday in short", 3, SLOW)],
    2: [Video("tuesday", "News", "0402", "Tuesday in short", 2, SLOW)],
    3: [Video("wednesday", "News", "0403", "Wednesday in short", 3, CUT)],
    4: [
        Video("thursday", "News", "0404", "Thursday in short"),
        Video("storm", "News", "0405", "A storm is coming", 3),
        Video("traffic", "News", "0406", "Where traffic stands"),
        Video("sports", "News", "0407", "Who has won", 3),
    ],
    5: [Video("friday", "News", "0408", "Friday in short", 2, SLOW)],
    6: [Video("saturday", "News", "0409", "Saturday in short")],
    7: [Video("sunday", "News", "0410", "Sunday in short", 3, SLOW)],
    8: [Video("again", "News", "0411", "Monday once more", 2, SLOW)],
}
# a channel, whose videos bear the name of who makes them; Ben pauses it on the third day
GARDEN: Mapping[int, list[Video]] = {
    0: [Video("winter", "Ana", "0210", "Before anybody followed", picture=False)],
    1: [Video("tulips", "Ana", "0501", "Tulips", 1, picture=False)],
    3: [Video("roses", "Ana", "0503", "Roses", 1, picture=False)],
    5: [Video("weeds", "Ana", "0505", "Weeds", 1, picture=False)],
}
# a playlist that Ben pastes, as a season of its own
SONGS = [
    Video("one", "songs", "0601", "First song", 2, SLOW, number="s01e01"),
    Video("two", "songs", "0602", "Second song", 3, number="s01e02"),
    Video("three", "songs", "0603", "Third song", 2, SLOW, number="s01e03"),
]
BUSY_CLIP = Video("busy", BUSY, "0315", "busy", picture=False)  # says 429 to whoever asks first
CALM = Video("calm", "Calm", "0701", "Waits with the busy one")
DIARY = Video("diary", "Ana (2)", "0702", "Behind private", picture=False)  # until there are cookies
PREMIERE = Video("premiere", "Ana (2)", "0703", "Behind upcoming", picture=False)  # not before the fourth day
FILM = Video("film", "", "0704", "A whole film", 3, SLOW)
FILM_FOLDER = f"Videos/{FILM.title} ({YEAR}) [{FILM.name}]"

# what goes: `monday` by Ben's own hand, `soup` by the rule of who follows it, a week after it was announced
TAKEN_OUT, RULED_OUT = NEWS[1][0], KITCHEN[0]
LEAVES = {TAKEN_OUT.name: 3, RULED_OUT.name: 8}
# what comes only once something else has happened, by the day of that
ASKED_FOR = {1: SONGS, 4: [PREMIERE], 5: [BUSY_CLIP, CALM, DIARY]}
FILM_DAY = 6


def kept(day: int) -> list[Video]:
    """Every episode that the library holds when all of `day` is done."""
    garden = {since: videos for since, videos in GARDEN.items() if since in (1, 3)}
    days = [{0: KITCHEN}, NEWS, garden, ASKED_FOR]
    came = [one for arrivals in days for since, videos in arrivals.items() if since <= day for one in videos]
    return [one for one in came if LEAVES.get(one.name, day + 1) > day]


def gone(day: int) -> list[Video]:
    """What was there before."""
    return [one for one in (TAKEN_OUT, RULED_OUT) if LEAVES[one.name] <= day]


def film(day: int) -> str:
    """The media of the film, empty before its day."""
    return f"{FILM_FOLDER}/{FILM_FOLDER.partition('/')[2]}.mp4" if day >= FILM_DAY else ""


def media(day: int) -> dict[str, int]:
    """The media of the library, and how long each is, in seconds."""
    found = {f"{one.stem}.mp4": one.length_s for one in kept(day)}
    return found | ({film(day): FILM.length_s} if film(day) else {})


def own_files(day: int) -> set[str]:
    """Every file that belongs to one video."""
    beside = {f"{FILM_FOLDER}/{name}" for name in ("movie.nfo", "poster.jpg", "fanart.jpg")} if film(day) else set()
    return set(media(day)).union(beside, *(one.files for one in kept(day)))


def files(day: int) -> set[str]:
    """Every file of the library, relative to it."""
    return own_files(day).union(*(one.show_files for one in kept(day)))


# what else was pasted, and how the queue says that it ended
REFUSED = {"/status/404": ("failed", "gone"), "/hls-live/match/media.m3u8": ("failed", "live")}


def shown_on(day: int, videos: Mapping[int, list[Video]]) -> list[Video]:
    """What a list shows on a day, newest first."""
    return [one for since in sorted(videos, reverse=True) if since <= day for one in reversed(videos[since])]
