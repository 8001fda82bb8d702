"""From rows to models: which columns a list reads, and how a row becomes a `Download`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from medianest.downloads.media import judge
from medianest.downloads.model import (
    Download,
    DownloadKind,
    DownloadState,
    LibraryFile,
    MediaFacts,
    Priority,
    Progress,
    Quality,
    ReasonCode,
)
from medianest.downloads.wishes import from_text, languages_of

Row = Mapping[str, Any]

# everything a `Download` needs and nothing else: what is not read is not converted
COLUMNS = ", ".join(
    f"q.{name}"
    for name in (
        *("id", "parent_id", "item_index", "requested_by", "url", "kind", "title", "uploader", "duration_s", "picture"),
        *("quality", "audio_only", "as_film", "state", "reason_code", "reason", "priority", "attempts"),
        *("next_attempt_at", "downloaded_bytes", "total_bytes", "items_total", "items_done", "items_failed"),
        *("history_id", "created_at", "started_at", "finished_at", "wishes"),
    )
)


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A row that got another state (or was removed), as events tell it."""

    id: int
    parent_id: int | None
    state: DownloadState
    reason_code: ReasonCode | None = None


class ParentChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A list after one of its items changed; `is_other_state` tells whether its own state is another now."""

    changed: Changed
    is_other_state: bool
    progress: Progress


class InLibrary(msgspec.Struct, frozen=True, kw_only=True):
    """A video that was filed, and under which number which Plex server has it."""

    files: tuple[LibraryFile, ...] = ()
    rating_key: str | None = None
    machine_id: str | None = None
    media: MediaFacts | None = None


def to_download(
    row: Row,
    *,
    progress: Progress | None,
    place: int | None,
    files: tuple[LibraryFile, ...] = (),
    plex_url: str | None = None,
    media: MediaFacts | None = None,
) -> Download:
    """The model of `row`. `progress` is the running worker's, None when none runs."""
    return Download(
        id=row["id"],
        parent_id=row["parent_id"],
        item_index=row["item_index"],
        url=row["url"],
        kind=DownloadKind(row["kind"]),
        title=row["title"],
        uploader=row["uploader"],
        duration_s=row["duration_s"],
        thumbnail=f"/pictures/{row['picture']}" if row["picture"] else None,
        quality=Quality(row["quality"]),
        audio_only=bool(row["audio_only"]),
        as_film=bool(row["as_film"]),
        state=DownloadState(row["state"]),
        reason_code=ReasonCode(row["reason_code"]) if row["reason_code"] else None,
        reason=row["reason"],
        priority=Priority(row["priority"]).name.lower(),
        position=place,
        progress=progress or _stored_progress(row),
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        requested_by=row["requested_by"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        files=files,
        plex_url=plex_url,
        wishes=from_text(row["wishes"]),
        media=media,
    )


def list_progress(total: int | None, done: int | None, failed: int | None) -> Progress:
    """How far a list is: by its items."""
    total, done, failed = total or 0, done or 0, failed or 0
    return Progress(
        percent=round(100 * min(done + failed, total) / total, 1) if total else None,
        items_done=done,
        items_failed=failed,
        items_total=total,
    )


def to_files(value: Any) -> tuple[LibraryFile, ...]:
    """The files of a history row; JSON comes as text from both drivers."""
    found = json.loads(value) if isinstance(value, str) else value
    return tuple(msgspec.convert(file, LibraryFile) for file in found)


# what is inside a filed video, as a history row holds it
MEDIA_COLUMNS = (
    *("container", "video_codec", "audio_codec", "width", "height", "fps", "bit_depth", "bitrate_bits_s", "subtitles"),
    "is_lower",
)


def to_media(row: Row) -> MediaFacts | None:
    """What is inside a filed video, judged by today's rules; None for what was filed before it was measured."""
    if not row["container"]:
        return None
    sides = [side for side in (row["width"], row["height"]) if side]
    verdict, reason = judge(
        *(row["container"], row["video_codec"], row["audio_codec"]),
        height=min(sides, default=None),
        bit_depth=row["bit_depth"],
    )
    known = {name: row[name] for name in MEDIA_COLUMNS if name not in ("subtitles", "is_lower")}
    return MediaFacts(
        **known,
        subtitles=tuple(languages_of(row["subtitles"])),
        is_lower=bool(row["is_lower"]),
        direct_play=verdict,
        direct_play_reason=reason,
    )


def files_json(files: tuple[LibraryFile, ...]) -> str:
    return msgspec.json.encode(files).decode()


def to_changed(row: Row) -> Changed:
    code = row["reason_code"]
    return Changed(
        id=row["id"],
        parent_id=row["parent_id"],
        state=DownloadState(row["state"]),
        reason_code=ReasonCode(code) if code else None,
    )


def stamp(line: str, at: datetime) -> str:
    """One line of a download's log as people read it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC  {line}"


def _stored_progress(row: Row) -> Progress:
    if row["kind"] != DownloadKind.VIDEO:
        return list_progress(row["items_total"], row["items_done"], row["items_failed"])
    done, total = row["downloaded_bytes"], row["total_bytes"]
    if row["state"] == DownloadState.COMPLETED:
        return Progress(percent=100.0, downloaded_bytes=total, total_bytes=total)
    if done is None:
        return Progress(total_bytes=total)
    return Progress(
        percent=round(min(100.0, 100 * done / total), 1) if total else None, downloaded_bytes=done, total_bytes=total
    )
