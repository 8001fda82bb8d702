"""What is taken of a link, as a person or the owner may choose it: a typed list, and nothing else."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Quality(StrEnum):
    DEFAULT = "default"  # plays everywhere, up to 1080
    BEST = "best"
    P2160 = "2160"
    P1440 = "1440"
    P1080 = "1080"
    P720 = "720"
    P480 = "480"
    P360 = "360"


class Layout(StrEnum):
    """Where a video is filed."""

    SHOW = "show"  # an episode of its channel's show; a playlist becomes a collection in Plex
    FILM = "film"  # on its own, among the films
    SEASON = "season"  # the playlist is a show, its videos are season 1 in the order of the list


class AudioFormat(StrEnum):
    """Of a download of the sound only."""

    BEST = "best"  # as the site has it, AAC preferred: nothing is encoded again
    M4A = "m4a"
    MP3 = "mp3"
    OPUS = "opus"


class Place(StrEnum):
    """Where subtitles and pictures are kept."""

    BESIDE = "beside"  # a file of its own next to the video
    EMBEDDED = "embedded"
    BOTH = "both"


class SponsorBlock(StrEnum):
    """What becomes of passages that the SponsorBlock community has marked as advertising."""

    OFF = "off"
    MARK = "mark"  # as chapters
    CUT = "cut"


class Live(StrEnum):
    """What happens with a broadcast that goes on right now."""

    REFUSE = "refuse"
    RECORD = "record"  # from now on, until somebody or the cap ends it
    REPLAY = "replay"  # wait until it is over and take the whole of it


LANGUAGES_LENGTH = 120
MOST_LANGUAGES = 10


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What one download wants. None follows the owner's defaults."""

    layout: Layout | None = None
    subtitles: str | None = None  # languages with commas such as "en,de"; empty takes none
    automatic_subtitles: bool | None = None  # also those that a machine wrote
    subtitle_place: Place | None = None
    chapters: bool | None = None
    sponsorblock: SponsorBlock | None = None
    picture_place: Place | None = None
    audio_format: AudioFormat | None = None
    live: Live | None = None


_NAMES = Wishes.__struct_fields__


def wishes_of(source: Wishes) -> Wishes:
    """Only the wishes of what may be more than that."""
    return Wishes(**{name: getattr(source, name) for name in _NAMES})


def to_text(wishes: Wishes) -> str:
    """As a row keeps them: what follows the defaults is left out."""
    return msgspec.json.encode(
        {name: value for name in _NAMES if (value := getattr(wishes, name)) is not None}
    ).decode()


def from_text(text: str) -> Wishes:
    """The wishes of a row; what an older or newer version wrote and nobody understands is left out."""
    try:
        return msgspec.json.decode(text or "{}", type=Wishes)
    except msgspec.DecodeError:
        return Wishes()


def languages_of(text: str) -> list[str]:
    """The languages of a comma list, in its order, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def are_languages(text: str) -> bool:
    """Whether it is a comma list of at most ten codes such as `en` and `pt-BR`."""
    codes = languages_of(text)
    return len(codes) <= MOST_LANGUAGES and all(
        len(code) <= 12 and code.isascii() and code.replace("-", "").isalnum() for code in codes
    )
