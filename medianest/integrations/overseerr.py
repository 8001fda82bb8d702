"""Overseerr and Seerr: one client for both, which sends nothing that only Seerr knows.

Every call carries the server's own key. With `as_user` it is made as that person there, with their rights and quota; the
number must come from our own table, since a word in its place takes the server down. Identical creates at once all slip
through there: whoever calls `create_request` lets one at a time pass for a title.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from medianest.errors import NotFound, UpstreamFailed
from medianest.integrations import overseerr_reading as reading
from medianest.integrations.answers import as_id, as_int, as_object, as_text, rows
from medianest.integrations.overseerr_answers import (
    FoundPage,
    MediaState,
    OverseerrUser,
    PlexCandidate,
    PublicSettings,
    RequestCounts,
    RequestPage,
    RequestRow,
    SeasonDetails,
    ServerStatus,
    TitleDetails,
    UserQuota,
)
from medianest.integrations.overseerr_calls import OverseerrCalls
from medianest.integrations.overseerr_failures import (
    AlreadyRequested,
    KeyRefused,
    NothingToRequest,
    RequestRefused,
    ServerError,
    TitleUnavailable,
    Unreadable,
)

PEOPLE_A_PAGE, MOST_PAGES, MOST_TAKEN = 100, 100, 100
FILTERS = frozenset(
    ("all", "approved", "available", "pending", "processing", "unavailable", "failed")
)  # both know these
LISTS = {"movie": "movies", "tv": "tv", "trending": "trending"}
REQUEST, REQUEST_MOVIE, REQUEST_TV = 32, 262144, 524288
REQUEST_4K, REQUEST_4K_MOVIE, REQUEST_4K_TV, ADMIN = 1024, 2048, 4096, 2


class Overseerr(OverseerrCalls):
    """Calls one server.

    Args:
        http: usually a `GuardedClient`, so that a server that is down is left alone.
        url: its root, without `/api/v1`.
    """

    # which server, whose key

    async def status(self) -> ServerStatus:
        """Needs no key. Slow on a server without the internet: it asks for its newest version."""
        found = await self._get("/status", has_key=False)
        return ServerStatus(
            version=as_text(found.get("version"))[:50], restart_required=found.get("restartRequired") is True
        )

    async def public_settings(self) -> PublicSettings:
        """Needs no key.

        Raises:
            WrongAddress: a page answers.
            Unreadable: JSON, but of another program.
        """
        found = await self._get("/settings/public", has_key=False)
        if "initialized" not in found:
            raise Unreadable(self.url)
        return reading.public_settings(found)

    async def me(self, *, as_user: int | None = None) -> OverseerrUser:
        """Whose the key is: the test of a key.

        Raises:
            KeyRefused: it is none of this server's.
        """
        found = reading.user(await self._get("/auth/me", as_user=as_user))
        if found is None:
            raise Unreadable(self.url)
        return found

    # titles

    async def search(self, query: str, page: int = 1) -> FoundPage:
        """Films and series by words. Nothing found may also mean that the film database is down: see `finds_titles`."""
        # a plus for a space is refused, and so is any other reserved character that stands bare
        words = quote(query.strip(), safe="")
        if not words:
            return FoundPage(page=1, pages=0, total=0, results=())
        return reading.found_page(await self._get(f"/search?query={words}&page={max(1, page)}"))

    async def discover(self, kind: str, page: int = 1) -> FoundPage:
        """What is popular: `movie`, `tv` or `trending`."""
        found = await self._get(f"/discover/{LISTS[kind]}?page={max(1, page)}")
        return reading.found_page(found, kind if kind != "trending" else "")

    async def finds_titles(self) -> bool:
        """Whether the film database answers behind the server, which gives 200 and nothing when it does not."""
        return bool((await self.discover("movie")).results)

    async def movie(self, tmdb_id: int) -> TitleDetails:
        """A film.

        Raises:
            TitleUnavailable: unknown, or the film database does not answer.
        """
        return await self._details("movie", tmdb_id)

    async def tv(self, tmdb_id: int) -> TitleDetails:
        """A series. Raises as `movie`."""
        return await self._details("tv", tmdb_id)

    async def season(self, tmdb_id: int, number: int) -> SeasonDetails:
        """The episodes of a season. Raises as `movie`."""
        try:
            return reading.season_details(await self._get(f"/tv/{int(tmdb_id)}/season/{int(number)}"))
        except (ServerError, NotFound) as error:
            raise TitleUnavailable from error

    async def _details(self, media_type: str, tmdb_id: int) -> TitleDetails:
        try:
            found = reading.title_details(await self._get(f"/{media_type}/{int(tmdb_id)}"), media_type)
        except (ServerError, NotFound) as error:
            raise TitleUnavailable from error
        if found is None or found.tmdb_id != tmdb_id:
            raise Unreadable(self.url)
        return found

    # requests

    async def create_request(
        self, media_type: str, tmdb_id: int, *, seasons: Iterable[int] | None, is_4k: bool, as_user: int | None
    ) -> RequestRow:
        """Ask for a title. The row's `seasons` are those really taken, which may be fewer.

        Raises:
            AlreadyRequested: somebody has the film, or its request is there.
            NothingToRequest: a 2xx that created nothing, or no season was named.
            RequestRefused: says which of the ways to be refused it was.
            Unreachable: no answer came; it may have been created all the same.
            UpstreamFailed: anything else.
        """
        wanted = sorted({int(number) for number in seasons or ()})
        if media_type == "tv" and not wanted:
            raise NothingToRequest
        # `is4k` always: left out, a duplicate is made. `userId` never: the approval right would be the key's.
        sent: dict[str, Any] = {"mediaType": media_type, "mediaId": int(tmdb_id), "is4k": bool(is_4k)}
        if media_type == "tv":
            sent["seasons"] = wanted  # always a list: without it the answer is a 500
        answer = await self._call("POST", "/request", json=sent, as_user=as_user)
        if answer.status == 409:
            raise AlreadyRequested
        if answer.status in (401, 403):
            code = await self._why_refused(media_type, tmdb_id, len(wanted) or 1, is_4k=is_4k, as_user=as_user)
            if (
                code == "permission" and answer.status == 401
            ):  # a key that is good was refused all the same: a passing fault
                raise Unreadable(self.url)
            raise RequestRefused(code)
        found = reading.request_row(self._good(answer))
        if answer.status != 201:
            raise NothingToRequest
        if found is None:
            raise Unreadable(self.url)
        return found

    async def _why_refused(self, media_type: str, tmdb_id: int, count: int, *, is_4k: bool, as_user: int | None) -> str:
        """Only the text differs there, and texts change: so ask what could be the cause, one after the other."""
        try:
            await self.me()
        except KeyRefused:
            return "key"
        try:
            person = await self.me(as_user=as_user)
        except KeyRefused:
            return "user"
        quota = await self.quota(person.id)
        share = quota.movie if media_type == "movie" else quota.tv
        if not _may_ask(person.permissions, media_type, is_4k=is_4k):
            return "permission"
        if share.is_restricted or (share.remaining is not None and share.remaining < count):
            return "quota"
        try:
            media = (await self._details(media_type, tmdb_id)).media
        except UpstreamFailed:
            return "permission"
        return "blocklisted" if media and media.status is MediaState.BLOCKLISTED else "permission"

    async def request(self, request_id: int) -> RequestRow:
        """One request.

        Raises:
            NotFound: it is not there any more.
        """
        return self._row(await self._get(f"/request/{int(request_id)}"))

    async def requests(
        self, take: int = 50, skip: int = 0, filter: str | None = None, *, sort: str = "added"
    ) -> RequestPage:
        """Everybody's requests, the newest first; `sort` is `added` or `modified`. At most 100 at once.

        `available` means approved rows in Overseerr and completed ones in Seerr: better read `media.status`.
        """
        if filter is not None and filter not in FILTERS:
            raise ValueError(filter)
        chosen = f"&filter={filter}" if filter else ""
        found = await self._get(
            f"/request?take={max(1, min(MOST_TAKEN, take))}&skip={max(0, skip)}&sort={sort}{chosen}"
        )
        listed = (reading.request_row(row) for row in rows(found, "results"))
        return RequestPage(
            total=as_int(as_object(found.get("pageInfo"), self.url).get("results")),
            results=tuple(row for row in listed if row is not None),
        )

    async def count(self) -> RequestCounts:
        return reading.request_counts(await self._get("/request/count"))

    async def approve(self, request_id: int, *, as_user: int | None = None) -> RequestRow:
        """Harmless when it is approved already. Raises as `request`."""
        return await self._act(request_id, "approve", as_user)

    async def decline(self, request_id: int, *, as_user: int | None = None) -> RequestRow:
        """The reason stays with us: there is no field for it. Raises as `request`."""
        return await self._act(request_id, "decline", as_user)

    async def retry(self, request_id: int) -> RequestRow:
        """Hand it over to Radarr or Sonarr once more. Raises as `request`."""
        return await self._act(request_id, "retry", None)

    async def delete(self, request_id: int) -> None:
        """Take a request away, whoever's it is: who may, is asked before. Raises as `request`."""
        self._good(await self._call("DELETE", f"/request/{int(request_id)}"))

    async def _act(self, request_id: int, verb: str, as_user: int | None) -> RequestRow:
        answer = await self._call("POST", f"/request/{int(request_id)}/{verb}", as_user=as_user)
        if answer.status == 403 and as_user is not None:
            raise RequestRefused("permission")
        return self._row(self._good(answer))

    # people

    async def users(self) -> tuple[OverseerrUser, ...]:
        """Everybody there, with e-mail and Plex id."""
        people: dict[int, OverseerrUser] = {}
        for page in range(MOST_PAGES):
            found = await self._get(f"/user?take={PEOPLE_A_PAGE}&skip={page * PEOPLE_A_PAGE}")
            listed = [one for row in rows(found, "results") if (one := reading.user(row)) is not None]
            people |= {one.id: one for one in listed}
            if len(listed) < PEOPLE_A_PAGE:
                break
        return tuple(people.values())

    async def plex_users(self) -> tuple[PlexCandidate, ...]:
        """Who could be imported. Those without an e-mail are listed and then skipped by `import_users`."""
        answer = await self._call("GET", "/settings/plex/users")
        found = self._good(answer, is_list=True)
        return tuple(
            PlexCandidate(
                plex_id=number,
                name=reading.capped(row.get("username") or row.get("title"), 100),
                email=reading.capped(row.get("email"), 320).lower(),
            )
            for row in rows(found, "list")
            if (number := as_id(row.get("id"))) is not None
        )

    async def import_users(self, plex_ids: Iterable[int]) -> int:
        """Make accounts for these; how many were made. Read `users` again to see whom: the answer does not say."""
        named = [str(int(one)) for one in plex_ids]
        if not named:  # without a list it is a 500, whatever the document promises
            return 0
        answer = await self._call("POST", "/user/import-from-plex", json={"plexIds": named})
        return len(rows(self._good(answer, is_list=True), "list"))

    async def quota(self, user_id: int) -> UserQuota:
        """What somebody may still ask for there; series count seasons."""
        return reading.user_quota(await self._get(f"/user/{int(user_id)}/quota"))


def _may_ask(permissions: int, media_type: str, *, is_4k: bool) -> bool:
    if is_4k:
        needed = REQUEST_4K | (REQUEST_4K_MOVIE if media_type == "movie" else REQUEST_4K_TV)
    else:
        needed = REQUEST | (REQUEST_MOVIE if media_type == "movie" else REQUEST_TV)
    return bool(permissions & (needed | ADMIN))
