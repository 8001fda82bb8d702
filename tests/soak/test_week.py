"""The first day of the week, with its kills: what `make soak ARGS=week` does for ten of them."""

from __future__ import annotations

from pathlib import Path

from tests.harness.processes import wait_until
from tests.plex import PlexWorld
from tests.release import Releases
from tests.site import Site
from tests.soak import week
from tests.soak.week_script import BUSY, CLUB
from tests.soak.week_town import Town


def clear_as_at_night(town: Town) -> None:
    """A kill between the filed video and the removal of what was unfinished leaves that to the night."""
    with town.owner() as client:
        client.post("/api/v1/system/tasks/clean_staging/run").raise_for_status()
    wait_until(lambda: "Task clean_staging" in town.server.log(), timeout_s=30, what="the unfinished files are cleared")


def test_after_a_day_with_kills_every_stated_file_is_on_the_disk_in_the_rows_and_in_plex(tmp_path: Path) -> None:
    with Site(also=(BUSY, CLUB)) as site, PlexWorld() as plex, Releases() as releases:
        town = Town(tmp_path, site, plex, releases, seed=1)
        try:
            week.live(town, 0)
            assert any(kill.startswith("server") for kill in town.kills)
            clear_as_at_night(town)
            assert week.judge(town, 0) > 0
        finally:
            town.server.close()
    assert not town.server.leftovers()
