"""The worker's side of the pipe: JSON lines in on stdin, JSON lines out on what was stdout.

The pipes are moved away first, so that whatever a library prints lands in the log and no child process can read our
commands. The end of the input ends the whole process group at once: the server is gone or wants us gone.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

from medianest.downloads.worker.pace import Pace
from medianest.downloads.worker.recording import Recorder

log = logging.getLogger(__name__)

IDLE_S = 1.0  # so long without a command is an idle time

Command = dict[str, Any]


class Protocol:
    """Commands in the order they came, events as they are sent. `send` may be called from any thread."""

    def __init__(self, commands: BinaryIO, events: BinaryIO) -> None:
        self._commands = commands
        self._events = events
        self._waiting: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self.pace = Pace()
        self.recorder = Recorder()

    @classmethod
    def take_over_pipes(cls) -> Protocol:
        """Move stdin and stdout to descriptors that no child inherits; fd 0 reads nothing, fd 1 goes to the log."""
        commands = os.fdopen(os.dup(0), "rb")
        events = os.fdopen(os.dup(1), "wb", buffering=0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None and hasattr(stream, "reconfigure"):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
        return cls(commands, events)

    def start_reading(self) -> None:
        """Read commands in a thread of its own, so that the end of the input is seen in the middle of a download."""
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def receive(self, meanwhile: Iterator[None] | None = None) -> Command:
        """The next command; waits for it. `meanwhile` is work in small steps for idle times, left off by a command."""
        pause = IDLE_S
        while meanwhile is not None:
            try:
                return self._waiting.get(timeout=pause)
            except queue.Empty:
                pause = 0.005
                if next(meanwhile, self) is self:
                    break
        return self._waiting.get()

    def send(self, event: str, **fields: Any) -> None:
        """Write one event; a server that no longer reads ends this process."""
        line = json.dumps({"event": event, **fields}, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            try:
                view = memoryview(line)
                while view:
                    view = view[self._events.write(view) :]
            except OSError:
                end_process_group()

    def _take(self, command: Command) -> None:
        if command.get("op") == "pace":  # at once: the main thread is busy with the download that it is about
            bytes_s = command.get("bytes_s")
            self.pace.set(bytes_s if isinstance(bytes_s, (int, float)) else None)
        elif command.get("op") == "finish":
            self.recorder.finish()
        else:
            self._waiting.put(command)

    def _read(self) -> None:
        try:
            for line in self._commands:
                if line.strip():
                    self._take(json.loads(line))
        except (OSError, ValueError) as error:
            log.warning("The input of the download worker can not be read: %s", error)
        end_process_group()


def end_process_group() -> None:
    """End this process and all it started, at once; only itself where it does not lead its own group."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
