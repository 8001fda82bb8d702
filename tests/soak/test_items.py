"""The soak at a size for every day: the kinds of trouble that need no minute, and whether it sees what it looks for."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.site import Site
from tests.soak.items import Soak
from tests.soak.leavings import wait_until_quiet, what_is_left
from tests.soak.trouble import HOSTS, QUICK
from tests.soak.watching import open_files, slope

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks processes up in /proc")


def test_each_kind_of_trouble_ends_as_it_must_and_leaves_nothing(tmp_path: Path) -> None:
    with Site(also=HOSTS) as site:
        soak = Soak(tmp_path, site, batches=1, size=16, kinds=QUICK)
        try:
            soak.server.start()
            soak.run(1)
            soak.judge()
            wait_until_quiet(soak.server)
            assert [*soak.troubles, *what_is_left(soak.server, soak.temp)] == []
            assert soak.kills > 0
            soak.remove_all()
            (soak.server.library_dir / ".medianest" / "jobs" / "9").mkdir()  # as if it had been forgotten
            assert list(what_is_left(soak.server, soak.temp)) == [
                "The staging folder of download 9, which is removed, is still there."
            ]
        finally:
            soak.server.close()


def test_a_slope_is_told_from_noise() -> None:
    noise = (3.0, -2.0, 1.0, -3.0, 2.0, -1.0)
    level = [(number / 10, 90 + noise[number % 6]) for number in range(60)]
    assert abs(slope(level)) < 0.2
    assert slope([(x, y + 2 * x) for x, y in level]) == pytest.approx(2, abs=0.2)


def test_a_file_that_stays_open_is_seen(tmp_path: Path) -> None:
    before = open_files(os.getpid())
    with (tmp_path / "open").open("w"):
        more = open_files(os.getpid()) - before
    assert more == {str(tmp_path / "open"): 1}
