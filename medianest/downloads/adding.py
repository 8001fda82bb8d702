"""Adding a link: whether it may be, whether it is there already, and the row it becomes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from medianest.accounts.model import User
from medianest.addresses import AllowedAddresses, check_url
from medianest.downloads.allowance import Allowance, require_download, require_priority
from medianest.downloads.announcer import Announcer
from medianest.downloads.filing import Library
from medianest.downloads.line import priority_of
from medianest.downloads.links import key_of
from medianest.downloads.model import DownloadState, Layout, NewDownload, Preview, Priority, cost_of
from medianest.downloads.previews import Previews
from medianest.downloads.repository.rows import to_files
from medianest.downloads.repository.states import Added, DownloadStates, Wanted
from medianest.downloads.wishes import are_languages, to_text, wishes_of
from medianest.errors import Invalid

BAD_LANGUAGES = "Languages with commas between them, such as en,de."


class Adding:
    """Used by the download service, which says what may be raised."""

    def __init__(
        self, states: DownloadStates, previews: Previews, library: Library, announcer: Announcer,
        allowed: AllowedAddresses, allowance: Allowance,
    ) -> None:  # fmt: skip
        self._states = states
        self._previews = previews
        self._library = library
        self._announcer = announcer
        self._allowed = allowed
        self._allowance = allowance

    async def add(self, new: NewDownload, by: User, known: Preview | None = None) -> Added:
        """Queue a link, or join the download that has it already, and tell whoever sees it."""
        require_download(by)
        url = check_url(new.url, self._allowed)
        priority = priority_of(new.priority)
        require_priority(by, priority)
        if new.subtitles is not None and not are_languages(new.subtitles):
            raise Invalid(BAD_LANGUAGES, fields={"subtitles": BAD_LANGUAGES})
        wanted = _wanted(new, url, priority, known or self._previews.known(url), needs_approval=by.is_child)

        async def admit() -> None:
            await self._allowance.admit(by, wanted.quota_cost, _now())

        added = await self._states.add(wanted, by=by.id, at=_now(), not_this=None, admit=admit)
        if added.row is None:
            gone = await self._whose_file_is_gone(wanted.url_key)
            if gone is not None:
                added = await self._states.add(wanted, by=by.id, at=_now(), not_this=gone, admit=admit)
        if added.row is not None:
            people = (by.id,) if added.is_first else None
            await self._announcer.created(added.id, people, for_approvers=by.is_child or not added.is_first)
        elif added.has_joined:  # for the one who joined it is new as well
            await self._announcer.created(added.id)
        return added

    async def _whose_file_is_gone(self, url_key: str) -> int | None:
        """The completed download of this link whose file nobody can find any more; it may be fetched again."""
        found = await self._states.find(url_key)
        if not found or found["state"] != DownloadState.COMPLETED or found["history_id"] is None:
            return None
        if found["filed_at"] is None or found["deleted_at"] is not None:
            return int(found["id"])
        is_there = await asyncio.to_thread(self._library.has_media, to_files(found["files"]))
        return None if is_there else int(found["id"])


def _wanted(new: NewDownload, url: str, priority: Priority, known: Preview | None, *, needs_approval: bool) -> Wanted:
    return Wanted(
        url=url,
        url_key=key_of(url, audio_only=new.audio_only),
        title=known.title if known else url,
        quality=new.quality,
        audio_only=new.audio_only,
        as_film=new.as_film or new.layout is Layout.FILM,
        wishes=to_text(wishes_of(new)),
        priority=priority,
        uploader=known.uploader if known else "",
        duration_s=known.duration_s if known else None,
        picture=known.thumbnail.rpartition("/")[2] if known and known.thumbnail else None,
        quota_cost=cost_of(known.items_total if known else None),
        needs_approval=needs_approval,
    )


def _now() -> datetime:
    return datetime.now(UTC)
