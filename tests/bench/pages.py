"""What a page costs the server, and whether light pages stay quick while downloads run."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.table import Figure, say
from tests.harness.processes import process_info
from tests.harness.server import Server

ROWS = 1000
PAGES = 60


def fill_queue(database: Path, rows: int) -> None:
    """Put `rows` finished downloads into a stopped server's SQLite database."""
    connection = sqlite3.connect(database)
    try:
        (user,) = connection.execute("SELECT id FROM users").fetchone()
        at = "2026-01-02 03:04:05+00:00"
        known = {
            "requested_by": user, "kind": "video", "uploader": "Somebody", "quality": "default", "state": "completed",
            "priority": 1, "position": 1, "attempts": 1, "audio_only": 0, "as_film": 0,
        }  # fmt: skip
        columns = [row for row in connection.execute("PRAGMA table_info(download_queue)") if row[3] and row[1] != "id"]
        for number in range(rows):
            values = []
            for _cid, name, kind, *_rest in columns:
                fallback = (
                    at if "TIMESTAMPTZ" in kind else 0 if kind.split()[0] in ("INTEGER", "BIGINT", "BOOLEAN") else ""
                )
                values.append(known.get(name, fallback))
            row = dict(zip((column[1] for column in columns), values, strict=True))
            row |= {"title": f"A video with an ordinary title {number}", "url": f"https://example.org/{number}"}
            row |= {"url_key": row["url"]}
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            made = connection.execute(f"INSERT INTO download_queue ({names}) VALUES ({marks})", list(row.values()))
            connection.execute("INSERT INTO download_people VALUES (?, ?, ?)", (user, made.lastrowid, at))
        connection.commit()
    finally:
        connection.close()


def page_cpu_ms(folder: Path) -> float:
    """CPU milliseconds of the server for one page of downloads, 1000 rows in the table, 50 shown."""
    server = Server(folder).start()
    try:
        server.stop()
        fill_queue(server.data_dir / "medianest.sqlite", ROWS)
        server.start()
        with server.browser() as client:
            for _warm in range(5):
                page = client.get("/downloads?show=finished")
                page.raise_for_status()
            assert page.text.count('id="download-') >= 50, "the page does not show its 50 rows"
            time.sleep(2)
            before = process_info(server.pid)
            for _one in range(PAGES):
                client.get("/downloads?show=finished")
            after = process_info(server.pid)
        assert before is not None
        assert after is not None
        return (after.cpu_s - before.cpu_s) / PAGES * 1000
    finally:
        server.close()


def measure(folder: Path) -> Iterator[Figure]:
    say("pages …")
    note = f"median of {PAGES} pages over a kept connection"
    yield Figure("page of downloads, 1000 rows, CPU", page_cpu_ms(folder / "pages"), 15, "ms", note)
