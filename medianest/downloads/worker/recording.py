"""Recording a broadcast that goes on: ffmpeg writes it down until it ends, a cap is reached, or somebody says so.

yt-dlp ends a recording in peace when its thread is interrupted while it waits for ffmpeg, so that is how `finish` ends it.
"""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from medianest.downloads.worker.messages import JobOptions

LOOK_S = 0.5
TELL_S = 2.0
_WAITS_FOR_FFMPEG = "_call_downloader"  # the function of yt-dlp's downloader that may be interrupted

Send = Callable[..., None]


class Recorder:
    """One for the process. `finish` may be called from another thread and at any time."""

    def __init__(self) -> None:
        self._is_on = False
        self._must_finish = False

    def finish(self) -> None:
        """End the recording that runs; nothing happens when none does."""
        self._must_finish = self._is_on

    @contextlib.contextmanager
    def of(self, ydl: Any, options: JobOptions, staging: Path, send: Send) -> Iterator[None]:
        """While the block runs, a download of `ydl` is a recording: capped, told about, and ended by `finish`."""
        arguments = dict(ydl.params.get("external_downloader_args") or {})
        ydl.params["external_downloader_args"] = {**arguments, "ffmpeg_o": _caps(options)}
        before = signal.signal(signal.SIGINT, _interrupt)
        self._is_on, self._must_finish = True, False
        watch = threading.Thread(target=self._watch, args=(staging, send), name="recording", daemon=True)
        watch.start()
        try:
            yield
        finally:
            self._is_on = False
            watch.join()
            signal.signal(signal.SIGINT, before)

    def _watch(self, staging: Path, send: Send) -> None:
        main, told_at, told_bytes = threading.main_thread().ident, time.monotonic(), 0
        send("recording")
        while self._is_on:
            time.sleep(LOOK_S)
            files = [path.stat().st_size for path in staging.glob("media.*") if path.is_file()]
            size = sum(files)
            if self._must_finish and files and self._is_on:
                if os.name == "posix" and main is not None:
                    signal.pthread_kill(main, signal.SIGINT)  # the wait for ffmpeg is broken off too
                else:  # unproven
                    _thread.interrupt_main()
            now = time.monotonic()
            if now - told_at >= TELL_S:
                speed = max(0.0, (size - told_bytes) / (now - told_at))
                send("progress", status="downloading", downloaded_bytes=size, speed_bytes_s=round(speed, 1))
                told_at, told_bytes = now, size


def _caps(options: JobOptions) -> list[str]:
    """ffmpeg ends by itself, and in peace, at so many seconds or bytes."""
    caps = ["-flush_packets", "1"]  # what came lies on the disk, whatever happens next
    if options.record_s:
        caps += ["-t", str(options.record_s)]
    if options.record_bytes:
        caps += ["-fs", str(options.record_bytes)]
    return caps


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Breaks off the wait for ffmpeg, and nothing else."""
    while frame is not None:
        if frame.f_code.co_name == _WAITS_FOR_FFMPEG:
            ffmpeg = frame.f_locals.get("proc")
            if ffmpeg is not None and os.name == "posix":
                ffmpeg.send_signal(
                    signal.SIGINT
                )  # while it waits for the site it does not read the `q` that yt-dlp sends
            raise KeyboardInterrupt
        frame = frame.f_back
