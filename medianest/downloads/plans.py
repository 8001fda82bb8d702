"""Deciding where a finished video goes: its show, film or album, its names, the files beside it. Pure."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from pathlib import Path

import msgspec

from medianest.downloads.filing import FilingPlan, Sidecar, media_type_of
from medianest.downloads.links import GENERIC_SITES, host_of
from medianest.downloads.model import LibraryFile
from medianest.downloads.names import (
    album_folder,
    clean_id,
    clean_name,
    episode_stem,
    film_name,
    folder_key,
    season_folder,
    track_stem,
)
from medianest.downloads.nfo import VideoFacts, episode_nfo, movie_nfo, show_nfo
from medianest.downloads.reports import Done, VideoInfo

FILMS = "Videos"
MUSIC = "Music"
SINGLES = "Singles"  # the album of a sound that came alone


class Shelf(StrEnum):
    """The kinds of places in the library."""

    SHOW = "show"  # an episode of a channel, or of a playlist that is a season
    FILM = "film"
    ALBUM = "album"


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


def season_of(list_key: str, list_title: str) -> ShowName:
    """A playlist that is a show of its own."""
    return ShowName(key=f"list:{list_key}", title=list_title, folder=clean_name(list_title, fallback="Playlist"))


def film_of(identity: str, title: str, aired: date, video_id: str) -> ShowName:
    """A film has a folder of its own, decided once like a show's."""
    name = film_name(title, aired.year, video_id)
    return ShowName(key=f"film:{identity}", title=title, folder=f"{FILMS}/{name}")


def album_of(info: VideoInfo, url: str, list_title: str, list_uploader: str) -> ShowName:
    """The album of a sound file: as the site names it, else the list it came in, else the artist's singles."""
    maker = (info.channel or info.uploader or "").strip() or host_of(info.webpage_url or url) or "Unknown"
    if info.album:
        artist, album = info.artist or maker, info.album
    elif list_title:
        artist, album = list_uploader or maker, list_title
    else:
        artist, album = info.artist or maker, SINGLES
    key = f"album:{folder_key(artist)}/{folder_key(album)}"
    return ShowName(key=key, title=album, folder=f"{MUSIC}/{album_folder(artist, album)}")


def title_of(info: VideoInfo, list_entry_title: str) -> str:
    """The title a person would expect: of a bare file the list's own words, not the file's name."""
    if info.site.lower() in GENERIC_SITES and list_entry_title:
        return list_entry_title
    return info.title.strip() or list_entry_title or info.video_id or "Untitled"


class ShowPictures(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures of the channel or list itself, absolute paths; `is_new` replaces what a video's picture stood in for."""

    poster: str | None = None
    fanart: str | None = None
    is_new: bool = False


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """All that the names of one video's files depend on."""

    folder: str  # of the show, film or album, relative to the library
    show_title: str
    title: str
    aired: date
    info: VideoInfo
    done: Done
    shelf: Shelf = Shelf.SHOW
    show_id: str = ""  # the site's own id of channel or list
    pictures: ShowPictures = ShowPictures()

    @property
    def duration_s(self) -> int | None:
        """As the file was measured, else as the site tells it."""
        measured = self.done.duration_s
        return round(measured) if measured and measured >= 1 else self.info.whole_duration_s

    def stem(self, season: int | None, episode: int | None) -> str:
        """Path of the media without its ending, relative to the library."""
        if self.shelf is Shelf.ALBUM:
            return f"{self.folder}/{track_stem(episode or 1, self.info.track or self.title)}"
        if season is None or episode is None:
            return f"{self.folder}/{self.folder.rpartition('/')[2]}"
        name = episode_stem(self.folder, season, episode, self.title, self.info.video_id)
        return f"{self.folder}/{season_folder(season)}/{name}"

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
            if one.is_own
        )
        return (first, *rest)

    def plan(self, season: int | None, episode: int | None) -> FilingPlan:
        """Every file and its place."""
        stem, files = self.stem(season, episode), self.done.files
        makers = {Shelf.SHOW: self._for_show, Shelf.FILM: self._for_film, Shelf.ALBUM: self._for_album}
        sidecars = makers[self.shelf](stem, season, episode)
        for subtitle in files.subtitles:
            language = re.sub(r"[^A-Za-z0-9-]", "", subtitle.language)[:12] or "und"
            ending = re.sub(r"[^a-z0-9.]", "", Path(subtitle.path).suffix.lower()) or ".srt"
            sidecars.append(Sidecar(target=f"{stem}.{language}{ending}", source=subtitle.path))
        ending = re.sub(r"[^a-z0-9.]", "", Path(files.media).suffix.lower())
        return FilingPlan(media_source=files.media, media_target=stem + ending, sidecars=sidecars)

    def _for_show(self, stem: str, season: int | None, episode: int | None) -> list[Sidecar]:
        files, own = self.done.files, self.pictures
        show = show_nfo(title=self.show_title, site=self.info.site, channel_id=self._channel_id())
        made = [Sidecar(target=f"{self.folder}/tvshow.nfo", text=show, is_kept=True)]
        poster, fanart = own.poster or files.poster or files.picture, own.fanart or files.picture
        if poster:
            is_kept = not (own.poster and own.is_new)
            made.append(Sidecar(target=f"{self.folder}/poster.jpg", source=poster, is_shared=True, is_kept=is_kept))
        if fanart:
            is_kept = not (own.fanart and own.is_new)
            made.append(Sidecar(target=f"{self.folder}/fanart.jpg", source=fanart, is_shared=True, is_kept=is_kept))
        if season is not None and files.poster:
            folder = season_folder(season)
            target = f"{self.folder}/{folder}/{folder.replace(' ', '')}.jpg"
            made.append(Sidecar(target=target, source=own.poster or files.poster, is_kept=True))
        if files.picture and not self.done.is_picture_inside:
            made.append(Sidecar(target=f"{stem}.jpg", source=files.picture))
        made.append(Sidecar(target=f"{stem}.nfo", text=episode_nfo(self._facts(season, episode))))
        return made

    def _for_film(self, stem: str, season: int | None, episode: int | None) -> list[Sidecar]:
        del stem
        files = self.done.files
        made = [Sidecar(target=f"{self.folder}/movie.nfo", text=movie_nfo(self._facts(season, episode)))]
        if files.picture:
            made.append(Sidecar(target=f"{self.folder}/poster.jpg", source=files.poster or files.picture))
            made.append(Sidecar(target=f"{self.folder}/fanart.jpg", source=files.picture))
        return made

    def _for_album(self, stem: str, season: int | None, episode: int | None) -> list[Sidecar]:
        del stem, season, episode
        picture = self.done.files.picture
        return [Sidecar(target=f"{self.folder}/cover.jpg", source=picture, is_kept=True)] if picture else []

    def _channel_id(self) -> str:
        return self.show_id or self.info.channel_id or clean_id(folder_key(self.show_title))

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
            studio=self.info.channel or self.info.uploader or self.show_title,
            duration_s=self.duration_s,
            tags=self.info.tags[:20],
            genres=self.info.categories[:5],
        )
