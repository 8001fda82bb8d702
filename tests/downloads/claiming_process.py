"""A process of its own that claims and ends downloads until there are none: `claiming_process.py URL NAME`.

Prints `ready`, waits for a line, and prints the ids it had. At most three run at once over all processes, two of one person;
it fails when it ever sees more.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))


async def main() -> None:
    from medianest.database import fetch
    from medianest.downloads.repository.claims import ClaimRepository
    from tests.harness.databases import open_database

    url, name = sys.argv[1:3]
    await open_database(url)
    owner = f"{name}/run/host/1/0"
    claims = ClaimRepository(owner)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    mine: list[int] = []
    while True:
        now = datetime.now(UTC)
        taken = await claims.claim(limit=3, most=2, at=now, lease_until=now + timedelta(seconds=60), per_person=2)
        seen = await fetch(
            "SELECT requested_by, count(*) AS n FROM download_queue WHERE state = 'downloading' GROUP BY requested_by"
        )
        assert sum(row["n"] for row in seen) <= 3, seen
        assert all(row["n"] <= 2 for row in seen), seen
        mine += [one.id for one in taken]
        for one in taken:
            await fetch("UPDATE download_queue SET state = 'completed', owner = NULL WHERE id = {}", one.id)
        if not taken and not await fetch("SELECT id FROM download_queue WHERE state = 'queued' LIMIT 1"):
            break
    print(*mine, flush=True)


asyncio.run(main())
