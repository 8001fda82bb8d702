"""Where a newer yt-dlp comes from: a release page, two files that somebody uploads, or two files in the drop folder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from medianest.engine import releases
from medianest.engine.installing import check_newer
from medianest.engine.model import REPOSITORIES, Channel
from medianest.engine.refusals import Refused
from medianest.engine.unpacking import check_safe
from medianest.engine_folder import is_version, numbers
from medianest.errors import UpstreamFailed
from medianest.integrations.yt_dlp_releases import (
    LARGEST_PROGRAM_BYTES,
    LARGEST_TEXT_BYTES,
    PROGRAM,
    SUMS,
    MissingFile,
    ReleasePages,
)


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A release's program with its sums. `version` is what it must be; empty: it was brought along."""

    program: bytes
    sums: str
    version: str = ""
    channel: str = ""
    source: str = ""
    files: tuple[Path, ...] = ()  # in the drop folder

    @property
    def sha256(self) -> str:
        return releases.sum_of(self.sums, PROGRAM)

    def check(self) -> None:
        """Raise `Refused` unless the program is what the sums say."""
        releases.check_sum(self.program, self.sha256)

    def put_aside(self) -> None:
        """What lies in the drop folder was refused: it does not stand in the way of the next release. Blocking."""
        for path in self.files:
            with suppress(OSError):
                path.replace(path.with_name(f"{path.name}.refused"))

    def taken(self) -> None:
        """Remove it from the drop folder. Blocking."""
        for path in self.files:
            with suppress(OSError):
                path.unlink(missing_ok=True)


class Fetcher:
    """Finds releases.

    Args:
        drop_folder: where the owner of a machine without internet puts the two files.
    """

    def __init__(self, pages: ReleasePages, drop_folder: Path) -> None:
        self._pages = pages
        self.drop_folder = drop_folder

    @property
    def source(self) -> str:
        """The address of the release page."""
        return self._pages.url

    async def close(self) -> None:
        await self._pages.close()

    async def newer(
        self, channel: Channel, active: str, withheld: str, say: Callable[[str], Awaitable[None]]
    ) -> Fetched | str:
        """The newest release of a channel that runs here and is newer than `active`; or a sentence why there is none.

        Args:
            withheld: a version that is not to come.

        Raises:
            UpstreamFailed: the page can not be read.
            Refused: what the page says is not to be taken.
        """
        repository = REPOSITORIES[channel]
        tag = await self._pages.latest(repository)
        if not is_version(tag):
            raise UpstreamFailed("The release page names a version that is none.", code="no_release")
        if numbers(tag) == numbers(active):
            return f"yt-dlp {active} is the newest there is."
        if numbers(tag) < numbers(active):
            return f"The newest release there is yt-dlp {tag}; {active} runs, which is newer. Nothing was changed."
        held = releases.held_back(await self._pages.spec(repository), repository, releases.identifier())
        if held:
            if not is_version(held) or numbers(held) <= numbers(active):
                raise Refused(
                    "system_too_old",
                    f"yt-dlp {tag} does not run with this Python or system any more. A newer MediaNest brings it.",
                )
            tag = held
        check_safe(tag)
        if withheld and numbers(tag) == numbers(withheld):
            return f"yt-dlp {tag} was taken back here; the next version comes by itself again."
        check_newer(tag, active)
        await say(tag)
        try:
            sums = await self._pages.sums(repository, tag)
        except MissingFile as error:
            raise Refused(
                "sums_missing", f"The release {tag} of yt-dlp has no SHA2-256SUMS, so it can not be checked."
            ) from error
        releases.sum_of(sums, PROGRAM)
        program = await self._pages.program(repository, tag)
        return Fetched(program=program, sums=sums, version=tag, channel=channel.value, source=self.source)

    def dropped(self) -> Fetched | None:
        """What lies in the drop folder; None when nothing does. Blocking.

        Raises:
            Refused: one of the two files is missing or too large.
        """
        program, sums = self.drop_folder / PROGRAM, self.drop_folder / SUMS
        if not program.is_file():
            return None
        if not sums.is_file():
            raise Refused("sums_missing", f"{program} lies there without {SUMS} beside it, so it can not be checked.")
        if program.stat().st_size > LARGEST_PROGRAM_BYTES or sums.stat().st_size > LARGEST_TEXT_BYTES:
            raise Refused("not_a_release", f"{program} is larger than a release of yt-dlp can be.")
        text = sums.read_text("utf-8", "replace")
        return Fetched(program=program.read_bytes(), sums=text, source="drop folder", files=(program, sums))
