"""The archive file of another tool: what `yt-dlp --download-archive` writes, a line for each video that somebody has."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from medianest.accounts.model import Caller
from medianest.errors import Invalid
from medianest.keeping.model import Imported
from medianest.keeping.repository.adopted import AdoptedRepository
from medianest.system.audit import record

LARGEST_BYTES = 900 * 1024  # a form may have 1 MiB
MOST_LINES = 40_000
UNREAD_SHOWN = 5
_LINE = re.compile(r"([a-z0-9][a-z0-9:_.+-]{0,63}) (\S{1,200})")


def read_archive(text: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Site and id of each video, and the lines that say nothing.

    Raises:
        Invalid: it is too long, or no line of it says anything.
    """
    sentence = ""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines() if line.strip() and not line.startswith("#")]
    if len(text.encode("utf-8", "ignore")) > LARGEST_BYTES or len(lines) > MOST_LINES:
        sentence = f"At most {MOST_LINES} lines at once. Import it in parts."
    read: dict[tuple[str, str], None] = {}
    unread: list[str] = []
    for line in lines if not sentence else ():
        found = _LINE.fullmatch(line)
        if found and found[2].isprintable():
            read[found[1], found[2]] = None
        else:
            unread.append(line[:80])
    if not read and not sentence:
        sentence = "No line looks like “youtube dQw4w9WgXcQ”, so this is no archive file of yt-dlp."
    if sentence:
        raise Invalid(sentence, fields={"archive": sentence})
    return list(read), unread


class ArchiveImport:
    """Videos of the file count as had: lists and subscriptions pass them over; a single link still fetches one."""

    def __init__(self, adopted: AdoptedRepository) -> None:
        self._adopted = adopted

    async def run(self, text: str, *, by: Caller, address: str = "") -> Imported:
        """Raises `Invalid` as `read_archive`."""
        videos, unread = read_archive(text)
        added = await self._adopted.had(videos, by.user.id, datetime.now(UTC))
        await record(
            "archive.imported", f"{added} videos", actor_id=by.user.id, actor_name=by.user.username, address=address
        )
        return Imported(added=added, known=len(videos) - added, unread=tuple(unread[:UNREAD_SHOWN]))
