"""From what a person wished and what the owner set to what is taken: nothing is left open here."""

from __future__ import annotations

from typing import Any

from medianest.downloads.model import DownloadKind, Layout, Live, QueueSettings
from medianest.downloads.plans import SINGLES
from medianest.downloads.repository.claims import Claim, ListOf
from medianest.downloads.wishes import Wishes, from_text, languages_of


def live_of(wishes: Wishes, settings: QueueSettings) -> Live:
    """What happens when it turns out to be a broadcast."""
    return wishes.live or settings.live


def layout_of(claim: Claim, listing: ListOf | None, settings: QueueSettings) -> Layout:
    """Where a video is filed; a season is only made of a playlist, since the order of a channel changes with every upload."""
    if claim.as_film:
        return Layout.FILM
    default = settings.list_layout if listing else settings.video_layout
    layout = from_text(claim.wishes).layout or default
    if layout is Layout.SEASON and (listing is None or listing.kind is not DownloadKind.PLAYLIST):
        return Layout.SHOW
    return layout


def job_options(claim: Claim, listing: ListOf | None, settings: QueueSettings, *, free_bytes: int) -> dict[str, Any]:
    """The options of a job as the worker reads them (`worker/messages.py`).

    Args:
        free_bytes: what a recording may take at most.
    """
    wishes = from_text(claim.wishes)
    languages = settings.subtitle_languages if wishes.subtitles is None else wishes.subtitles
    options: dict[str, Any] = {
        "quality": claim.quality,
        "audio_only": claim.audio_only,
        "max_height": settings.max_height,
        "rate_limit_bytes_s": settings.rate_limit_bytes_s,
        "subtitle_languages": languages_of(languages),
        "automatic_subtitles": _chosen(wishes.automatic_subtitles, settings.automatic_subtitles),
        "subtitle_place": _chosen(wishes.subtitle_place, settings.subtitle_place),
        "embed_metadata": True,
        "chapters": _chosen(wishes.chapters, settings.chapters),
        "sponsorblock": _chosen(wishes.sponsorblock, settings.sponsorblock),
        "picture_place": _chosen(wishes.picture_place, settings.picture_place),
        "audio_format": _chosen(wishes.audio_format, settings.audio_format),
    }
    if claim.audio_only:
        options |= {"album": listing.title if listing else SINGLES, "track": claim.item_index}
    if live_of(wishes, settings) is Live.RECORD:
        options |= {"record": True, "record_s": settings.record_hours * 3600}
        options["record_bytes"] = max(1, min(settings.record_bytes, free_bytes))
    return options


def wanted_height(claim: Claim, settings: QueueSettings) -> int | None:
    """Lines that were asked for; None is as many as there are."""
    if claim.quality == "best":
        return settings.max_height
    return 1080 if claim.quality == "default" else int(claim.quality)


def _chosen(wish: Any, default: Any) -> Any:
    return default if wish is None else wish
