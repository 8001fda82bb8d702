"""A night that takes no time: while MediaNest is off, every time it has written down moves into the past.

That is the same as a clock that goes forward, so every rule about hours and days holds with its own figures.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

PICTURES = "pictures"


def pass_by(data_dir: Path, database: Path, night: int, span: timedelta = timedelta(days=1)) -> None:
    """Let `span` go by; `night` numbers the nights, so that no run of a job is taken for one of another day."""

    def earlier(text: str | None) -> str | None:
        return (datetime.fromisoformat(text) - span).isoformat(text[10]) if text else text  # parted as it was

    with closing(sqlite3.connect(database)) as rows:
        rows.create_function("earlier", 1, earlier, deterministic=True)
        with rows:
            for table, columns in _times(rows):
                rows.execute(f"UPDATE {table} SET " + ", ".join(f"{one} = earlier({one})" for one in columns))
            rows.execute("UPDATE scheduled_runs SET slot = ? || slot WHERE slot LIKE 'slot-%'", (f"night {night} ",))
            rows.execute("UPDATE system_settings SET value = earlier(value) WHERE value GLOB '20[0-9][0-9]-*T*'")
            rows.execute("DELETE FROM rate_limits")
            for key, failures in rows.execute("SELECT key, failures FROM engine_sites").fetchall():
                moved = [[url, kind, at - span.total_seconds()] for url, kind, at in json.loads(failures)]
                rows.execute("UPDATE engine_sites SET failures = ? WHERE key = ?", (json.dumps(moved), key))
    for path in (data_dir / PICTURES).rglob("*"):
        at = path.stat().st_mtime - span.total_seconds()
        os.utime(path, (at, at))


def _times(rows: sqlite3.Connection) -> Iterator[tuple[str, list[str]]]:
    """Every table that holds times, and which columns they are."""
    tables = rows.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    for (table,) in tables:
        columns = [one[1] for one in rows.execute(f"PRAGMA table_info({table})") if one[2].startswith("TIMESTAMP")]
        if columns:
            yield table, columns
