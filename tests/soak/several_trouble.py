"""What happens to several instances: whole processes and single workers are killed; orders given at one must reach all."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from tests.bench.table import say
from tests.harness.downloads import FINAL
from tests.harness.processes import command_of, wait_until
from tests.harness.server import Server
from tests.site import Site
from tests.soak.several_house import House, Person
from tests.soak.several_orders import Video, slow_video

RUNNING = "state IN ('downloading', 'processing') AND kind = 'video'"
TAKEN_OVER_S = 5.0
ORPHANS_S = 5.0
OBEYED_S = 5.0
STILL_S = 3.0


def must(condition: Callable[[], object], *, timeout_s: float, what: str, every_s: float = 0.05) -> None:
    """Wait until a promise is kept; raises AssertionError when it is not in time."""
    try:
        wait_until(condition, timeout_s=timeout_s, what=what, every_s=every_s)
    except TimeoutError as error:
        raise AssertionError(f"A promise is broken, {error}.") from error


class Killer:
    """Kills by a seed, and measures how long what was killed stays."""

    def __init__(self, house: House, chance: random.Random) -> None:
        self._house, self._chance = house, chance
        self.servers_killed = self.workers_killed = 0
        self.taken_over_s: list[float] = []

    def kill_worker(self) -> None:
        """One download process, in whatever it does."""
        server = self._chance.choice(self._house.servers)
        workers = [pid for pid in server.leftovers() if "_worker" in command_of(pid).split()]
        if workers:
            with suppress(ProcessLookupError):
                os.kill(self._chance.choice(sorted(workers)), signal.SIGKILL)
                self.workers_killed += 1

    def kill_servers(self, longest_s: float) -> None:
        """One process, sometimes two or all of them; they come back within `longest_s` seconds."""
        servers = self._house.servers
        number = self._chance.choices((1, 2, len(servers)), weights=(8, 3, 1))[0]
        victims = self._chance.sample(servers, k=min(number, len(servers)))
        away_s = self._chance.uniform(0.2, longest_s)
        pids = [victim.pid for victim in victims]
        began = time.monotonic()
        for victim in victims:
            victim.kill()
        self.servers_killed += len(victims)
        must(
            lambda: not any(victim.leftovers() for victim in victims), timeout_s=ORPHANS_S,
            what="no worker of a killed process goes on",
        )  # fmt: skip
        theirs = " OR ".join(f"owner LIKE '%/{pid}/%'" for pid in pids)
        is_someone_left, had_claims = len(victims) < len(servers), self._house.count(theirs)
        if had_claims and is_someone_left:
            self._see_taken_over(theirs, began)
        time.sleep(max(0.0, began + away_s - time.monotonic()))
        self._house.start_these(victims)
        if had_claims and not is_someone_left:
            self._see_taken_over(theirs, time.monotonic())

    def _see_taken_over(self, theirs: str, began: float) -> None:
        must(
            lambda: not self._house.count(theirs), timeout_s=TAKEN_OVER_S * 3, every_s=0.1,
            what="the downloads of a killed process are taken over",
        )  # fmt: skip
        self.taken_over_s.append(time.monotonic() - began)


class Obedience:
    """Cancel, pause and resume, each given at another instance than the one that works.

    Kept afterwards: `cancelled`, the number of a download, `resumed`, a video, the worst seconds until workers were gone.
    """

    def __init__(self, house: House, admin: Person, site: Site) -> None:
        self._house, self._admin, self._site = house, admin, site
        self.cancelled = 0
        self.resumed: Video | None = None
        self.worst_s = 0.0

    def cancel_elsewhere(self) -> None:
        """The worker is gone and nothing of it comes into the library."""
        download_id, owner = self._running(slow_video(self._site, "cancelled"))
        self.cancelled = download_id
        self._tell(download_id, "cancel", owner)
        time.sleep(STILL_S)
        assert not self._house.writers(download_id), "A cancelled download is written on."
        (row,) = self._house.ask(f"SELECT state, history_id FROM download_queue WHERE id = {download_id}")
        assert row == {"state": "cancelled", "history_id": None}, f"A cancelled download is {row}."

    def pause_elsewhere(self) -> None:
        """It stops, and goes on by a word to yet another instance."""
        self.resumed = slow_video(self._site, "resumed")
        download_id, owner = self._running(self.resumed)
        self._tell(download_id, "pause", owner)
        time.sleep(STILL_S)
        (row,) = self._house.ask(f"SELECT state, owner FROM download_queue WHERE id = {download_id}")
        assert row == {"state": "paused", "owner": None}, f"A paused download is {row}."
        self._admin.call("POST", f"/downloads/{download_id}/resume", at=owner)
        must(
            lambda: self._house.count(f"id = {download_id} AND (owner IS NOT NULL OR state = 'completed')"),
            timeout_s=30, what="a resumed download goes on",
        )  # fmt: skip

    def stop_everything(self) -> None:
        """All of the queue pauses by a word to one; with the switch of another off it stays in line. Nobody adds meanwhile."""
        first, second = self._house.servers[0], self._house.servers[-1]
        self._see_running()
        began = time.monotonic()
        paused = self._admin.call("POST", "/queue/pause", at=first)["changed"]
        assert paused, "There was nothing to pause."
        self._see_still(began)
        assert not self._house.count("state = 'queued' AND kind = 'video'"), "What was paused is in line."
        settings = self._admin.call("GET", "/queue-settings")
        self._admin.call("PUT", "/queue-settings", at=second, json={**settings, "is_paused": True})
        time.sleep(0.5)
        began = time.monotonic()
        resumed = self._admin.call("POST", "/queue/resume", at=first)["changed"]
        assert resumed == paused, f"{paused} were paused and {resumed} resumed."
        self._see_still(began)
        assert self._house.count("state = 'queued' AND kind = 'video'"), "What was resumed is not in line."
        self._admin.call("PUT", "/queue-settings", at=first, json=settings)
        self._see_running()

    def remove_cancelled(self) -> None:
        """Its unfinished files, which were kept for a second try, are gone at once."""
        assert (self._house.staging / str(self.cancelled)).is_dir(), "What a cancelled download had fetched is gone."
        self._admin.call("DELETE", f"/downloads/{self.cancelled}")

    def _running(self, video: Video) -> tuple[int, Server]:
        """The number of a download of `video` that runs, and who runs it."""
        new = {"url": video.url, "priority": "high"}
        download_id: int = self._admin.call("POST", "/downloads", json=new)["id"]
        must(lambda: self._house.writers(download_id), timeout_s=60, what="a slow download is written")
        owner = self._house.owner_of(download_id)
        assert owner is not None, "A download that is written belongs to nobody."
        return download_id, owner

    def _tell(self, download_id: int, word: str, owner: Server) -> None:
        other = next(server for server in self._house.servers if server is not owner)
        workers = self._house.writers(download_id)
        began = time.monotonic()
        self._admin.call("POST", f"/downloads/{download_id}/{word}", at=other)
        must(
            lambda: not self._house.writers(download_id), timeout_s=OBEYED_S, every_s=0.02,
            what=f"the worker {workers} obeys a {word} that another instance was given",
        )  # fmt: skip
        taken = time.monotonic() - began
        self.worst_s = max(self.worst_s, taken)
        say(f"  {word} given at another instance: {taken:.2f} s")

    def _see_running(self) -> None:
        must(self._house.writers, timeout_s=30, what="downloads run")

    def _see_still(self, began: float) -> None:
        must(
            lambda: not self._house.writers() and not self._house.count(RUNNING),
            timeout_s=OBEYED_S, every_s=0.02, what="a stop of the queue holds at every instance",
        )  # fmt: skip
        self.worst_s = max(self.worst_s, time.monotonic() - began)
        end = time.monotonic() + STILL_S
        while time.monotonic() < end:
            assert not self._house.count(RUNNING), "Something runs although the queue was stopped."
            assert not self._house.writers(), "Something is written although the queue was stopped."
            time.sleep(0.2)


def unfinished(house: House) -> int:
    """Rows that still have something to do; lists that have not been opened are among them."""
    ended = ", ".join(f"'{state}'" for state in FINAL)
    return house.count(f"state NOT IN ({ended})")
