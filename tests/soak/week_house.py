"""`python -m tests.soak.week_house serve`: MediaNest as it is, with a clock of jobs that runs faster.

Hours and minutes between recurring jobs are a sixtieth, and what was missed while it was off runs a second after the start.
Its download workers know the channels and walls of the test site beside all real ones.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

FASTER = 60


def serve() -> int:
    """Any command of MediaNest, in this process and in those that it starts."""
    from medianest import app, cli, scheduler

    class QuickScheduler(scheduler.Scheduler):
        """The same scheduler with shorter intervals; what runs at an hour of the night still does so."""

        def __init__(self, jobs: Sequence[scheduler.Job], *rest: Any) -> None:
            quick = [msgspec.structs.replace(one, every_s=one.every_s // FASTER) for one in jobs if one.at_hour is None]
            nightly = [one for one in jobs if one.at_hour is not None]
            super().__init__([*nightly, *quick], *rest)

    vars(scheduler).update(SOON=timedelta(seconds=1), APART=timedelta(seconds=0.1))
    vars(app).update(
        Scheduler=QuickScheduler, own_executable_command=lambda: [sys.executable, "-m", "tests.soak.week_house"]
    )
    return cli.main()


def work() -> None:
    """The download worker with two more sites."""
    from medianest.downloads.worker import main as worker
    from medianest.downloads.worker.engine import Engine
    from tests.site import channel_worker, wall_worker

    class EngineWithSites(Engine):
        def _load(self) -> None:
            super()._load()
            import yt_dlp.globals

            own = [*channel_worker.extractors(), wall_worker.extractor()]
            yt_dlp.globals.extractors.value.update({f"{one.ie_key()}IE": one for one in own})
            self._extractors = [*own, *self._extractors]

    vars(worker).update(Engine=EngineWithSites)
    worker.main()


if __name__ == "__main__":
    if sys.argv[1:2] == ["_worker"]:
        work()
    else:
        sys.exit(serve())
