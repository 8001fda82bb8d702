"""A verified copy of the SQLite database, made by SQLite itself.

The live file is never read through the file system: closing such a descriptor drops the locks this process holds on it.
"""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from medianest.errors import Unavailable

KEPT = 5


def back_up_sqlite(database: Path, folder: Path, label: str) -> Path:
    """Copy `database` into `folder`, check the copy, and only then remove the oldest ones beyond five.

    Blocking; call it in a thread.

    Raises:
        Unavailable: the copy could not be made or does not pass SQLite's integrity check.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    target = folder / f"{label}-{stamp}.sqlite"
    partial = target.with_suffix(".partial")
    try:
        partial.touch(0o600, exist_ok=False)
        source = sqlite3.connect(database)
        copy = sqlite3.connect(partial)
        try:
            source.backup(copy)
            verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
        finally:
            copy.close()
            source.close()
        if verdict != "ok":
            raise Unavailable(f"The backup of the database is damaged ({verdict}). Nothing was changed.")
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise Unavailable(
            f"No backup of the database could be made in {folder} ({error}). Nothing was changed; make room and start again."
        ) from error
    for old in sorted(folder.glob("before-*.sqlite"), key=lambda path: path.name.rpartition("-")[2])[:-KEPT]:
        old.unlink(missing_ok=True)
    return target
