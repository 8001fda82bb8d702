"""Several instances on one database, killed at random: every job finishes, every file is there once, every word is heard.

Four MediaNests on one Postgres with one library, 500 jobs of several people, whole processes and single workers killed by
a seed; in the middle a cancel, a pause and stops of the whole queue that another instance was told than the one that
works. Then the same with the one process that a SQLite database can have.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.bench.table import Figure, median, say
from tests.harness.postgres import PostgresCluster
from tests.harness.processes import command_of
from tests.site import Site, clips
from tests.soak import several_checks as checks
from tests.soak.several_house import Crowd, House, administrator, family, house_on_postgres, house_on_sqlite
from tests.soak.several_orders import LENGTHS_S, Order, orders
from tests.soak.several_trouble import OBEYED_S, TAKEN_OVER_S, Killer, Obedience, unfinished

SEED = 20260315
WORKER_GAP_S = (6, 14)  # between two kills of workers: a download whose worker dies three times in a row has failed


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything. Times in seconds."""

    instances: int
    jobs: int
    people: int
    at_once: int  # downloads, over all instances
    pause_s: float  # the longest of a person between two links
    gap_s: tuple[float, float]  # between two kills of processes
    away_s: float  # the longest that a killed one stays away
    kills: int  # at most
    limit_s: float
    seed: int = SEED
    obeys: bool = True  # cancel and pause across instances are tried


FOUR = Size(
    instances=4, jobs=500, people=5, at_once=6, pause_s=5, gap_s=(2, 8), away_s=6, kills=1000, limit_s=30 * 60,
)  # fmt: skip
ALONE = Size(
    instances=1, jobs=150, people=3, at_once=4, pause_s=3, gap_s=(4, 12), away_s=4, kills=1000, limit_s=20 * 60,
    obeys=False,
)  # fmt: skip


class Run:
    """One house from its first order to the last check."""

    def __init__(self, house: House, site: Site, size: Size) -> None:
        self.house, self.site, self.size = house, site, size
        self.chance = random.Random(size.seed)
        self.admin = administrator(house)
        settings = self.admin.call("GET", "/queue-settings")
        small = {"concurrent_downloads": size.at_once, "free_space_floor_bytes": 0}
        self.admin.call("PUT", "/queue-settings", json={**settings, **small})
        self.people = family(house, self.admin, size.people, size.seed)
        self.ordered: list[Order] = orders(site, size.jobs, size.people, self.chance)
        self.crowd = Crowd(self.people, self.ordered, size.pause_s)
        self.killer = Killer(house, self.chance)
        self.obedience = Obedience(house, self.admin, site)
        self.seconds = 0.0
        self.left: list[str] = []

    def work(self) -> None:
        """Until everything is done, with trouble all the way."""
        began = self.told_at = time.monotonic()
        has_obeyed = not self.size.obeys
        next_kill = began + self.chance.uniform(*self.size.gap_s)
        next_worker = began + self.chance.uniform(*WORKER_GAP_S)
        with self.crowd:
            while not (self.crowd.is_done and has_obeyed and not unfinished(self.house)):
                now = time.monotonic()
                assert now < began + self.size.limit_s, (
                    f"It is not over after {self.size.limit_s:.0f} s: {self._state()}"
                )
                self._tell(now)
                if not has_obeyed and self._share_done() > 0.35:
                    has_obeyed = True
                    self._obey()
                elif now >= next_kill and self._may_kill():
                    self.killer.kill_servers(self.size.away_s)
                    next_kill = time.monotonic() + self.chance.uniform(*self.size.gap_s)
                elif now >= next_worker and self.killer.workers_killed < self.size.kills:
                    self.killer.kill_worker()
                    next_worker = time.monotonic() + self.chance.uniform(*WORKER_GAP_S)
                time.sleep(0.5)
        self.seconds = time.monotonic() - began

    def _may_kill(self) -> bool:
        """There are kills left, and claims to be lost by them."""
        return self.killer.servers_killed < self.size.kills and self.house.count("owner IS NOT NULL") > 0

    def _obey(self) -> None:
        self.obedience.cancel_elsewhere()
        self.obedience.pause_elsewhere()
        self.crowd.hold()
        self.obedience.stop_everything()
        self.crowd.go_on()

    def _share_done(self) -> float:
        return self.house.count("state = 'completed' AND kind = 'video'") / self.size.jobs

    def _state(self) -> str:
        rows = self.house.ask(
            "SELECT state, reason_code, count(*) AS n FROM download_queue GROUP BY state, reason_code"
        )
        return ", ".join(f"{row['n']} {row['state']} {row['reason_code'] or ''}".strip() for row in rows)

    def _tell(self, now: float) -> None:
        if now - self.told_at > 20:
            self.told_at = now
            say(
                f"  {self._state()}; {self.killer.servers_killed} processes and {self.killer.workers_killed} workers killed"
            )

    def check(self) -> None:
        """Every promise; raises AssertionError with the one that is broken."""
        videos = [video for order in self.ordered for video in order.videos]
        extra = [self.obedience.resumed] if self.obedience.resumed else []
        if self.obedience.cancelled:
            self.obedience.remove_cancelled()
        self.left = list(checks.leftovers(self.house))
        self.admin.call("POST", "/system/tasks/clean_staging/run")  # what the night would do
        checks.check_rows(self.house, self.ordered, self.crowd, extra=len(extra))
        checks.check_people(self.house, self.ordered, [f"person{number}" for number in range(self.size.people)])
        records = checks.check_history(self.house, [*videos, *extra])
        checks.check_numbers(records)
        checks.check_library(self.house, records, [*videos, *extra])
        codes = self.house.stop()
        assert not any(codes), f"A process did not end in good order: {codes}"
        pids = [pid for server in self.house.servers for pid in server.leftovers()]
        assert not pids, f"Processes are left: {[command_of(pid) for pid in pids]}"
        left = list(checks.leftovers(self.house))
        assert not left, f"The night leaves this behind: {left}"
        for server in self.house.servers:
            assert "Traceback" not in server.log(), (
                f"{server.log_path.parent.name} tells of an error: {errors_of(server.log())}"
            )

    def figures(self, name: str) -> Iterator[Figure]:
        size, killer = self.size, self.killer
        videos = sum(len(order.videos) for order in self.ordered)
        what = f"{killer.servers_killed} processes and {killer.workers_killed} workers killed, seed {size.seed}"
        yield Figure(f"{name}: {videos} jobs, all finished", self.seconds / 60, size.limit_s / 60, "min", what)
        if killer.taken_over_s:  # no kill of a short run may have met a claim
            note = f"{len(killer.taken_over_s)} times, median {median(killer.taken_over_s):.1f} s"
            yield Figure(f"{name}: taken over from the dead, worst", max(killer.taken_over_s), TAKEN_OVER_S, "s", note)
        if size.obeys:
            note = "cancel, pause, stops of the whole queue"
            yield Figure(f"{name}: obeyed at another instance, worst", self.obedience.worst_s, OBEYED_S, "s", note)
        asked = sum(request.method == "GET" and is_media(request.path) for request in self.site.requests)
        yield Figure(
            f"{name}: media asked for, each video", asked / videos, 3, "x", "1 without kills; parts go on by Range"
        )
        yield Figure(
            f"{name}: left for the night to clear",
            len(self.left),
            1 + killer.servers_killed,
            "",
            ", ".join(self.left[:4]),
        )

    def close(self) -> None:
        for person in (self.admin, *self.people):
            person.close()


def errors_of(log: str) -> str:
    """The end of the first error in a log."""
    return log[log.index("Traceback") :][:3000]


def is_media(path: str) -> bool:
    return path.startswith("/clip/")


def run(house: House, site: Site, size: Size, name: str) -> Iterator[Figure]:
    """One house with all its trouble and checks."""
    made = Run(house, site, size)
    try:
        made.work()
        say(f"  done after {made.seconds:.0f} s; checking …")
        made.check()
        yield from made.figures(name)
    finally:
        made.close()


def measure(folder: Path, *, four: Size = FOUR, alone: Size = ALONE) -> Iterator[Figure]:
    for length in LENGTHS_S:
        clips.clip(length)
    say(f"{four.instances} instances on Postgres, {four.jobs} jobs, seed {four.seed} …")
    cluster = PostgresCluster()
    try:
        cluster.start()
        with Site() as site, house_on_postgres(folder / "several", four.instances, cluster) as house:
            yield from run(house, site, four, f"{four.instances} on Postgres")
    finally:
        cluster.stop()
    say(f"one instance on SQLite, {alone.jobs} jobs, seed {alone.seed} …")
    with Site() as site, house_on_sqlite(folder / "alone") as house:
        yield from run(house, site, alone, "1 on SQLite")
