"""A Postgres of the tests' own: a cluster in a temporary folder, on a free port, gone afterwards."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tests.harness.processes import free_port

# what is large is cut off as a whole; references need no order, since their checks are off
EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
DO $$
DECLARE one record;
BEGIN
  FOR one IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version' LOOP
    IF pg_relation_size(one.name::regclass) > 1000000 THEN
      EXECUTE format('TRUNCATE %I CASCADE', one.name);
    ELSE
      EXECUTE format('DELETE FROM %I', one.name);
    END IF;
  END LOOP;
  FOR one IN SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
    PERFORM setval(one.name::regclass, 1, false);
  END LOOP;
END $$;
"""
SHAPE = """
SELECT md5(string_agg(part, ';' ORDER BY part)) FROM (
  SELECT format('%s %s %s', attrelid::regclass, attname, atttypid) AS part FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
  UNION ALL SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT 'step ' || name FROM schema_version) AS parts
"""
T = TypeVar("T")
LEASH = Path(__file__).with_name("leash.py")
START_TIMEOUT_S = 30
# nothing here has to survive a power cut
FAST = ("-F", "-c", "full_page_writes=off", "-c", "synchronous_commit=off", "-c", "shared_buffers=32MB")


def in_own_loop(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end in a loop and thread of its own; the loop of the test is left alone."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(asyncio.wait_for(make(), 60)))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def postgres_program(name: str) -> str:
    """Path of one of Postgres's programs; Debian keeps them outside PATH.

    Raises:
        FileNotFoundError: Postgres is not installed.
    """
    if found := shutil.which(name):
        return str(Path(found).resolve())
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / name).exists():
            return str(folder / name)
    raise FileNotFoundError(f"The tests need Postgres, but {name} is not here. Run: python3 packaging/ensure_tools.py")


class PostgresCluster:
    """A running server; `url(name)` is the address of one of its databases."""

    def __init__(self) -> None:
        # outside pytest's own folder, which other users may not enter
        self.folder = Path(tempfile.mkdtemp(prefix="medianest-postgres-"))
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self._shapes: dict[str, str] = {}
        # Postgres refuses to run as root
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name

    def _command(self, *arguments: str) -> list[str]:
        as_other = ["--user", self.user] if os.getuid() == 0 else []
        return [sys.executable, str(LEASH), *as_other, *arguments]

    def start(self) -> None:
        """Make the cluster and start it; returns when it answers."""
        data = self.folder / "data"
        if os.getuid() == 0:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        made = subprocess.run(
            self._command(
                postgres_program("initdb"), "-D", str(data), "-U", "medianest", "-A", "trust", "-E", "UTF8",
                "--locale=C", "--no-sync",
            ),
            capture_output=True, text=True, timeout=120, cwd="/",
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stdout}{made.stderr}")
        for _attempt in range(3):  # the free port may be taken by the time it is used
            if self._start_once(data):
                return
        raise RuntimeError(f"Postgres did not start: {(self.folder / 'log').read_text()}")

    def _start_once(self, data: Path) -> bool:
        self.port = free_port()
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command(
                    postgres_program("postgres"), "-D", str(data), "-p", str(self.port), *FAST,
                    "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
                    "-c", "max_connections=200", "-c", "fsync=off",
                ),
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/",
            )  # fmt: skip
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                in_own_loop(self._ask)
            except (OSError, asyncpg.PostgresError):
                time.sleep(0.05)
            else:
                return True
        self.stop(removes=False)
        return False

    async def _ask(self) -> None:
        connection = await asyncpg.connect(self.url("postgres"), timeout=5)
        await connection.close()

    def stop(self, *, removes: bool = True) -> None:
        """End the server at once and remove its folder."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)  # immediate: nothing of it is kept
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
            self.process = None
        if removes:
            shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """Address of one database, as `MEDIANEST_DATABASE_URL` takes it."""
        # without asking for TLS, which this server has not: one exchange less for each connection
        return f"postgres://medianest:secret-word@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def create_database(self, template: str = "template0") -> str:
        """Make a new database, a copy of `template`; its name."""
        self._made += 1
        name = f"test_{self._made}"
        self.run_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, cutting whoever is still connected."""
        self.run_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def empty_database(self, name: str, template: str) -> None:
        """Cut whoever is still connected, remove every row but the list of migrations, and begin all ids with 1.

        A test may have changed the schema on purpose: then the database is a copy of `template` again.
        """

        async def empty(database: str) -> str:
            connection = await asyncpg.connect(self.url(database), timeout=10)
            try:
                await connection.execute(EMPTY)
                return str(await connection.fetchval(SHAPE))
            finally:
                await connection.close()

        if template not in self._shapes:
            self._shapes[template] = in_own_loop(lambda: empty(template))
        if in_own_loop(lambda: empty(name)) != self._shapes[template]:
            self.drop_database(name)
            self.run_sql(f"CREATE DATABASE {name} TEMPLATE {template}")

    def run_sql(self, sql: str, database: str = "postgres") -> list[Any]:
        """Run one statement outside the tests' own engine; its rows."""

        async def run() -> list[Any]:
            connection = await asyncpg.connect(self.url(database), timeout=10)
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()

        return in_own_loop(run)
