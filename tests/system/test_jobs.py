"""The table of recurring jobs of the whole application."""

from __future__ import annotations

from medianest.app import Application


async def test_every_job_of_the_table_is_planned(application: Application) -> None:
    await application.scheduler.start()
    try:
        tasks = await application.scheduler.tasks()
        assert [task.name for task in tasks if task.next_run_at is None] == []
    finally:
        await application.scheduler.stop()
