"""Two processes with one database count one person's downloads together: their share is never exceeded."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from medianest.database import fetch, is_postgres
from tests.downloads.running_queue import make_user

ADDER = Path(__file__).parent / "adding_process.py"


@pytest.mark.timeout_s(120)
async def test_two_processes_that_add_at_once_do_not_exceed_the_share(
    migrated_database_url: str, database: object, tmp_path: Path
) -> None:
    if not is_postgres():
        pytest.skip("one SQLite database belongs to one process")
    ana = await make_user("ana")
    adders = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, str(ADDER), migrated_database_url, str(tmp_path / name), str(ana.id), name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for name in ("first", "second")
    ]
    for adder in adders:
        assert adder.stdout
        assert await adder.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(adder.communicate(b"go\n") for adder in adders))
    assert sum(int(out) for out, _ in answers) == 7
    assert (await fetch("SELECT count(*) AS n FROM download_queue"))[0]["n"] == 7
