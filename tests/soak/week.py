"""A family's week: the real scheduler, real workers, kills at any moment, two versions of yt-dlp, one of them bad.

It ends with a stated list of files (`week_script.py`), each where Plex was told it is. The nights take no time
(`week_night.py`), so every rule about days holds with its own figures; the killer follows a seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.table import Figure, say
from tests.plex import PlexWorld
from tests.release import Releases
from tests.site import Site
from tests.soak import week_end
from tests.soak.week_people import DAYS
from tests.soak.week_script import BAD, BAD_DAY, BUSY, CLUB, GOOD, LAST_DAY, PLEX_OFF
from tests.soak.week_town import Town

SEED = 20270115
LIMIT_S = 600  # on two slow cores that do other things as well
SERVER_KILLS, WORKER_KILLS = 2, 1  # on a day with any
# the day that must begin with the bad yt-dlp, and the last, which finishes what a kill of the night before has left
CALM_DAYS = (BAD_DAY, LAST_DAY)
NIGHTS_MISSED = 4
LEAST_BUSY_KILLS = 4


def measure(folder: Path) -> Iterator[Figure]:
    began = time.monotonic()
    say(f"the week, seed {SEED} …")
    with Site(also=(BUSY, CLUB)) as site, PlexWorld() as plex, Releases() as releases:
        town = Town(folder, site, plex, releases, SEED)
        try:
            for day in range(LAST_DAY + 1):
                live(town, day)
            count = judge(town, LAST_DAY)
            week_end.check_engine(town)
            week_end.check_sites(town)
            yield from figures(town, count)
        except TimeoutError as error:  # what was waited for is a promise as well
            raise AssertionError(f"on day {town.day}: {error}") from error
        finally:
            town.server.close()
    assert not town.server.leftovers(), "processes were left over"
    yield Figure("the whole week", time.monotonic() - began, LIMIT_S, "s")


def live(town: Town, day: int) -> None:
    """One day from its morning to the evening in which all is done."""
    began, before = time.monotonic(), len(town.kills)
    town.show(day if day != BAD_DAY else day - 1)
    if day > 0:
        town.sleep()
    if day == PLEX_OFF:
        town.plex.turn_off()
    elif day == PLEX_OFF + 1:
        town.plex.turn_on()
    town.server.start()
    DAYS.get(day, lambda _town: None)(town)
    town.until_quiet([] if day in CALM_DAYS else kills_of(town))
    if day == 0:
        town.publish(GOOD)
    elif day == BAD_DAY - 1:
        town.publish(BAD, is_bad=True)
    say(f"day {day}: {time.monotonic() - began:.0f} s, killed: {', '.join(town.kills[before:]) or 'nothing'}")


def kills_of(town: Town) -> list[tuple[float, Callable[[], None]]]:
    """When what is killed on one day, in seconds after its first download began."""
    chance = town.chance
    kills: list[Callable[[], None]] = [town.kill_server] * SERVER_KILLS + [town.kill_worker] * WORKER_KILLS
    chance.shuffle(kills)
    moments = sorted(chance.uniform(0.2, 7.0) for _ in kills)
    return list(zip(moments, kills, strict=True))


def judge(town: Town, day: int) -> int:
    """Compare everything with what the script says of the end of `day`; how many files there are."""
    assert town.server.stop() == 0, "it did not stop in peace"
    assert not town.server.leftovers(), "processes were left over"
    count = week_end.check_disk(town, day)
    week_end.check_rows(town, day)
    week_end.check_plex(town, day)
    # what workers say of a bad yt-dlp is no fault of the server
    log = "\n".join(line for line in town.server.log().splitlines() if "medianest.downloads.child" not in line)
    assert "Traceback" not in log, log[max(0, log.index("Traceback") - 2000) :][:6000]
    return count


def figures(town: Town, count: int) -> Iterator[Figure]:
    """What is worth knowing beside that nothing was broken."""
    servers = [one for one in town.kills if one.startswith("server")]
    busy = sum(not one.endswith("with 0 downloads") for one in servers)
    assert busy >= LEAST_BUSY_KILLS, f"only {busy} kills met a running download: this run proves little"
    runs = town.rows("SELECT name, outcome, count(*) AS number FROM scheduled_runs GROUP BY name, outcome")
    done = sum(one["number"] for one in runs if one["outcome"] == "ok")
    cut = sum(one["number"] for one in runs if one["outcome"] == "failed")
    nights = town.rows(
        "SELECT name, count(DISTINCT slot) AS number FROM scheduled_runs WHERE outcome = 'ok' AND name IN "
        "('keep_to_rules', 'update_engine', 'clean_staging', 'clean_rows', 'clean_pictures', 'repair_plex_library') GROUP BY name"
    )
    fewest = min(one["number"] for one in nights)
    kills = f"server killed {len(servers)} times, {busy} of them with a running download, workers {len(town.kills) - len(servers)}"
    yield Figure(
        "files missing, too many or not whole", 0, 1, "", f"of {count}, on the disk, in the rows and in Plex; {kills}"
    )
    yield Figure(
        "nights missed by one job",
        LAST_DAY + 1 - fewest,
        NIGHTS_MISSED,
        "",
        f"{done} runs of jobs, {cut} cut or failed",
    )
