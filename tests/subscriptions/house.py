"""Subscriptions over a queue whose workers follow a script; nothing is checked by itself, a test says when."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from medianest.accounts.model import Permission, User
from medianest.database import fetch
from medianest.subscriptions.assembly import build_subscriptions
from medianest.subscriptions.model import ItemState, NewSubscription, Subscription
from medianest.subscriptions.rules import CheckRules
from tests.downloads.running_queue import Queue, make_user, scripted_command

PERMISSIONS = (Permission.DOWNLOAD, Permission.FOLLOW)
RULES = CheckRules(known_sent=50, most_in_line=3, refill_s=60.0, first_retry_s=30.0)


class Feed:
    """A list on the scripted site: what `put` says is what the next look finds."""

    def __init__(self, folder: Path, name: str = "feed") -> None:
        self._path = folder / f"{name}.json"
        self.told = folder / f"{name}.told"
        self.url = f"http://site.test/feed?file={self._path}"
        self.put()

    def put(self, *entries: str | dict[str, Any], **more: Any) -> None:
        """Newest first; an entry is its id, or a dictionary with more."""
        found = [one if isinstance(one, dict) else {"id": one} for one in entries]
        self._path.write_text(json.dumps({"entries": found, "told": str(self.told), **more}))

    def last_look(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.told.read_text())
        return found


class House:
    """`queue` is not started unless a test does so: then what is queued is downloaded."""

    def __init__(self, folder: Path, rules: CheckRules = RULES) -> None:
        self.queue = Queue(folder, command=scripted_command())
        self.people: dict[int, User] = {}
        self.feed = Feed(folder)
        self._folder = folder
        parts = build_subscriptions(
            self.queue.events,
            owner=self.queue.owner,
            feeds=self.queue.parts.feeds,
            queue=self.queue.service,
            person_of=self._person,
            rules=rules,
        )
        self.service, self.checker = parts.service, parts.checker

    async def _person(self, user_id: int) -> User:
        return self.people[user_id]

    async def person(self, name: str, **more: Any) -> User:
        made = await make_user(name, **{"permissions": PERMISSIONS, **more})
        self.people[made.id] = made
        return made

    def change_person(self, person: User, **more: Any) -> User:
        self.people[person.id] = msgspec.structs.replace(person, **more)
        return self.people[person.id]

    def another_feed(self, name: str) -> Feed:
        return Feed(self._folder, name)

    async def follow(self, by: User, url: str | None = None, **more: Any) -> Subscription:
        made, _is_new = await self.service.follow(NewSubscription(url=url or self.feed.url, **more), by)
        await self.checker.drain()
        return await self.service.get(made.id, by)

    async def check(self, found: Subscription, by: User) -> Subscription:
        """Look now, and do what follows from it."""
        await self.service.check(found.id, by)
        await self.checker.drain()
        return await self.service.get(found.id, by)

    async def due_again(self) -> None:
        """What waits for its time is due, but the looks themselves are not."""
        await fetch("UPDATE subscriptions SET due_at = {} WHERE due_at IS NOT NULL", datetime.now(UTC))
        await self.checker.drain()

    async def states(self, found: Subscription, by: User) -> dict[str, str]:
        """Title → state."""
        items, _total = await self.service.items(found.id, by, limit=100)
        return {item.title.removeprefix("Item "): item.state.value for item in items}

    async def until(self, found: Subscription, by: User, title: str, state: str, timeout_s: float = 10) -> None:
        """Wait until a video is in `state`; a subscription hears of an ended download a moment after the row has changed."""
        async with asyncio.timeout(timeout_s):
            while (await self.states(found, by))[title] != state:
                await asyncio.sleep(0.02)

    async def queued(self, by: User) -> list[str]:
        """Titles of what is in the queue for somebody, in the order of the line."""
        rows = await fetch(
            "SELECT q.title, q.priority FROM download_queue q JOIN download_people p ON p.download_id = q.id WHERE p.user_id = {} "
            "AND q.parent_id IS NULL ORDER BY q.priority, q.position",
            by.id,
        )
        return [f"{row['title'].removeprefix('Item ')}{'' if row['priority'] == 1 else ' low'}" for row in rows]


WANTED, QUEUED, KNOWN = ItemState.WANTED.value, ItemState.QUEUED.value, ItemState.KNOWN.value
