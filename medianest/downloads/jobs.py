"""What the scheduler calls for the downloads; each gives a sentence about what it did."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from medianest.downloads.filing import Library
from medianest.downloads.pictures import PictureStore
from medianest.downloads.repository.cleaning import CleaningRepository

CANCELLED_KEPT = timedelta(hours=24)
ENDED_KEPT = timedelta(days=7)
ENDED_MOST = 500
LOG_KEPT = timedelta(days=60)
NEW_PICTURE_S = 24 * 3600  # a preview shows it before any row does


class DownloadJobs:
    """The cleaning of the queue."""

    def __init__(self, cleaning: CleaningRepository, library: Library, pictures: PictureStore) -> None:
        self._cleaning = cleaning
        self._library = library
        self._pictures = pictures

    async def clean_staging(self) -> str:
        """Remove unfinished files that no row owns, or whose download was cancelled more than a day ago."""
        ids = await asyncio.to_thread(self._library.staged)
        kept = await self._cleaning.keeping_staging(ids, datetime.now(UTC) - CANCELLED_KEPT)
        gone = [one for one in ids if one not in kept]
        for one in gone:
            await asyncio.to_thread(self._library.discard, one)
        return _sentence(len(gone), "folder of unfinished files", "folders of unfinished files")

    async def clean_rows(self) -> str:
        """Remove failed and cancelled downloads that are older than a week, beyond the newest 500."""
        removed = await self._cleaning.remove_ended(datetime.now(UTC) - ENDED_KEPT, ENDED_MOST)
        return _sentence(removed, "old download", "old downloads")

    async def clean_pictures(self) -> str:
        """Remove pictures that no download shows any more."""
        names = await asyncio.to_thread(self._pictures.older_than, time.time() - NEW_PICTURE_S)
        used = await self._cleaning.used_pictures(names)
        gone = [name for name in names if name not in used]
        for name in gone:
            await asyncio.to_thread(self._pictures.remove, name)
        return _sentence(len(gone), "picture", "pictures")

    async def clean_download_log(self) -> str:
        """Remove lines of the downloads' logs that are older than 60 days."""
        removed = await self._cleaning.remove_log(datetime.now(UTC) - LOG_KEPT)
        return _sentence(removed, "line of the logs", "lines of the logs")


def _sentence(count: int, one: str, many: str) -> str:
    return f"Removed {count} {one if count == 1 else many}." if count else "There was nothing to remove."
