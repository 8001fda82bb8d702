"""Logs: one line or one JSON object for each event, with the request's id, rotated, and without secrets.

Redaction sits in the formatter, so that no handler, library or traceback can go around it.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

request_id: ContextVar[str] = ContextVar("request_id", default="")

FILE_SIZE_BYTES = 2 * 1024 * 1024
FILES_KEPT = 5
HIDDEN = "••••"
KNOWN_KEPT = 500  # secrets come and go with people's tokens; the patterns catch older ones

# what gives a secret away, wherever it stands: links with credentials, headers, cookies, tokens in queries, JWTs
PATTERNS = (
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^/\s:@]*):[^@\s/]+@", re.I), rf"\1:{HIDDEN}@"),
    (re.compile(r"\bmnk_[\w-]{8,}"), HIDDEN),  # our API keys
    (re.compile(r"(otpauth://)\S+", re.I), rf"\1{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"), HIDDEN),
    (
        re.compile(r"((?:x-plex-token|x-api-key|authorization|cookie|set-cookie)['\"]?\s*[:=]\s*)[^\r\n,}]+", re.I),
        rf"\1{HIDDEN}",
    ),
    (
        re.compile(
            r"((?:password|passwd|secret|token|api_?key|refresh_token|access_token|signature|sig|auth|key)['\"]?\s*[=:]\s*['\"]?)"
            r"[^\s&'\",}]{4,}",
            re.I,
        ),
        rf"\1{HIDDEN}",
    ),
)


class Redactor:
    """Takes known secrets and everything that looks like one out of a text."""

    def __init__(self) -> None:
        self._known: tuple[str, ...] = ()

    def learn(self, *values: str) -> None:
        """Hide these exact values from now on; too short ones are left out, they would hide ordinary words."""
        new = {value for value in values if len(value) >= 8} - set(self._known)
        if new:
            self._known = (*self._known, *new)[-KNOWN_KEPT:]

    def clean(self, text: str) -> str:
        for value in self._known:
            text = text.replace(value, HIDDEN)
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        return text


redactor = Redactor()


class TextFormatter(logging.Formatter):
    """`2026-11-23T09:00:00Z INFO medianest.app [4f2a…] Started`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        call = f" [{request_id.get()}]" if request_id.get() else ""
        # a line break inside a message would let a title forge a log line
        message = record.getMessage().replace("\r", " ").replace("\n", "\n    ")
        text = f"{at} {record.levelname:<7} {record.name}{call} {message}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return redactor.clean(text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `at, level, logger, message, request_id, error`."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redactor.clean(record.getMessage()),
        }
        if request_id.get():
            entry["request_id"] = request_id.get()
        if record.exc_info:
            entry["error"] = redactor.clean(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def set_up_logs(*, level: str, style: str, folder: Path | None) -> None:
    """Send the log to standard output, and to `folder/medianest.log` in turn (five files of 2 MiB).

    Args:
        style: `text` or `json`.
        folder: None writes no file (console commands).
    """
    formatter = JsonFormatter() if style == "json" else TextFormatter()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "medianest.log"
        handlers.append(
            logging.handlers.RotatingFileHandler(
                path, maxBytes=FILE_SIZE_BYTES, backupCount=FILES_KEPT - 1, encoding="utf-8"
            )
        )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(level.upper())
    for noisy in (
        "uvicorn.access",
        "uvicorn.error",
        "apscheduler",
        "httpx",
        "httpcore",
        "asyncio",
        "aiosqlite",
        "piccolo.engine.base",
        "websockets",
        "filelock",
        "tzlocal",
    ):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
