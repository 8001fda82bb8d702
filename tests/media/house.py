"""MediaNest connected to stand-ins for Plex, Overseerr and the film database's pictures, and people who look."""

from __future__ import annotations

import asyncio
import http.server
import threading
from datetime import UTC, datetime
from typing import Any

import httpx

from medianest.accounts.model import User
from medianest.app import Application
from medianest.database import fetch
from medianest.media.kept import AnswerCache
from medianest.vault import Vault
from tests.harness.application import KEY, Visit
from tests.overseerr import OverseerrWorld
from tests.plex import Account, PlexWorld
from tests.plex.items import png
from tests.security.cast import add_person, session_headers


class PictureSite:
    """A host of pictures: any name gives a PNG, but for those in `answers`. `asked` are the paths that were called."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                name = self.path.rsplit("/", 1)[1]
                status, body = site.answers.get(name, (200, png((200, 90, 60), 30, 45)))
                self.send_response(status)
                self.send_header("content-type", "image/png")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class House:
    """`people` by name: ada (administrator without Plex), olive (owns the server), frida (sees all of it), finn (one
    library), kid (a child up to 12, without Plex)."""

    def __init__(
        self, application: Application, plex: PlexWorld, overseerr: OverseerrWorld, pictures: PictureSite, visit: Visit
    ) -> None:
        self.application, self.plex, self.overseerr, self.pictures = application, plex, overseerr, pictures
        self.media = application.media.service
        self._visit = visit
        self._vault = Vault(KEY)
        self.ids: dict[str, int] = {}

    async def fill(self) -> None:
        """The people, and what the libraries hold."""
        for name, kind in (("ada", "admin"), ("olive", "user"), ("frida", "user"), ("finn", "user"), ("kid", "child")):
            self.ids[name] = await add_person(kind)
        for name, account in (
            ("olive", self.plex.owner),
            ("frida", self.plex.friend),
            ("finn", self.plex.friend_one_library),
        ):
            await self.link(self.ids[name], account)
        server = self.plex.server
        self.orbit = server.add_movie("1", "The Quiet Orbit", 1999, tmdb=603, imdb="tt0133093", rating="R", score=8.2)
        self.bears = server.add_movie("1", "Buttons and Bears", 1995, tmdb=862, rating="G", genres=("Family",))
        self.lights = server.add_show("2", "Harbour Lights", 2011, tmdb=1399, tvdb=121361, seasons={1: 10, 2: 3})
        self.lights.rating = "TV-14"
        self.clip = server.add_movie("3", "Orbit of a kite", 2024)  # a home video: no numbers, no rating

    async def link(self, user_id: int, account: Account) -> None:
        """The person has this Plex account, with their own token for the server."""
        token = self.plex.server_token(account)
        sealed = self._vault.seal(token, f"plex_accounts.server_token:{user_id}")
        await fetch(
            "INSERT INTO plex_accounts (user_id, plex_id, username, is_owner, server_token, linked_at) "
            "VALUES ({}, {}, {}, {}, {}, {})",
            user_id, account.id, account.username, account.is_owner, sealed, datetime.now(UTC),
        )  # fmt: skip

    async def user(self, name: str) -> User:
        return await self.application.accounts._accounts.get(self.ids[name])

    async def client(self, name: str) -> httpx.AsyncClient:
        """Somebody's browser."""
        return self._visit(self.application, headers=await session_headers(self.application, self.ids[name]))

    async def page(self, name: str, path: str, status: int = 200, **headers: str) -> str:
        """A page as somebody sees it."""
        answer = await (await self.client(name)).get(path, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return answer.text

    async def json(self, name: str, path: str, status: int = 200) -> Any:
        answer = await (await self.client(name)).get(f"/api/v1{path}")
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return answer.json()

    async def names(self, name: str, q: str, **more: str) -> list[tuple[str, str]]:
        """What a search finds for somebody: title and group, in order."""
        answer = await self.media.search(q, int(more.get("page", 1)), await self.user(name))
        return [(one.title, one.group.value) for one in answer.items]

    def caches(self) -> list[AnswerCache]:
        """Everything that keeps answers."""
        service = self.media
        parts = (service._titles, service._search, service._browsing, service._looks)
        return [one for part in parts for one in vars(part).values() if isinstance(one, AnswerCache)]

    def let_time_pass(self, seconds: float = 7200) -> None:
        """What is kept grows old; what failed may be asked again."""
        for cache in self.caches():
            cache._failed.clear()
            for copy in cache._copies.values():
                copy.at -= seconds
        self.index._newest_at -= seconds
        self.index._whole_at -= seconds
        self.media._browsing._viewers._known_until = 0.0

    async def settle(self) -> None:
        """Calls that nobody waits for any more have ended."""
        running = [task for cache in self.caches() for task in cache._tasks]
        await asyncio.gather(*running, return_exceptions=True)

    def forget(self) -> None:
        """As after a restart."""
        for cache in self.caches():
            cache.forget()
        self.index.forget()

    @property
    def index(self) -> Any:
        return self.media._looks._index

    async def close(self) -> None:
        await self.application.media.close()
        await self.application.connections.close()
        await self.application.people_pictures.close()
