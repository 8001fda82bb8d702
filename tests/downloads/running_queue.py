"""What the tests of the queue stand on: a whole queue over a test's database and folders, and ways to wait for it."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from medianest.accounts.model import NO_LIMIT, Permission, Quotas, Role, User, UserState
from medianest.database import fetch
from medianest.downloads.assembly import Downloads, Rules, build_downloads
from medianest.downloads.dispatcher import DispatcherRules
from medianest.downloads.model import Download, DownloadState, NewDownload, QueueSettings
from medianest.downloads.reasons import RetryRules
from medianest.events import Event, EventBus
from medianest.instance import host_key, start_ticks
from medianest.processes import own_child_env, own_executable_command
from medianest.programs import Programs
from medianest.settings import AllowList, Settings

SCRIPT = Path(__file__).with_name("scripted_worker.py")
QUICK = Rules(
    retries=RetryRules(
        transient_delays_s=(0.05, 0.05, 0.05),
        jitter=0.0,
        site_pause_s=0.4,
        setup_s=0.3,
        disk_full_s=0.3,
        upcoming_s=0.3,
    ),
    dispatcher=DispatcherRules(tick_s=0.1, recovery_s=0.2, heartbeat_s=1.0),
)
NO_QUOTAS = Quotas(downloads_per_hour=NO_LIMIT, storage_bytes=NO_LIMIT)
ENDED = (DownloadState.COMPLETED, DownloadState.FAILED, DownloadState.CANCELLED)


class Queue:
    """A queue with its dispatcher not yet started."""

    def __init__(
        self, folder: Path, *, command: list[str], rules: Rules = QUICK, library: Path | None = None, staging: Path | None = None,
        owner: str | None = None, instance: str = "", allowed: tuple[str, ...] = ("127.0.0.1/32",),
    ) -> None:  # fmt: skip
        self.folder = folder
        self.library = library or folder / "library"
        self.staging = staging or self.library / ".medianest"
        self.events = EventBus()
        self.seen: list[Event] = []
        self.people: dict[int, User] = {}
        self.events.tap(self._see)
        settings = Settings(
            data_dir=folder / "data",
            library_dir=self.library,
            staging_dir=self.staging,
            allow_private_downloads=AllowList(networks=allowed),
        )
        import os

        pid = os.getpid()
        self.owner = owner or f"{instance or uuid.uuid4().hex}/{uuid.uuid4().hex}/{host_key()}/{pid}/{start_ticks(pid)}"
        self.parts: Downloads = build_downloads(
            settings,
            self.events,
            owner=self.owner,
            command=command,
            environment=own_child_env,
            programs=Programs(settings.data_dir),
            person=self._person,
            rules=rules,
        )
        self.service = self.parts.service
        self.approvals = self.parts.approvals
        self.dispatcher = self.parts.dispatcher

    async def _person(self, user_id: int) -> User:
        """Whoever a test put into `people`; everybody else has no limits."""
        known = self.people.get(user_id)
        return known or User(
            id=user_id, username="", display_name="", role=Role.USER, state=UserState.ACTIVE,
            created_at=datetime.now(UTC), quotas=NO_QUOTAS,
        )  # fmt: skip

    async def _see(self, event: Event) -> None:
        self.seen.append(event)

    async def start(self) -> None:
        await self.dispatcher.start()

    async def stop(self) -> None:
        await self.dispatcher.stop()
        await self.parts.pool.stop()

    async def add(self, url: str, by: User, **more: Any) -> Download:
        return (await self.service.add(NewDownload(url=url, **more), by=by))[0]

    async def wait(
        self, download: Download | int, by: User, until: Callable[[Download], bool], seconds: float = 15
    ) -> Download:
        """The download as soon as `until` says so; fails with what it is instead."""
        download_id = download if isinstance(download, int) else download.id
        end = asyncio.get_running_loop().time() + seconds
        while True:
            found = await self.service.get(download_id, by)
            if until(found):
                return found
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(f"Still {found.state} {found.reason_code} {found.reason} after {seconds} s")
            await asyncio.sleep(0.02)

    async def wait_for(
        self, download: Download | int, by: User, *states: DownloadState, seconds: float = 15
    ) -> Download:
        return await self.wait(download, by, lambda found: found.state in states, seconds)

    async def ended(self, download: Download | int, by: User, seconds: float = 15) -> Download:
        return await self.wait_for(download, by, *ENDED, seconds=seconds)

    async def settings(self, by: User, **change: Any) -> None:
        current = await self.service.queue_settings()
        await self.service.change_queue_settings(msgspec.structs.replace(current, **change), by=by)

    def files(self) -> list[str]:
        """Everything in the library, staging aside."""
        return sorted(
            str(path.relative_to(self.library))
            for path in self.library.rglob("*")
            if path.is_file() and ".medianest" not in path.parts
        )


def scripted_command() -> list[str]:
    return [sys.executable, str(SCRIPT)]


def real_command() -> list[str]:
    return [*own_executable_command(), "_worker"]


async def make_user(name: str, *, is_admin: bool = False, **more: Any) -> User:
    """A person in the test's database who may download without limits; `more` replaces fields of theirs."""
    now = datetime.now(UTC)
    role = Role.ADMIN if is_admin else Role.USER
    rows = await fetch(
        "INSERT INTO users (username, username_key, display_name, role, state, created_at) "
        "VALUES ({}, {}, {}, {}, 'active', {}) RETURNING id",
        *(name, name, name, role, now),
    )
    rights = {"permissions": (Permission.DOWNLOAD, Permission.PRIORITY), "quotas": NO_QUOTAS, **more}
    return User(
        id=rows[0]["id"], username=name, display_name=name, role=role, state=UserState.ACTIVE, created_at=now, **rights
    )


SMALL_FLOOR = QueueSettings(free_space_floor_bytes=0)
