"""The scenario of several instances in small, so that each run of the tests sees it; `make soak` has the real size."""

from __future__ import annotations

from pathlib import Path

from tests.harness.postgres import PostgresCluster
from tests.site import Site
from tests.soak.several import Run, Size
from tests.soak.several_house import house_on_postgres

SMALL = Size(
    instances=3, jobs=24, people=2, at_once=6, pause_s=0.3, gap_s=(0.5, 1.5), away_s=1, kills=3, limit_s=120, obeys=False,
)  # fmt: skip


def test_instances_that_are_killed_finish_every_job_once_and_obey_each_other(
    tmp_path: Path, postgres: PostgresCluster
) -> None:
    with Site() as site, house_on_postgres(tmp_path / "house", SMALL.instances, postgres) as house:
        run = Run(house, site, SMALL)
        try:
            run.work()
            assert run.killer.servers_killed >= SMALL.kills
            assert run.killer.taken_over_s, "no kill met a download"
            run.obedience.cancel_elsewhere()
            run.check()
        finally:
            run.close()
