"""The test of the library: a video of our own is filed as downloads are, found in Plex, and taken away again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from medianest.connections.service import ConnectionService
from medianest.database import fetch
from medianest.errors import Conflict, MediaNestError, UpstreamFailed
from medianest.integrations.plex_writing import PlexWriting
from medianest.plex_library import paths
from medianest.plex_library.finding import Finding
from medianest.plex_library.mapping import NoLibrary, Target, target_of
from medianest.plex_library.model import Probe, ProbeState
from medianest.plex_library.probe_video import probe_video

log = logging.getLogger(__name__)

KEY = "plex_library_probe"
FOLDER = "MediaNest probe"
SEASON = "Season 2000"
PATIENCE_S = 60.0
FORGOTTEN = timedelta(minutes=5)  # a test of a process that was ended
NEWEST_PAGES = 2


class LibraryProbe:
    """Runs the test beside the pages; its state is kept, so that every process and every reload shows it.

    Args:
        library_dir: our library folder.
        instance: this MediaNest among several on one database.
        patience_s: how long Plex has to show the video.
    """

    def __init__(
        self,
        connections: ConnectionService,
        finding: Finding,
        library_dir: Path,
        instance: str,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._connections = connections
        self._finding = finding
        self._root = library_dir
        self._instance = instance
        self.patience_s = patience_s
        self._task: asyncio.Task[None] | None = None

    async def last(self) -> Probe | None:
        """The newest test; None when there was none, or it was ended in the middle."""
        rows = await fetch("SELECT value FROM system_settings WHERE key = {}", KEY)
        try:
            found = msgspec.json.decode(str(rows[0]["value"]), type=Probe) if rows else None
        except msgspec.DecodeError:
            return None
        if found and found.state is ProbeState.RUNNING and datetime.now(UTC) - found.at > FORGOTTEN:
            return None
        return found

    async def begin(self) -> None:
        """Start a test. One that runs goes on instead."""
        if self._task is not None and not self._task.done():
            return
        last = await self.last()
        if last is not None and last.state is ProbeState.RUNNING:
            return
        began = datetime.now(UTC)
        await self._keep(Probe(state=ProbeState.RUNNING, at=began, instance=self._instance))
        self._task = asyncio.create_task(self._run(began), name="test of the Plex library")

    async def clean(self) -> None:
        """At the start: a test that ended with an earlier run of this instance has left its video behind."""
        last = await self.last()
        if last is not None and last.state is ProbeState.RUNNING and last.instance == self._instance:
            await asyncio.to_thread(shutil.rmtree, self._root / FOLDER, ignore_errors=True)
            await self._keep(_failed("The test was ended with MediaNest.", "Run it again."))

    async def finished(self) -> None:
        """Wait until the test of this process is over."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def stop(self) -> None:
        """End a test that runs, and take its video away."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, began: datetime) -> None:
        clock, folder = time.monotonic(), self._root / FOLDER
        try:
            found = await self._test()
        except MediaNestError as error:
            found = _failed(error.message, "Open the part above and see what is set, or test the connection first.")
        except OSError as error:
            log.warning("The test video can not be written: %s", error)
            found = _failed(
                f"MediaNest can not write into its library folder {self._root}.",
                "Give the user that MediaNest runs as the right to write there.",
            )
        except asyncio.CancelledError:
            await self._keep(_failed("The test was ended with MediaNest.", "Run it again."))
            raise
        except Exception:
            log.exception("The test of the library failed")
            found = _failed("The test stopped with an error inside MediaNest.", "The log has more.")
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        took_s = round(time.monotonic() - clock)
        await self._keep(msgspec.structs.replace(found, at=datetime.now(UTC), took_s=took_s))
        await self._forget()
        log.info("Test of the Plex library, begun %s: %s", began.isoformat(timespec="seconds"), found.text)

    async def _test(self) -> Probe:
        plex = await self._connections.plex_writing()
        if not await plex.is_ours():
            raise UpstreamFailed("Another Plex server answers at the address of ours.")
        mapping = await self._finding.mapping()
        try:
            target = target_of(mapping, FOLDER)
        except NoLibrary as error:
            places = ", ".join(place for one in mapping.libraries for place in one.locations) or "none"
            return _failed(
                error.message, f"Plex's folders for videos are: {places}. Choose the one that is ours above."
            )
        name = await asyncio.to_thread(self._write)
        path = paths.parts_of(paths.join(target.folder, f"{SEASON}/{name}"))
        await plex.refresh(target.library.key, target.folder)
        if await self._shows(plex, target, path):
            return Probe(
                state=ProbeState.OK,
                at=datetime.now(UTC),
                text=f"Plex found the test video in its library “{target.library.title}”.",
                library=target.library.title,
            )
        return _failed(*_why(target, mapping.our_root, mapping.server_root))

    async def _shows(self, plex: PlexWriting, target: Target, path: tuple[str, ...]) -> bool:
        """Whether Plex shows the file before patience is over."""
        ends, pause_s = time.monotonic() + self.patience_s, min(0.5, self.patience_s / 10)
        while True:
            await asyncio.sleep(pause_s)
            number = 0
            async for page in plex.files(target.library.key, target.item_type):
                if any(paths.parts_of(file.path) == path for file in page):
                    return True
                number += 1
                if number >= NEWEST_PAGES:
                    break
            if time.monotonic() >= ends:
                return False
            pause_s = min(pause_s * 1.5, 5.0)

    def _write(self) -> str:
        """File the video as a download is: what is beside it first, the video last, by one rename; gives its name."""
        folder, token = self._root / FOLDER, secrets.token_hex(4)
        shutil.rmtree(folder, ignore_errors=True)  # of a test that was ended
        season = folder / SEASON
        season.mkdir(parents=True)
        stem = f"{FOLDER} - s2000e010101 - Test video [{token}]"
        (folder / "tvshow.nfo").write_text(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<tvshow><title>{FOLDER}</title>'
            f'<uniqueid type="medianest" default="true">probe{token}</uniqueid></tvshow>\n',
            "utf-8",
        )
        (season / f"{stem}.nfo").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>\n<episodedetails><title>Test video</title><season>2000</season>'
            "<episode>10101</episode></episodedetails>\n",
            "utf-8",
        )
        hidden = season / f".{token}.part"
        hidden.write_bytes(probe_video())
        hidden.replace(season / f"{stem}.mp4")
        return f"{stem}.mp4"

    async def _forget(self) -> None:
        """Have Plex see that the video is gone again."""
        with contextlib.suppress(MediaNestError, Conflict):
            target = target_of(await self._finding.mapping(), FOLDER)
            await (await self._connections.plex_writing()).refresh(target.library.key, target.folder)

    async def _keep(self, probe: Probe) -> None:
        await fetch(
            "INSERT INTO system_settings (key, value, updated_at) VALUES ({}, {}, {}) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            *(KEY, msgspec.json.encode(probe).decode(), datetime.now(UTC)),
        )


def _failed(text: str, advice: str) -> Probe:
    return Probe(state=ProbeState.FAILED, at=datetime.now(UTC), text=text, advice=advice)


def _why(target: Target, our_root: str, server_root: str) -> tuple[str, str]:
    """What is most likely wrong when the video did not show."""
    text = f"Plex looked into {target.folder}, but did not show the test video in its library “{target.library.title}”."
    if target.library.type != "show":
        return text, (
            "This is a library of films, which passes the names of episodes over. Make a library of type TV in Plex "
            f"for {server_root}, or choose one above."
        )
    if paths.parts_of(our_root) == paths.parts_of(server_root):
        return text, (
            f"Both call the folder {server_root}. If Plex runs in a container or on another machine, it may see another "
            "folder under that name: check its volumes. Otherwise the user of Plex may not be allowed to read ours."
        )
    return text, (
        f"{our_root} here and {server_root} there are most likely two folders: correct the path above. If it is right, "
        "the user that Plex runs as may not be allowed to read our files."
    )
