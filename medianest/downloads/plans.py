"""Deciding where a finished video goes: its show, its names, the files beside it. Pure, but for the day it is."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import msgspec

from medianest.downloads.filing import FilingPlan, Sidecar, media_type_of
from medianest.downloads.links import GENERIC_SITES, host_of
from medianest.downloads.model import LibraryFile
from medianest.downloads.names import clean_id, clean_name, episode_stem, film_name, folder_key
from medianest.downloads.nfo import VideoFacts, episode_nfo, movie_nfo, show_nfo
from medianest.downloads.reports import Done, VideoInfo

FILMS = "Videos"


class ShowName(msgspec.Struct, frozen=True, kw_only=True):
    """Which show a video belongs to: `key` is one for one channel of one site."""

    key: str
    title: str
    folder: str


def show_of(info: VideoInfo, url: str, list_title: str) -> ShowName:
    """The channel of a video; where a site names none, the list it came in; else the site itself."""
    host = host_of(info.webpage_url or url) or host_of(url) or "Videos"
    title = (info.channel or info.uploader or "").strip() or list_title.strip() or host
    is_real = info.site.lower() not in GENERIC_SITES
    where = info.site.lower() if is_real else host
    who = info.channel_id if is_real and info.channel_id else folder_key(title)
    return ShowName(key=f"{where}:{who}", title=title, folder=clean_name(title, fallback=host or "Videos"))


def film_of(identity: str, title: str, aired: date, video_id: str) -> ShowName:
    """A film has a folder of its own, decided once like a show's."""
    name = film_name(title, aired.year, video_id)
    return ShowName(key=f"film:{identity}", title=title, folder=f"{FILMS}/{name}")


def title_of(info: VideoInfo, list_entry_title: str) -> str:
    """The title a person would expect: of a bare file the list's own words, not the file's name."""
    if info.site.lower() in GENERIC_SITES and list_entry_title:
        return list_entry_title
    return info.title.strip() or list_entry_title or info.video_id or "Untitled"


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """All that the names of one video's files depend on."""

    folder: str  # of the show or film, relative to the library
    show_title: str
    title: str
    aired: date
    info: VideoInfo
    done: Done
    is_film: bool

    @property
    def duration_s(self) -> int | None:
        """As the site tells it, else as the file was measured."""
        measured = self.done.duration_s
        return self.info.whole_duration_s or (round(measured) if measured else None)

    def stem(self, season: int | None, episode: int | None) -> str:
        """Path of the media without its ending, relative to the library."""
        if season is None or episode is None:
            return f"{self.folder}/{self.folder.rpartition('/')[2]}"
        name = episode_stem(self.folder, season, episode, self.title, self.info.video_id)
        return f"{self.folder}/Season {season:04d}/{name}"

    def media(self, season: int | None, episode: int | None) -> tuple[LibraryFile, ...]:
        """The media and what will lie beside it, as it is written down before anything is moved."""
        plan = self.plan(season, episode)
        size = Path(self.done.files.media).stat().st_size
        first = LibraryFile(
            path=plan.media_target,
            size_bytes=size,
            media_type=self.done.media_type or media_type_of(plan.media_target),
        )
        rest = (
            LibraryFile(path=one.target, size_bytes=0, media_type=media_type_of(one.target))
            for one in plan.sidecars
            if not one.is_kept
        )
        return (first, *rest)

    def plan(self, season: int | None, episode: int | None) -> FilingPlan:
        """Every file and its place."""
        stem, files = self.stem(season, episode), self.done.files
        facts = self._facts(season, episode)
        sidecars: list[Sidecar] = []
        if self.is_film:
            sidecars.append(Sidecar(target=f"{self.folder}/movie.nfo", text=movie_nfo(facts)))
            if files.picture:
                sidecars.append(Sidecar(target=f"{self.folder}/poster.jpg", source=files.picture))
        else:
            show = show_nfo(title=self.show_title, site=self.info.site, channel_id=self._channel_id())
            sidecars.append(Sidecar(target=f"{self.folder}/tvshow.nfo", text=show, is_kept=True))
            if files.picture:
                sidecars.append(Sidecar(target=f"{self.folder}/poster.jpg", source=files.picture, is_kept=True))
                sidecars.append(Sidecar(target=f"{stem}.jpg", source=files.picture))
            sidecars.append(Sidecar(target=f"{stem}.nfo", text=episode_nfo(facts)))
        for subtitle in files.subtitles:
            language = re.sub(r"[^A-Za-z0-9-]", "", subtitle.language)[:12] or "und"
            ending = re.sub(r"[^a-z0-9.]", "", Path(subtitle.path).suffix.lower()) or ".srt"
            sidecars.append(Sidecar(target=f"{stem}.{language}{ending}", source=subtitle.path))
        ending = re.sub(r"[^a-z0-9.]", "", Path(files.media).suffix.lower())
        return FilingPlan(media_source=files.media, media_target=stem + ending, sidecars=sidecars)

    def _channel_id(self) -> str:
        return self.info.channel_id or clean_id(folder_key(self.show_title))

    def _facts(self, season: int | None, episode: int | None) -> VideoFacts:
        return VideoFacts(
            title=self.title,
            show=self.show_title,
            site=self.info.site,
            video_id=self.info.video_id,
            aired=self.aired,
            season=season,
            episode=episode,
            plot=self.info.description or "",
            studio=self.show_title,
            duration_s=self.duration_s,
            tags=self.info.tags[:20],
            genres=self.info.categories[:5],
        )
