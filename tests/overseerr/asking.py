"""How a request is made there, with every gap that was measured (notes 2c)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.overseerr.people import Permission, Person
from tests.overseerr.rows import Asked, MediaRow, RequestRow, There
from tests.overseerr.traffic import Answer, Call, refusal, say

if TYPE_CHECKING:
    from tests.overseerr.world import OverseerrWorld

UPSTREAM = "request to https://api.themoviedb.example/3/movie/99?api_key=db55323b8d3e4154498498a75642b381 failed"


def create(world: OverseerrWorld, call: Call, caller: Person) -> Answer:
    """`POST /request`."""
    sent = call.json
    media_type, tmdb_id, is_4k = sent.get("mediaType"), sent.get("mediaId"), sent.get("is4k")
    if media_type not in ("movie", "tv"):
        return _invalid("mediaType", "must be equal to one of the allowed values: movie, tv")
    if not isinstance(tmdb_id, int) or isinstance(tmdb_id, bool):
        return _invalid("mediaId", "must be number")  # notes 2c: `mediaId` as a string is a 400
    person = caller
    if sent.get("userId") is not None and sent["userId"] != caller.id:
        if not caller.may(Permission.MANAGE_USERS):
            return refusal(403, "You do not have permission to modify the request user.")
        person = world.people[int(sent["userId"])]
    if refused := _right(person, media_type, is_4k):
        return refused
    if refused := _quota(world, person, media_type):
        return refused
    title = world.titles.get((media_type, tmdb_id))
    if title is None or world.tmdb_is_down:
        return refusal(500, UPSTREAM)  # notes 2c: unknown TMDB id, 500 with upstream text
    with world.lock:
        media = world.media_of(media_type, tmdb_id) or MediaRow(0, media_type, tmdb_id, title.tvdb_id)
        if media.status == There.BLOCKLISTED:
            return refusal(403, "This media is blocklisted.")
        open_rows = [
            row
            for row in world.rows_of(media_type, tmdb_id)
            # notes 2c: left out, it is compared with "undefined", so that nothing is the same
            if is_4k is not None and row.is_4k == is_4k and row.status != Asked.DECLINED
        ]
        if media_type == "movie":
            if open_rows and open_rows[0].status != Asked.COMPLETED:
                return refusal(409, "Request for this media already exists.")
            seasons: list[int] = []
        else:
            if sent.get("seasons") is None:  # notes 2c: 500 "Cannot read properties of undefined"
                return refusal(500, "Cannot read properties of undefined (reading 'filter')")
            taken = {number for row in open_rows for number in row.seasons}
            if is_4k is not None:
                taken |= {number for number, status in media.seasons.items() if status != There.UNKNOWN}
            seasons = [number for number in _wanted(sent["seasons"], title.seasons) if number not in taken]
            if not seasons:
                return say({"message": "No seasons available to request"}, 202)  # notes 2c: a 2xx that created nothing
        world.in_flight[media_type, tmdb_id] = world.in_flight.get((media_type, tmdb_id), 0) + 1
        place = world.in_flight[media_type, tmdb_id]
    try:
        time.sleep(world.create_s)  # notes 2c: no lock between look and insert
        # notes 2c: 10 identical series at once: 2 x 201, 8 x 500 with raw database text; films: 10 x 201
        if media_type == "tv" and place > 2:
            return refusal(500, "SQLITE_CONSTRAINT: UNIQUE constraint failed: season.mediaId")
        with world.lock:
            return _insert(world, caller, person, media, seasons, is_4k)
    finally:
        with world.lock:
            world.in_flight[media_type, tmdb_id] -= 1


def _insert(
    world: OverseerrWorld, caller: Person, person: Person, media: MediaRow, seasons: list[int], is_4k: bool | None
) -> Answer:
    if media.id == 0:  # notes 2c: at once, each has its media row
        media.id = world.next_media_id()
        world.media.append(media)
    # notes 2c: with `userId` right and quota are the person's, the approval right is the caller's
    kind = media.media_type.upper()
    wanted = (
        (Permission.AUTO_APPROVE_4K, Permission[f"AUTO_APPROVE_4K_{kind}"], Permission.MANAGE_REQUESTS)
        if is_4k
        else (Permission.AUTO_APPROVE, Permission[f"AUTO_APPROVE_{kind}"], Permission.MANAGE_REQUESTS)
    )
    is_auto = caller.may(*wanted)
    status = Asked.APPROVED if is_auto else Asked.PENDING
    row = RequestRow(world.next_request_id(), media, person, status, {number: int(status) for number in seasons}, is_4k)
    row.modified_by = caller if is_auto else None
    before = media.status
    if (media.status_4k if is_4k else media.status) == There.UNKNOWN:
        media.set_status(There.PENDING, is_4k=bool(is_4k))
    if is_auto:
        world.hand_over(row)
    world.requests.append(row)
    world.creates += 1
    world.tell("MEDIA_AUTO_APPROVED" if is_auto else "MEDIA_PENDING", row, before)
    return say(row.shown(is_seerr=world.is_seerr), 201)


def _wanted(seasons: Any, known: dict[int, int]) -> list[int]:
    """Notes 2c: "all" leaves specials out; a number is not checked against the film database; [0] is nothing."""
    if seasons == "all":
        return [number for number in known if number]
    return [number for number in seasons if isinstance(number, int) and number != 0]


def _right(person: Person, media_type: str, is_4k: bool | None) -> Answer | None:
    """Notes 2c: the texts of a missing right."""
    if is_4k:
        one = Permission.REQUEST_4K_MOVIE if media_type == "movie" else Permission.REQUEST_4K_TV
        allowed = person.may(Permission.REQUEST_4K, one)
    else:
        one = Permission.REQUEST_MOVIE if media_type == "movie" else Permission.REQUEST_TV
        allowed = person.may(Permission.REQUEST, one)
    if allowed:
        return None
    words = ("4K " if is_4k else "") + ("movie" if media_type == "movie" else "series")
    return refusal(403, f"You do not have permission to make {words} requests.")


def _quota(world: OverseerrWorld, person: Person, media_type: str) -> Answer | None:
    quota = quota_of(world, person)[media_type]
    if not quota["restricted"]:
        return None
    return refusal(403, "Movie Quota exceeded." if media_type == "movie" else "Series Quota exceeded.")


def quota_of(world: OverseerrWorld, person: Person) -> dict[str, Any]:
    """`GET /user/{id}/quota`. Notes 2b: no limit, no `remaining`; series count seasons. Notes 4: declined ones do not count,
    user managers bypass."""
    found = {}
    for media_type, (limit, days) in (("movie", person.movie_quota), ("tv", person.tv_quota)):
        since = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        rows = [
            row
            for row in world.requests
            if row.requested_by is person
            and row.media.media_type == media_type
            and row.status != Asked.DECLINED
            and row.created_at >= since
        ]
        used = len(rows) if media_type == "movie" else sum(len(row.seasons) for row in rows)
        limit = 0 if person.may(Permission.MANAGE_USERS) else limit
        quota: dict[str, Any] = {
            "days": days,
            "limit": limit,
            "used": used,
            "restricted": bool(limit) and used >= limit,
        }
        if limit:
            quota["remaining"] = max(0, limit - used)
        found[media_type] = quota
    return found


def _invalid(field: str, text: str) -> Answer:
    error = {"path": f"/body/{field}", "message": text, "errorCode": "type.openapi.validation"}
    return refusal(400, f"request/body/{field} {text}", [error])
