"""The download worker: a child process that alone imports yt-dlp and does one thing after another, as the server tells it.

It speaks JSON lines (see `protocol.py`), holds its connections inside the address guard, and dies with its server.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

import msgspec

from medianest.addresses import AllowedAddresses
from medianest.downloads.worker import confinement
from medianest.downloads.worker.download import download
from medianest.downloads.worker.engine import Engine
from medianest.downloads.worker.extraction import Found, describe, look_at, search
from medianest.downloads.worker.failures import Failure, classify
from medianest.downloads.worker.following import follow
from medianest.downloads.worker.guard import AddressGuard
from medianest.downloads.worker.javascript import RUNTIME, put_program
from medianest.downloads.worker.lists import PIECE
from medianest.downloads.worker.messages import Configuration, Extract, Follow, JobOptions, Preview, Search, read
from medianest.downloads.worker.offers import offers_of, subtitles_of
from medianest.downloads.worker.pace import Pace
from medianest.downloads.worker.pictures import PictureTaker
from medianest.downloads.worker.protocol import Command, Protocol, end_process_group
from medianest.downloads.worker.proxy import FilterProxy

log = logging.getLogger(__name__)

LOOK_TIME_S = 240  # a site that keeps a look at a link busy for longer is given up, together with this process


def main() -> None:
    """Serve until the input ends."""
    confinement.die_with_parent(os.getppid())
    confinement.refuse_new_privileges()
    protocol = Protocol.take_over_pipes()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    protocol.start_reading()
    try:
        configuration = read(protocol.receive(), Configuration)
        engine = _prepare(configuration, protocol.pace)
        confinement.step_back()  # only now: somebody waits for a start, and a restart goes on within seconds
        Worker(protocol, engine).serve()
    except Exception as error:
        log.exception("The download worker could not start")
        protocol.send("broken", detail=f"{type(error).__name__}: {error}"[:500])
        end_process_group()


def _prepare(configuration: Configuration, pace: Pace) -> Engine:
    """Put up the walls, then load yt-dlp behind them."""
    confinement.clean_environment(configuration.temp_dir)
    own_javascript = put_program(Path(configuration.temp_dir, "programs"))
    if own_javascript is not None:  # the last resort: yt-dlp prefers deno and node
        runtimes = {**configuration.js_runtimes, RUNTIME: str(own_javascript)}
        configuration = msgspec.structs.replace(configuration, js_runtimes=runtimes)
    confinement.tie_children_to_this_process(str(own_javascript))
    confinement.limit_resources(configuration.limits.memory_bytes, configuration.limits.file_size_bytes)
    guard = AddressGuard(AllowedAddresses.parse(configuration.allow))
    guard.install()
    FilterProxy.start(pace).hand_to_children()
    engine = Engine(configuration, guard)
    engine.load()
    return engine


class Worker:
    """Carries out commands. At most one found video is kept between `extract` and `download`."""

    def __init__(self, protocol: Protocol, engine: Engine) -> None:
        self._protocol = protocol
        self._engine = engine
        self._kept: tuple[Extract, Found] | None = None

    def serve(self) -> None:
        """Answer commands for ever; the end of the input ends the process elsewhere."""
        engine = self._engine
        self._protocol.send(
            "ready",
            yt_dlp=engine.version,
            yt_dlp_ejs=engine.ejs_version,
            path=engine.path,
            problem=engine.problem,
            pid=os.getpid(),
        )
        warm_up = self._engine.warm_up()
        while True:
            command = self._protocol.receive(warm_up)
            try:
                self._carry_out(command)
            except msgspec.ValidationError as error:
                self._protocol.send(
                    "failed", **Failure("engine_error", f"The order was not understood: {error}").to_fields()
                )
            except Exception as error:
                failure = classify(error)
                if failure.kind == "engine_error":
                    log.exception("A download failed for a cause that is not foreseen")
                self._protocol.send("failed", **failure.to_fields())

    def _carry_out(self, command: Command) -> None:
        kept, self._kept = self._kept, None
        match command.get("op"):
            case "preview":
                self._preview(read(command, Preview))
            case "search":
                self._search(read(command, Search))
            case "extract":
                self._extract(read(command, Extract))
            case "follow":
                with _TimeLimit(self._protocol):
                    follow(self._engine, read(command, Follow), self._protocol.send)
            case "check":
                self._protocol.send("checked", javascript=self._engine.check())
            case "download" if kept is not None:
                self._download(*kept)
            case "skip":
                if kept is not None:
                    kept[1].ydl.close()
                self._protocol.send("idle")
            case unknown:
                raise Failure("engine_error", f"The worker was told to {unknown!r}, which it can not do now.")

    def _preview(self, job: Preview) -> None:
        with _TimeLimit(self._protocol):
            found = look_at(self._engine, job.url, JobOptions(), job.max_items, cookies=job.cookies, is_preview=True)
            with found.ydl:
                offers = [] if found.is_list else offers_of(found, job.max_height, has_ffmpeg=self._engine.has_ffmpeg)
                picture = (
                    PictureTaker(self._engine, found.ydl).for_preview(found.info, Path(job.picture))
                    if job.picture
                    else None
                )
        self._protocol.send(
            "preview",
            info=describe(found.info),
            entries=found.entries[:3],
            items_total=len(found.entries) if found.is_list else None,
            is_capped=found.is_capped,
            picture=picture,
            offers=offers,
            **subtitles_of(found.info),
        )

    def _search(self, job: Search) -> None:
        with _TimeLimit(self._protocol):
            found = search(self._engine, job.words, job.max_items)
            found.ydl.close()
        self._protocol.send("found", entries=found.entries)

    def _extract(self, job: Extract) -> None:
        with _TimeLimit(self._protocol):
            found = look_at(
                self._engine, job.url, job.options, job.max_items, cookies=job.cookies, is_polite=job.is_polite
            )
            found.ydl.add_progress_hook(self._protocol.pace.on_hook)
        if not found.is_list:
            self._kept = (job, found)
            self._protocol.send("video", info=describe(found.info))
            return
        with found.ydl:
            Path(job.staging).mkdir(mode=0o700, parents=True, exist_ok=True)
            pictures = PictureTaker(self._engine, found.ydl).for_list(found.info, Path(job.staging))
        self._protocol.send("list", info=describe(found.info), is_capped=found.is_capped, pictures=pictures)
        for start in range(0, len(found.entries), PIECE):
            self._protocol.send("entries", entries=found.entries[start : start + PIECE])
        self._protocol.send("list_end", items_total=len(found.entries))

    def _download(self, job: Extract, found: Found) -> None:
        with found.ydl:
            protocol = self._protocol
            protocol.send("done", **download(self._engine, found, job, protocol.send, protocol.recorder))


class _TimeLimit:
    """Gives up a look at a link that takes too long. A thread can not be stopped, so the process ends after telling why."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._timer = threading.Timer(LOOK_TIME_S, self._give_up)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _give_up(self) -> None:
        failure = Failure("transient", f"The site kept us waiting for {LOOK_TIME_S} seconds.")
        self._protocol.send("failed", **failure.to_fields())
        end_process_group()
