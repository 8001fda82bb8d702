"""The Plex server: which one it is, what it holds. Each call takes the token it is made with, so that Plex applies that
person's sharing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from medianest.errors import UpstreamFailed
from medianest.integrations.http import Answer, HttpClient
from medianest.integrations.plex_answers import as_flag, as_object, as_text, plex_headers, rows

IDENTITY_BYTES = 64 * 1024  # what stands at a typed address may be anything


class ServerRefused(UpstreamFailed):
    """The server does not take this token, or not for this."""

    title = "The Plex server refused"
    default_code = "plex_server_refused"


class ServerIdentity(msgspec.Struct, frozen=True):
    machine_id: str
    version: str


class ServerAbout(msgspec.Struct, frozen=True, kw_only=True):
    machine_id: str
    name: str
    version: str
    platform: str
    has_pass: bool


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A library. `key` is text; `locations` are folders as the server sees them."""

    key: str
    type: str  # movie, show, artist or photo
    title: str
    agent: str
    language: str
    uuid: str
    locations: tuple[str, ...]
    scanner: str = ""


class PlexServer:
    """Calls one server at one address."""

    def __init__(self, http: HttpClient, url: str, client_id: str) -> None:
        self._http = http
        self.url = url.rstrip("/")
        self._client_id = client_id

    async def identity(self, *, timeout_s: float | None = None) -> ServerIdentity:
        """Which server answers here; needs no token.

        Raises:
            UpstreamFailed: nothing answers, or what answers is no Plex server.
        """
        answer = await self._call("/identity", None, timeout_s=timeout_s, largest_bytes=IDENTITY_BYTES)
        found = _container(answer)
        if not found.get("machineIdentifier"):
            raise UpstreamFailed(f"{answer.host} answers, but it is no Plex server.", code="no_plex_server")
        return ServerIdentity(as_text(found["machineIdentifier"]), as_text(found.get("version")))

    async def about(self, token: str, *, timeout_s: float | None = None) -> ServerAbout:
        """Name and version, as the holder of `token` sees them: the test of a token.

        Raises:
            ServerRefused: the server does not take the token.
        """
        found = _container(await self._call("/", token, timeout_s=timeout_s))
        return ServerAbout(
            machine_id=as_text(found.get("machineIdentifier")),
            name=as_text(found.get("friendlyName")) or "Plex",
            version=as_text(found.get("version")),
            platform=as_text(found.get("platform")),
            has_pass=as_flag(found.get("myPlexSubscription")),
        )

    async def sections(self, token: str, *, timeout_s: float | None = None) -> tuple[Section, ...]:
        """The libraries that the holder of `token` may see."""
        found = _container(await self._call("/library/sections", token, timeout_s=timeout_s))
        return tuple(
            Section(
                key=as_text(row.get("key")),
                type=as_text(row.get("type")),
                title=as_text(row.get("title")),
                agent=as_text(row.get("agent")),
                scanner=as_text(row.get("scanner")),
                language=as_text(row.get("language")),
                uuid=as_text(row.get("uuid")),
                locations=tuple(as_text(place.get("path")) for place in rows(row, "Location")),
            )
            for row in rows(found, "Directory")
        )

    async def _call(
        self, path: str, token: str | None, *, timeout_s: float | None = None, largest_bytes: int | None = None
    ) -> Answer:
        answer = await self._http.request(
            "GET",
            self.url + path,
            headers=plex_headers(self._client_id, token),
            timeout_s=timeout_s,
            largest_bytes=largest_bytes,
        )
        if answer.status in (401, 403):
            raise ServerRefused(f"The Plex server at {answer.host} does not take this token.")
        if answer.status != 200:
            raise UpstreamFailed(f"The Plex server at {answer.host} answered with an error ({answer.status}).")
        return answer


def _container(answer: Answer) -> Mapping[str, Any]:
    return as_object(as_object(answer.json(), answer.host).get("MediaContainer"), answer.host)
