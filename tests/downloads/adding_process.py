"""A process of its own that adds twenty links at once for a person with 7 downloads an hour: `adding_process.py URL DATA ID NAME`.

Prints `ready`, waits for a line, and prints how many of them were taken.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


async def main() -> None:
    from medianest.accounts.model import Permission, Quotas, Role, User, UserState
    from medianest.errors import QuotaExceeded
    from tests.downloads.running_queue import Queue, scripted_command
    from tests.harness.databases import open_database

    url, data, user_id, name = sys.argv[1:5]
    await open_database(url)
    queue = Queue(Path(data), command=scripted_command(), instance=name)
    person = User(
        id=int(user_id), username="ana", display_name="ana", role=Role.USER, state=UserState.ACTIVE, created_at=datetime.now(UTC),
        permissions=(Permission.DOWNLOAD,), quotas=Quotas(downloads_per_hour=7),
    )  # fmt: skip

    async def add(number: int) -> bool:
        try:
            await queue.add(f"http://site.test/video?id={name}-{number}", person)
        except QuotaExceeded:
            return False
        return True

    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(sum(await asyncio.gather(*(add(number) for number in range(20)))), flush=True)
    await queue.stop()


asyncio.run(main())
