"""A process of its own that runs a queue, to be killed by a test: `queue_process.py URL FOLDER DATA INSTANCE [real]`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


async def main() -> None:
    from medianest.database.relay import PostgresRelay
    from tests.downloads.running_queue import Queue, real_command, scripted_command
    from tests.harness.databases import open_database

    url, library, data, instance = sys.argv[1:5]
    await open_database(url)
    command = real_command() if sys.argv[5:] == ["real"] else scripted_command()
    queue = Queue(Path(data), command=command, library=Path(library), instance=instance)
    if url.startswith("postgres"):
        await PostgresRelay(url, queue.events).start()
    await queue.start()
    print("started", flush=True)
    await asyncio.sleep(300)


asyncio.run(main())
