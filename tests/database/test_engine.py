"""The engines under the strain that real use brings, the same tests on SQLite and on Postgres."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from medianest.database import Engine, UniqueViolation, fetch, is_postgres, transaction

INSERT = "INSERT INTO rate_limits (key, window_start, hits) VALUES ({}, {}, {})"


async def add(key: str, hits: int = 0) -> None:
    await fetch(INSERT, key, 0, hits)


async def keys() -> list[str]:
    return [row["key"] for row in await fetch("SELECT key FROM rate_limits ORDER BY key")]


async def test_200_transactions_at_once_lose_no_update(database: Engine) -> None:
    await add("counter")

    async def count() -> None:
        async with transaction():
            # FOR UPDATE is Postgres's; SQLite's writer is alone anyway
            lock = " FOR UPDATE" if is_postgres() else ""
            rows = await fetch("SELECT hits FROM rate_limits WHERE key = {}" + lock, "counter")
            await asyncio.sleep(0)
            await fetch("UPDATE rate_limits SET hits = {} WHERE key = {}", rows[0]["hits"] + 1, "counter")

    await asyncio.gather(*(count() for _ in range(200)))
    assert (await fetch("SELECT hits FROM rate_limits"))[0]["hits"] == 200


async def test_an_inner_transaction_that_fails_leaves_nothing_and_the_outer_goes_on(database: Engine) -> None:
    async with transaction():
        await add("before")
        with pytest.raises(ValueError, match="no"):
            async with transaction():
                await add("inside")
                raise ValueError("no")
        async with transaction():
            await add("second")
    assert await keys() == ["before", "second"]


async def test_an_error_of_the_database_inside_a_savepoint_does_not_spoil_the_transaction(database: Engine) -> None:
    async with transaction():
        await add("one")
        with pytest.raises(UniqueViolation):
            async with transaction():
                await add("one")
        await add("two")
    assert await keys() == ["one", "two"]


async def test_a_transaction_that_fails_leaves_nothing(database: Engine) -> None:
    with pytest.raises(ValueError, match="no"):
        async with transaction():
            await add("gone")
            raise ValueError("no")
    assert await keys() == []


async def test_a_cancelled_transaction_leaves_nothing_and_gives_its_connection_back(database: Engine) -> None:
    reached = asyncio.Event()

    async def hang(number: int) -> None:
        async with transaction():
            await add(f"gone {number}")
            reached.set()
            await asyncio.sleep(60)

    # more rounds than the pool has connections
    for number in range(15):
        reached.clear()
        task = asyncio.create_task(hang(number))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with transaction():
        await add("kept")
    assert await keys() == ["kept"]


async def test_a_cancel_while_waiting_for_a_transaction_leaks_nothing(database: Engine) -> None:
    async def one() -> None:
        async with transaction():
            await asyncio.sleep(0)

    for _round in range(30):
        tasks = [asyncio.create_task(one()) for _ in range(5)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with transaction():
        await add("free")
    assert await keys() == ["free"]


async def test_a_task_started_inside_a_transaction_does_not_inherit_it(database: Engine) -> None:
    async def child() -> None:
        await add("child")

    tasks = []
    with pytest.raises(ValueError, match="no"):
        async with transaction():
            await add("parent")
            tasks.append(asyncio.create_task(child()))
            await asyncio.sleep(0.05)
            raise ValueError("no")
    await tasks[0]
    assert await keys() == ["child"]


async def test_readers_see_only_what_was_committed(database: Engine) -> None:
    async with transaction():
        await add("open")
        assert await asyncio.create_task(keys()) == []
    assert await keys() == ["open"]


async def test_a_unique_violation_has_one_name_on_both_engines(database: Engine) -> None:
    await add("one")
    with pytest.raises(UniqueViolation):
        await add("one")


async def test_one_statement_counts_exactly_under_concurrency(database: Engine) -> None:
    sql = (
        "INSERT INTO rate_limits (key, window_start, hits) VALUES ({}, {}, 1) "
        "ON CONFLICT (key) DO UPDATE SET hits = rate_limits.hits + 1 RETURNING hits"
    )
    answers = await asyncio.gather(*(fetch(sql, "k", 0) for _ in range(100)))
    assert sorted(rows[0]["hits"] for rows in answers) == list(range(1, 101))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_sqlite_keeps_every_yes_through_a_power_cut(database: Engine) -> None:
    assert (await database.run_ddl("PRAGMA synchronous"))[0]["synchronous"] == 2  # FULL
    assert (await database.run_ddl("PRAGMA journal_mode"))[0]["journal_mode"] == "wal"
    assert (await database.run_ddl("PRAGMA foreign_keys"))[0]["foreign_keys"] == 1


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_foreign_keys_hold_on_sqlite(database: Engine) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"):
        await fetch(
            "INSERT INTO user_preferences (user_id, theme, time_zone, page_size, default_quality, is_shortcuts_on) "
            "VALUES (99, 'dark', 'UTC', 50, 'default', 1)"
        )


def test_a_network_share_is_recognised(tmp_path: Path) -> None:
    from medianest.database.filesystems import file_system_of

    mounts = f"/dev/a / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw 0 0\n"
    assert file_system_of(tmp_path / "data", mounts) == "nfs4"
    assert file_system_of(Path("/usr"), mounts) == "ext4"
