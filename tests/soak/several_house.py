"""Several MediaNests on one database and one library, what their tables say, and the people who use them."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.harness.postgres import PostgresCluster
from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server, library_folder_elsewhere
from tests.soak.several_orders import Order

KEY = "one-key-for-all-instances-of-this-run-0123456789"
PASSWORD = "Lantern-Harbour-7-Meadow"
ANSWER_S = 90.0  # a person tries again for so long: every instance may be dead at one moment
Ask = Callable[[str], list[dict[str, Any]]]


class House:
    """All instances. `ask` runs one SELECT on their database."""

    def __init__(self, servers: Sequence[Server], ask: Ask) -> None:
        self.servers, self.ask = list(servers), ask
        self.library = servers[0].library_dir

    @property
    def staging(self) -> Path:
        return self.library / ".medianest" / "jobs"

    def start(self) -> None:
        """The first alone, since it makes the tables and the administrator; then all others at once."""
        self.servers[0].start()
        self.start_these(self.servers[1:])

    def start_these(self, servers: Sequence[Server]) -> None:
        for server in servers:
            server.launch()
        for server in servers:
            server.wait_healthy()

    def stop(self) -> list[int]:
        """Stop all in good order; their exit codes."""
        return [server.stop() for server in self.servers if server.process is not None]

    def close(self) -> None:
        for server in self.servers:
            server.close()

    def count(self, condition: str) -> int:
        """How many rows of the queue are so."""
        return int(self.ask(f"SELECT count(*) AS n FROM download_queue WHERE {condition}")[0]["n"])

    def owner_of(self, download_id: int) -> Server | None:
        """The instance that works on a download, None when none does."""
        rows = self.ask(f"SELECT owner FROM download_queue WHERE id = {download_id}")
        pid = int(rows[0]["owner"].split("/")[3]) if rows and rows[0]["owner"] else 0
        return next((one for one in self.servers if one.process is not None and one.pid == pid), None)

    def writers(self, download_id: int | None = None) -> set[int]:
        """Processes of ours that hold a file open in the staging folder of a download, or of any."""
        folder = str(self.staging if download_id is None else self.staging / str(download_id)) + "/"
        pids = {pid for server in self.servers for pid in server.leftovers()}
        return {pid for pid in pids if any(name.startswith(folder) for name in _open_files(pid))}


def _open_files(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield os.readlink(entry)


@contextmanager
def house_on_postgres(folder: Path, instances: int, cluster: PostgresCluster) -> Iterator[House]:
    """`instances` on one database, each with a data folder of its own, all with one library."""
    folder.mkdir()
    library = library_folder_elsewhere(folder)
    house: House | None = None
    try:
        name = cluster.create_database()
        servers = [
            Server(
                folder / f"instance-{number}",
                database_url=cluster.url(name),
                library_dir=library,
                with_admin=number == 0,
                env={"MEDIANEST_SECRET_KEY": KEY},
            )
            for number in range(instances)
        ]
        servers[0].owns_library = True
        house = House(servers, lambda sql: [dict(row) for row in cluster.run_sql(sql, name)])
        house.start()
        yield house
    finally:
        if house is not None:
            house.close()


@contextmanager
def house_on_sqlite(folder: Path) -> Iterator[House]:
    """The one instance that a SQLite database can have."""
    server = Server(folder / "alone")

    def ask(sql: str) -> list[dict[str, Any]]:
        connection = sqlite3.connect(f"file:{server.data_dir / 'medianest.sqlite'}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(sql)]
        finally:
            connection.close()

    house = House([server], ask)
    try:
        house.start()
        yield house
    finally:
        house.close()


class Person:
    """Somebody with the API open at all instances; a token of one is good at every other."""

    def __init__(self, house: House, name: str, password: str, seed: int) -> None:
        self._house, self._name, self._password = house, name, password
        self.chance = random.Random(seed)
        self._token = ""
        self._clients = {server.base_url: server.visitor() for server in house.servers}

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def call(self, method: str, path: str, *, at: Server | None = None, json: object = None) -> Any:
        """The answer of some instance (or of `at`). One that is dead or dies meanwhile is left for another.

        Raises:
            AssertionError: nobody answered in time, or the answer is a refusal.
        """
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            server = at or self.chance.choice(self._house.servers)
            try:
                if not self._token:
                    self._token = self._signed_in(server)
                answer = self._send(server, method, path, json)
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code == 401:
                self._token = ""
            elif answer.status_code == 429:
                time.sleep(min(int(answer.headers["Retry-After"]), 5))
            else:
                assert answer.is_success, f"{method} {path} was answered {answer.status_code}: {answer.text}"
                return answer.json() if answer.content else None
        raise AssertionError(f"{method} {path} got no answer within {ANSWER_S:.0f} s.")

    def _send(self, server: Server, method: str, path: str, json: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return self._clients[server.base_url].request(method, f"/api/v1{path}", json=json, headers=headers)

    def _signed_in(self, server: Server) -> str:
        who = {"username": self._name, "password": self._password, "remember": True, "cookies": False}
        return str(self._send(server, "POST", "/auth/login", who).raise_for_status().json()["access_token"])


def administrator(house: House) -> Person:
    return Person(house, ADMIN_NAME, ADMIN_PASSWORD, seed=0)


def family(house: House, admin: Person, number: int, seed: int) -> list[Person]:
    """People without limits who have chosen their passwords."""
    people = []
    for one in range(number):
        name = f"person{one}"
        made = admin.call("POST", "/users", json={"username": name})
        limits = {"downloads_per_hour": -1, "storage_bytes": -1}
        admin.call("PATCH", f"/users/{made['person']['id']}", json={"quotas": limits})
        first = Person(house, name, made["password"], seed)
        chosen = {"current_password": made["password"], "new_password": PASSWORD}
        first.call("POST", "/me/password", json=chosen)
        first.close()
        people.append(Person(house, name, PASSWORD, seed=seed + 1 + one))
    return people


class Crowd:
    """Everybody adds their orders at the same time, each at their own pace, at whichever instance they come to.

    Args:
        pause_s: the longest pause of a person between two orders.
    """

    def __init__(self, people: Sequence[Person], ordered: Sequence[Order], pause_s: float) -> None:
        self._may_add = threading.Event()
        self._may_add.set()
        self._is_over = False
        self._pause_s = pause_s
        self.ids: dict[str, set[int]] = {order.url: set() for order in ordered}
        self._errors: list[Exception] = []
        self._threads = [
            threading.Thread(
                target=self._add_all, args=(person, [order for order in ordered if number in order.people]), daemon=True
            )
            for number, person in enumerate(people)
        ]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._may_add.set()
        for thread in self._threads:
            thread.join(ANSWER_S)

    def hold(self) -> None:
        """Nobody adds anything; what is being added this moment is in the queue a second later."""
        self._may_add.clear()
        time.sleep(1)

    def go_on(self) -> None:
        self._may_add.set()

    @property
    def is_done(self) -> bool:
        """Whether everything is added; raises what went wrong for one of them."""
        for error in self._errors:
            raise error
        return not any(thread.is_alive() for thread in self._threads)

    def _add_all(self, person: Person, ordered: Sequence[Order]) -> None:
        try:
            for order in ordered:
                self._may_add.wait()
                if self._is_over:
                    return
                self.ids[order.url].add(person.call("POST", "/downloads", json={"url": order.url})["id"])
                time.sleep(person.chance.uniform(0, self._pause_s))
        except Exception as error:
            self._errors.append(error)
