"""Two thousand short items through the queue, a fifth of them trouble: how each ends, what stays open, what grows."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tests.bench.table import Figure, say
from tests.harness.processes import wait_until
from tests.harness.server import Server
from tests.site import Site
from tests.site.channels import write
from tests.soak.crowd import Actor, Person, Row, Viewer, database_bytes, rows_of
from tests.soak.leavings import Leavings, of_a_quiet_server, wait_until_quiet, what_is_left
from tests.soak.trouble import BATCH, HOSTS, KINDS, SINGLES, Item, Kind, batch
from tests.soak.watching import MB, Watch, files_below, slope, workers_of
from tests.soak.years import add_years

BATCHES = 20
WARM_UP = 4  # batches before the first of the two looks that are compared
IN_LINE = 150  # open items below which the next batch is added
ITEMS_PER_KILL = 50
LOOK_S = 2.0
LIMIT_S = 45 * 60
SEED = 20_260_315
ENDED = ("completed", "failed", "cancelled")

# What is level: over a thousand items an allocator's noise is some hundred kB either way. Half a row, an event or a task
# that is kept of each item would be a kB or more apiece, hence 1 MB and more, every thousand, for years.
SERVER_SLOPE_MB = 1.0
# A worker lives for twenty items; what it has at most must not depend on how long the server runs.
WORKER_SLOPE_MB = 1.5
WARM_WORKER_BYTES = 30 * MB  # below, it was killed before it had loaded yt-dlp
# With nothing to do it has eight; one that were forgotten by each of its twenty items would be more.
WORKER_FILES = 26
DATABASE_ITEM_KB = 8.0


class Soak:
    """One run: a site, a server, people, and whoever looks at them."""

    def __init__(
        self, folder: Path, site: Site, *, batches: int, size: int, warm_up: int = 0, seed: int = SEED,
        kinds: Sequence[Kind] = KINDS,
    ) -> None:  # fmt: skip
        self.folder, self.site = folder, site
        self.batches, self.size, self.warm_up = batches, size, warm_up
        self.kinds = kinds
        self.chance = random.Random(seed)
        self.temp = folder / "tmp"
        self.temp.mkdir()
        allowed = ",".join((site.host, *HOSTS))
        env = {"MEDIANEST_ALLOW_PRIVATE_DOWNLOADS": allowed, "TMPDIR": str(self.temp)}
        self.server = Server(folder / "server", env=env)
        self.watch = Watch(self.server)
        self.items: list[Item] = []
        self.tops: list[int] = []  # rows that were added by somebody
        self.removed: set[str] = set()  # links
        self.added = 0
        self.kills = self.told = 0
        self.began = time.monotonic()
        self.troubles: list[str] = []

    def run(self, upto: int) -> None:
        """Add batches until there are `upto` and see all their items to their ends."""
        end, looked = time.monotonic() + LIMIT_S, 0.0
        with Person(self.server) as person, Viewer(self.server) as viewer:
            actor = Actor(person, self.removed)
            while True:
                rows = rows_of(self.server)
                actor.act(rows)
                still = self.still_open(rows)
                done = len(self.items) - len(still)
                if self.added < upto and len(still) < IN_LINE:
                    actor.expect(self.add_batch(person))
                elif not still and self.added == upto:
                    break
                if time.monotonic() - looked > LOOK_S:
                    looked = time.monotonic()
                    self.watch.look(done)
                    self.tell(done)
                self.kill_now_and_then(done)
                if time.monotonic() > end:
                    raise AssertionError(f"{len(still)} items have not ended in time: {sorted(still)[:20]}")
                time.sleep(0.5)
        self.troubles += actor.refused + viewer.troubles
        say(
            f"  {len(self.items)} items: {self.kills} workers killed, {viewer.messages} live messages, {viewer.loaded} pages"
        )

    def add_batch(self, person: Person) -> list[Item]:
        """One list of most of a batch, and the rest link by link."""
        items = batch(self.added, self.site.url(""), self.chance, size=self.size, kinds=self.kinds)
        self.added += 1
        singles = items[: max(1, SINGLES * self.size // BATCH)]
        file = self.folder / f"list-{self.added}.json"
        write(file, items=[{"id": one.name, "title": one.name, "link": one.url} for one in items[len(singles) :]])
        self.items += items
        self.tops.append(person.add(self.site.url(f"/growing/list{self.added}.xml?file={file}")))
        self.tops += [person.add(one.url) for one in singles]
        return items

    def still_open(self, rows: list[Row]) -> set[str]:
        """Links that have not ended; one without a row was removed, or its list has not been opened yet."""
        there = {row.url for row in rows}
        running = {row.url for row in rows if row.state not in ENDED}
        links = {item.url for item in self.items}
        return links & running | links - there - self.removed

    def tell(self, done: int) -> None:
        if done // 100 > self.told:
            self.told = done // 100
            say(f"  {done} of {self.batches * self.size} after {time.monotonic() - self.began:.0f} s")

    def kill_now_and_then(self, done: int) -> None:
        """End a worker as the kernel would that has no memory left."""
        if done < (self.kills + 1) * ITEMS_PER_KILL * self.size / BATCH:
            return
        if found := workers_of(self.server):
            self.kills += 1
            with suppress(ProcessLookupError):
                os.kill(self.chance.choice(found), signal.SIGKILL)

    def settle(self) -> Leavings:
        """One more item so that a worker is warm, then what the server holds when nothing is left to do."""
        with Person(self.server) as person:
            for number in range(3):  # the worker may have been worn out by just this one, and nobody needs another
                self.tops.append(person.add(self.site.url(f"/clip/settle-{self.added}-{number}.mp4")))
                person.wait_until_completed(self.tops[-1])
                wait_until_quiet(self.server)
                if workers_of(self.server):
                    break
        return of_a_quiet_server(self.server)

    def judge(self) -> dict[str, int]:
        """How many items of each kind ended as they must; every other end is a sentence."""
        rows: dict[str, list[Row]] = {}
        for row in rows_of(self.server):
            rows.setdefault(row.url, []).append(row)
        well: Counter[str] = Counter()
        for item in self.items:
            state, reason = item.kind.ends
            found = [(row.state, row.reason if state == "failed" else None) for row in rows.get(item.url, [])]
            wanted = [] if state == "removed" else [(state, reason)] * max(1, len(found))
            if found == wanted:
                well[item.kind.name] += 1
            else:
                self.troubles.append(f"{item.name} must be {state} ({reason}) and is {found}")
        return dict(well)

    def remove_all(self) -> None:
        """Take everything off the list again, as a person would: nothing of it may stay anywhere."""
        with Person(self.server) as person:
            for number in dict.fromkeys(self.tops):
                answer = person.call("DELETE", f"/downloads/{number}")
                if answer.status_code not in (204, 404):  # a single one may have been removed before
                    self.troubles.append(f"download {number} can not be removed: {answer.text[:200]}")


def measure(
    folder: Path, *, batches: int = BATCHES, size: int = BATCH, warm_up: int = WARM_UP, seed: int = SEED
) -> Iterator[Figure]:
    """Figures of this part."""
    with Site(also=HOSTS) as site:
        soak = Soak(folder, site, batches=batches, size=size, warm_up=warm_up, seed=seed)
        say(f"items: {batches} batches of {size}, seed {seed} …")
        try:
            soak.server.start()
            yield from _figures(soak)
        finally:
            soak.server.close()


def _figures(soak: Soak) -> Iterator[Figure]:
    began = time.monotonic()
    soak.tops.append(add_years(soak.server, soak.site.url("/clip/years.mp4")))
    soak.run(soak.warm_up)
    # the recurring tasks begin one after the other; this one reads the whole history, and is the last
    wait_until(lambda: "Task keep_to_rules" in soak.server.log(), timeout_s=400, what="all tasks have run once")
    before = soak.settle()
    soak.watch.forget()
    size_bytes, rows = database_bytes(soak.server), len(rows_of(soak.server))
    soak.run(soak.batches)
    minutes = (time.monotonic() - began) / 60
    what = f"{len(soak.items)} items with trouble, to their ends"
    yield Figure(what, minutes, 15, "min", f"{soak.kills} workers killed")
    yield from _memory(soak)
    well = soak.judge()
    after = soak.settle()
    soak.troubles += what_is_left(soak.server, soak.temp)
    if soak.troubles:
        raise AssertionError("\n".join(soak.troubles[:30]))
    yield from _leavings(before, after)
    yield from _database(soak, size_bytes, rows)
    yield from _end(soak)
    say("  " + ", ".join(f"{name}: {number}" for name, number in well.items()))


def _memory(soak: Soak) -> Iterator[Figure]:
    samples = soak.watch.samples
    level = slope([(one.done / 1000, one.own_bytes / MB) for one in samples])
    most = max(one.pss_bytes for one in samples) / MB
    note = f"{samples[0].own_bytes / MB:.1f} MB, then {samples[-1].own_bytes / MB:.1f} MB; {len(samples)} looks, PSS at most {most:.0f} MB"
    yield Figure("memory of the server, for 1000 items more", level, SERVER_SLOPE_MB, "MB", note)
    workers = [one for one in soak.watch.workers.values() if one.most_pss_bytes > WARM_WORKER_BYTES]
    level = slope([(one.born_at / 1000, one.most_pss_bytes / MB) for one in workers])
    most = max(one.most_pss_bytes for one in workers) / MB
    note = f"{len(workers)} workers, the largest {most:.1f} MB"
    yield Figure("most memory of a worker, for 1000 items more", level, WORKER_SLOPE_MB, "MB", note)
    files = max(one.most_files for one in workers)
    yield Figure("open files and sockets of a worker, at most", files, WORKER_FILES, "")


def _leavings(before: Leavings, after: Leavings) -> Iterator[Figure]:
    more = after.files - before.files
    note = f"{after.files.total()} in all" + (f"; more: {dict(more)}" if more else "")
    yield Figure("open files and sockets of the server, more than before", more.total(), 1, "", note)
    # one, those of SQLite's connections, and as many as asyncio takes for what blocks
    most = 1 + 5 + min(32, (os.cpu_count() or 1) + 4)
    yield Figure("threads of the server", after.threads, most + 1, "", f"{before.threads} before")
    yield Figure(
        "child processes, more than before", after.children - before.children, 1, "", f"{after.children} in all"
    )


def _database(soak: Soak, old_bytes: int, old_rows: int) -> Iterator[Figure]:
    size, rows = database_bytes(soak.server), len(rows_of(soak.server))
    note = f"{(size - old_bytes) / MB:.1f} MB more for {rows - old_rows} rows more"
    yield Figure("database, for each item", (size - old_bytes) / (rows - old_rows) / 1000, DATABASE_ITEM_KB, "kB", note)


def _end(soak: Soak) -> Iterator[Figure]:
    soak.remove_all()
    time.sleep(1)
    left = [one for one in files_below(soak.server.library_dir) if not one.startswith(".medianest")]
    staged = files_below(soak.server.library_dir / ".medianest" / "jobs")
    yield Figure("files of the library after all is removed", len(left), 1, "", ", ".join(left[:5]))
    yield Figure("staging folders after all is removed", len(staged), 1, "", ", ".join(staged[:5]))
    soak.server.stop()
    alive = soak.server.leftovers()
    yield Figure("processes after the stop", len(alive), 1, "")
    own = soak.server.data_dir / "temp"  # holds an empty folder of this run
    temp = [*files_below(soak.temp), *(one for one in files_below(own) if "/" in one)]
    yield Figure("temporary files after the stop", len(temp), 1, "", ", ".join(temp[:5]))
