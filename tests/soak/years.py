"""A server with years behind it: thousands of rows, and every cache of the database as full as it gets.

SQLite keeps up to 8 MB of pages for each of its five connections. On a fresh server these fill while the tables grow, and
nobody could tell that from a leak.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor

from tests.harness.server import Server
from tests.soak.crowd import Person, database_of

ROWS = 3000
TITLE_BYTES = 4000  # 3000 rows of these are more than one cache holds


def add_years(server: Server, url: str) -> int:
    """Let it download `url`, copy that many times in the table, and touch all of it; the id of the download."""
    with Person(server) as person:
        number = person.add(url)
        person.wait_until_completed(number)
    server.stop()
    database = sqlite3.connect(database_of(server))
    try:
        one = {"url": "h.url || '?' || n", "title": f"hex(randomblob({TITLE_BYTES // 2}))"}
        _copy(database, "download_history", {**one, "identity": "'years:' || n", "show_id": "NULL"})
        paused = {"state": "'paused'", "url_key": "'years:' || n", "history_id": "NULL", "finished_at": "NULL"}
        _copy(database, "download_queue", {**one, **paused})
        database.commit()
    finally:
        database.close()
    server.start()
    with Person(server) as person:
        with ThreadPoolExecutor(8) as many:  # each connection that reads gets some of these
            looks = [many.submit(person.call, "GET", "/history?q=nothing-is-called-that") for _ in range(64)]
        assert all(one.result().status_code == 200 for one in looks)
        assert person.call("POST", "/queue/cancel").raise_for_status().json()["changed"] == ROWS
    return number


def _copy(database: sqlite3.Connection, table: str, other: dict[str, str]) -> None:
    """Many copies of the one row of a table, with `other` values in some columns; the id counts by itself."""
    columns = [one[1] for one in database.execute(f"PRAGMA table_info({table})") if one[1] != "id"]
    values = ", ".join(other.get(one, f"h.{one}") for one in columns)
    database.execute(
        f"WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {ROWS}) "
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} h, many"
    )
