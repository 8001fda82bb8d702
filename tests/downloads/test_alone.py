"""Two processes never work on one download's unfinished files at the same time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from medianest.downloads.alone import alone_in

HOLDER = (
    "import asyncio, pathlib, sys\n"
    "from medianest.downloads.alone import alone_in\n"
    "async def main():\n"
    "    async with alone_in(pathlib.Path(sys.argv[1])):\n"
    "        print('inside', flush=True)\n"
    "        await asyncio.sleep(60)\n"
    "asyncio.run(main())\n"
)


async def test_the_second_waits_until_the_first_has_left(tmp_path: Path) -> None:
    order: list[str] = []

    async def second() -> None:
        async with alone_in(tmp_path):
            order.append("second is inside")

    async with alone_in(tmp_path):
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.3)
        order.append("first leaves")
    await waiting
    assert order == ["first leaves", "second is inside"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks of folders")
async def test_a_killed_process_is_out(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert (await asyncio.to_thread(process.stdout.readline)).strip() == "inside"
        waiting = asyncio.create_task(alone_in(tmp_path).__aenter__())
        await asyncio.sleep(0.3)
        assert not waiting.done()
    finally:
        process.kill()
        process.communicate()
    await waiting


async def test_who_hangs_inside_is_not_waited_for_for_ever_and_a_folder_that_is_gone_not_at_all(tmp_path: Path) -> None:
    async with alone_in(tmp_path), alone_in(tmp_path, longest_s=0.1):
        pass
    async with alone_in(tmp_path / "nowhere"):
        pass
