"""What lies in the library folder, read from names and `.nfo` files; both may be anybody's. Blocking."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import msgspec

from medianest.downloads.filing import media_type_of
from medianest.downloads.model import LibraryFile

MEDIA_ENDINGS = frozenset((".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".ts"))
AUDIO_ENDINGS = frozenset((".m4a", ".mp3", ".opus", ".ogg", ".flac", ".aac", ".wav"))
LARGEST_NFO_BYTES = 256 * 1024
MOST_BESIDE = 40
_ID = re.compile(r"\[([A-Za-z0-9_-]{1,64})\]$")
_NUMBERS = re.compile(r"(?i)\bs(\d{4})e(\d{6,7})\b")
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")


class FoundVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video that lies in the folder; `files` are the media first, then what belongs to it."""

    site: str
    video_id: str
    title: str
    show: str
    show_key: str  # site and channel, empty where no `tvshow.nfo` says
    folder: str  # of the show or film, relative to the library
    season: int | None
    episode: int | None
    aired: date | None
    duration_s: int | None
    files: tuple[LibraryFile, ...]
    is_audio: bool

    @property
    def identity(self) -> str:
        """As the history names a video of a real site."""
        return f"{self.site}:{self.video_id}" + (":audio" if self.is_audio else "")


def media_in(root: Path) -> Iterator[Path]:
    """Every media file below `root`, in order; hidden folders and links are passed over."""
    for folder, names, files in os.walk(root, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            is_media = path.suffix.lower() in MEDIA_ENDINGS | AUDIO_ENDINGS
            if is_media and not name.startswith(".") and not path.is_symlink():
                yield path


def read_video(root: Path, path: Path) -> FoundVideo | None:
    """What a media file is; None when neither its name nor its `.nfo` tells an id."""
    is_film = path.parent.parent.name == "Videos" and path.parent.parent.parent == root
    nfo = read_nfo(path.with_suffix(".nfo")) or (read_nfo(path.parent / "movie.nfo") if is_film else None) or {}
    named = _ID.search(path.stem)
    video_id = nfo.get("id") or (named[1] if named else "")
    site = nfo.get("site") or ("youtube" if _YOUTUBE_ID.fullmatch(video_id) else "")
    if not video_id or not site:
        return None
    folder = path.parent if is_film or not path.parent.name.lower().startswith("season") else path.parent.parent
    show = {} if is_film else read_nfo(folder / "tvshow.nfo") or {}
    numbers = _NUMBERS.search(path.stem)
    return FoundVideo(
        site=site,
        video_id=video_id,
        title=nfo.get("title") or _ID.sub("", path.stem).strip() or video_id,
        show=show.get("title") or nfo.get("showtitle") or folder.name,
        show_key=f"{show['site']}:{show['id']}" if show.get("id") and show.get("site") else "",
        folder=folder.relative_to(root).as_posix(),
        season=None if is_film else int(numbers[1]) if numbers else _number(nfo.get("season")),
        episode=None if is_film else int(numbers[2]) if numbers else _number(nfo.get("episode")),
        aired=_day(nfo.get("aired") or nfo.get("premiered")),
        duration_s=(_number(nfo.get("runtime")) or 0) * 60 or None,
        files=_files(root, path, is_film=is_film),
        is_audio=path.suffix.lower() in AUDIO_ENDINGS,
    )


def read_nfo(path: Path) -> dict[str, str] | None:
    """Texts of an `.nfo`, with `site` and `id` out of its unique id; None when there is none or it can not be trusted."""
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST_NFO_BYTES:
            return None
        text = path.read_text("utf-8")
        if "<!" in text:  # entities could grow without an end
            return None
        root = ElementTree.fromstring(text)  # noqa: S314  # no document type gets here
    except (OSError, ValueError, ElementTree.ParseError):
        return None
    found = {one.tag: " ".join((one.text or "").split())[:500] for one in reversed(list(root)) if one.text}
    for one in root.iter("uniqueid"):
        kind, number = re.sub(r"[^a-z0-9]", "", one.get("type", "").lower())[:64], (one.text or "").strip()
        if kind and re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", number):
            found |= {"site": kind, "id": number}
            break
    return found


def _files(root: Path, path: Path, *, is_film: bool) -> tuple[LibraryFile, ...]:
    beside = [
        one
        for one in sorted(path.parent.iterdir())
        if one != path
        and one.is_file()
        and not one.is_symlink()
        and (
            one.name.startswith(path.stem + ".") or (is_film and one.name in ("movie.nfo", "poster.jpg", "fanart.jpg"))
        )
    ]
    return tuple(
        LibraryFile(
            path=one.relative_to(root).as_posix(), size_bytes=one.stat().st_size, media_type=media_type_of(one.name)
        )
        for one in (path, *beside[:MOST_BESIDE])
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[0-9]{1,7}", text) else None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
