"""The proof of a new yt-dlp: compiled by our own interpreter, and a clip found with it by a real worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from medianest.engine.model import TrialReport
from medianest.engine.refusals import Refused

COMPILE_S = 300.0
ANSWER_S = 10.0
LOOPBACK = "127.0.0.1"
CLIP = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom\x00\x00\x00\x08mdat"
PAGE = (
    b"<!doctype html><html><head><title>A clip to try a new yt-dlp with</title></head>"
    b'<body><video src="/clip.mp4"></video></body></html>'
)
TITLE = "A clip to try a new yt-dlp with"


class Trials(Protocol):
    """Runs one version in a real worker: `downloads/trials.py`."""

    async def run(
        self, engine: Path | None, url: str, *, allow: str | None = None, imports_all: bool = False
    ) -> TrialReport: ...


async def compile_all(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
    """Byte-compile everything in `folder` in a process of ours.

    Args:
        command: starts our own executable; the hidden sub-command is appended.

    Raises:
        Refused: a file is no Python, or it took too long.
        OSError: the process could not be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        "_compile",
        str(folder),
        stdin=asyncio.subprocess.PIPE,  # nothing is written: its end tells that this process is gone
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
    )
    try:
        async with asyncio.timeout(COMPILE_S):
            said = await process.stderr.read() if process.stderr else b""
            await process.wait()
    except TimeoutError as error:
        raise Refused("compile_failed", "Compiling this yt-dlp took too long, so it was not taken.") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1][:300] if lines else f"the process ended with {process.returncode}"
        if "No space left" in reason:
            raise Refused("disk_full", "The disk of the data folder is full. Make room, then try again.")
        raise Refused("compile_failed", f"This yt-dlp can not be compiled ({reason}), so it was not taken.")


async def try_out(trials: Trials, folder: Path, version: str) -> TrialReport:
    """Have a worker load the yt-dlp in `folder`, import all of it, and find the clip on a page of our own.

    Raises:
        Refused: it does not load, is another version, or does not find the clip.
    """
    async with _page() as (address, asked):
        report = await trials.run(folder, address, allow=LOOPBACK, imports_all=True)
    if report.failure == "worker_crashed" and not report.version:
        raise Refused("load_failed", f"This yt-dlp does not load ({report.detail}), so it was not taken.")
    if report.failure:
        why = report.detail or report.failure
        raise Refused("trial_failed", f"This yt-dlp failed when it was tried ({why}), so it was not taken.")
    if report.version != version or not _is_same(report.path, folder / "yt_dlp"):
        raise Refused("not_loaded", f"Not yt-dlp {version} was loaded but {report.version}, so it was not taken.")
    if TITLE not in report.title or not asked:
        raise Refused(
            "trial_failed", "This yt-dlp did not find the clip that every version finds, so it was not taken."
        )
    return report


def _is_same(path: str, folder: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(folder)


@contextlib.asynccontextmanager
async def _page() -> AsyncIterator[tuple[str, list[str]]]:
    """A page with a clip on loopback, for the time of one trial: its address, and what was asked for."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(ANSWER_S):
                head = await reader.readuntil(b"\r\n\r\n")
                method, path = head.split(b" ", 2)[:2]
                asked.append(path.decode("ascii", "replace"))
                body, kind = (CLIP, b"video/mp4") if path == b"/clip.mp4" else (PAGE, b"text/html; charset=utf-8")
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                    % (kind, len(body))
                )
                if method != b"HEAD":
                    writer.write(body)
                await writer.drain()
        with contextlib.suppress(Exception):
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(answer, LOOPBACK, 0)
    try:
        yield f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/page.html", asked
    finally:
        server.close()
        await server.wait_closed()
