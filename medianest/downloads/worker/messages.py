"""What the server may say to the worker, typed: a field that is not named here is refused."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from medianest.downloads.model import Quality
from medianest.downloads.wishes import AudioFormat, Place, SponsorBlock

T = TypeVar("T")

MOST_FOUND = 10


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Walls of the process, in bytes; None sets none."""

    memory_bytes: int | None = None
    file_size_bytes: int | None = None


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first line: `allow` in the words of `AllowedAddresses.parse`, programs by path, folders of the worker's own.

    `engines` is the folder of newer yt-dlps, whose `current` is loaded; `engine` is one of them for a trial, empty for the
    one inside: then exactly that one is loaded, or none.
    """

    op: str
    allow: str = "false"
    ffmpeg: str | None = None
    ffprobe: str | None = None
    js_runtimes: dict[str, str] = {}
    cache_dir: str
    temp_dir: str
    engines: str | None = None
    engine: str | None = None
    sponsorblock_url: str = "https://sponsor.ajay.app"
    limits: Limits = Limits()


class JobOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a download can be told. Raw yt-dlp options are no part of it: they would run commands."""

    quality: Quality = Quality.DEFAULT
    audio_only: bool = False
    max_height: int | None = None  # pixels; nothing taller is taken
    rate_limit_bytes_s: int | None = None
    subtitle_languages: list[str] = []
    automatic_subtitles: bool = False  # those that a machine wrote too, where nobody wrote any
    subtitle_place: Place = Place.BESIDE
    embed_metadata: bool = True
    chapters: bool = True
    sponsorblock: SponsorBlock = SponsorBlock.OFF
    picture_place: Place = Place.BESIDE
    audio_format: AudioFormat = AudioFormat.BEST
    album: str | None = None  # tags of a sound file where the site tells none
    track: int | None = None
    record: bool = False  # a broadcast that goes on is recorded instead of refused
    record_s: int | None = None  # at most so long
    record_bytes: int | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    op: str
    url: str
    cookies: str | None = None  # as for Extract
    picture: str | None = None  # absolute path without suffix
    max_items: int = 1000
    max_height: int | None = None  # pixels; nothing taller is offered


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search by words on the one site that has one; nothing but the words comes from outside."""

    op: str
    words: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    max_items: Annotated[int, msgspec.Meta(ge=1, le=MOST_FOUND)] = MOST_FOUND


class Extract(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    op: str
    url: str
    staging: str
    cookies: str | None = None  # a Netscape cookies file of the link's site; never logged
    is_polite: bool = False  # the site is a big one: a breath between its pages too
    options: JobOptions = JobOptions()
    max_items: int = 1000


class Follow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A look at a list that is looked at again and again: what is known is left out of the reading."""

    op: str
    url: str
    cookies: str | None = None  # as for Extract
    is_polite: bool = False
    picture: str | None = None  # as for Preview
    max_items: int = 1000
    known: list[str] = []
    stop_after: int = 0  # so many known ones in a row end a list; 0 reads all of it


def read(command: dict[str, Any], kind: type[T]) -> T:
    """The command as `kind`; msgspec.ValidationError says what does not belong."""
    return msgspec.convert(command, kind)
