"""What each call answers. Each says which document entry or row of the notes it follows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.overseerr import asking, found
from tests.overseerr.people import Permission, Person
from tests.overseerr.rows import Asked, RequestRow, There
from tests.overseerr.traffic import Answer, Call, forbidden, page, refusal, say

if TYPE_CHECKING:
    from tests.overseerr.world import OverseerrWorld

Handler = Callable[["OverseerrWorld", Call, Person, tuple[str, ...]], Answer]

FILTERS = ("all", "approved", "available", "pending", "processing", "unavailable", "failed")
SEERR_FILTERS = (*FILTERS, "deleted", "completed")
LIST_QUERY = {"take", "skip", "filter", "sort", "requestedBy"}


def answer(world: OverseerrWorld, call: Call) -> Answer:
    """What the server says."""
    if not call.path.startswith("/api/v1/"):
        if call.path == "/api/v1" or not call.path.startswith("/api"):
            # notes 2a: outside the API everything is a page or leads to the sign-in, so a wrong address shows up as HTML
            return page("<!doctype html><title>Overseerr</title>") if call.path == "/login" else _to_login()
        return _nowhere()
    path = call.path.removeprefix("/api/v1")
    if path == "/status":
        if call.method != "GET":
            return refusal(405, "HEAD method not allowed")  # notes 2b
        return say(
            {"version": world.version, "commitTag": "abc1234", "updateAvailable": False, "commitsBehind": 0,
             "restartRequired": False}
        )  # fmt: skip
    if path == "/settings/public":
        return say(_public(world))
    handlers = [
        (method, found_path.groups(), handler)
        for method, pattern, handler in ROUTES
        if (found_path := re.fullmatch(pattern, path))
    ]
    if not handlers:
        return _nowhere()
    caller = _caller(world, call)
    if isinstance(caller, Answer):
        return caller
    if call.method in ("POST", "PUT") and call.body:
        if not call.headers.get("content-type", "").startswith("application/json"):
            return refusal(415, "unsupported media type")
        try:
            json.loads(call.body)
        except ValueError:
            return refusal(400, "Unexpected token in JSON")
    for method, parts, handler in handlers:
        if method == call.method:
            return handler(world, call, caller, parts)
    return refusal(405, f"{call.method} method not allowed")


def _to_login() -> Answer:
    return Answer(
        b"Temporary Redirect. Redirecting to /login", "text/plain; charset=utf-8", 307, {"Location": "/login"}
    )


def _nowhere() -> Answer:
    return refusal(404, "not found", [{"path": "", "message": "not found"}])


def _caller(world: OverseerrWorld, call: Call) -> Person | Answer:
    """Notes 2a: no key and no cookie 401, wrong key 403; `X-Api-User` makes the call that person's, unknown id 403."""
    key = call.headers.get("x-api-key")
    if key is None:
        return refusal(401, "Unauthorized")  # no cookie is known here: MediaNest never signs in
    if key != world.api_key:
        return forbidden()
    acts_for = call.headers.get("x-api-user")
    person = world.people.get(int(acts_for) if acts_for else 1)
    return person or forbidden()


def _public(world: OverseerrWorld) -> dict[str, Any]:
    """Document: PublicSettings; notes 2b: `mediaServerType` is absent on Overseerr."""
    common = {
        "initialized": world.is_initialized, "applicationTitle": world.application_title, "applicationUrl": "",
        "localLogin": True, "movie4kEnabled": True, "series4kEnabled": True, "partialRequestsEnabled": True,
        "region": "", "originalLanguage": "", "cacheImages": False, "newPlexLogin": True,
    }  # fmt: skip
    return common | ({"mediaServerType": 1, "enableSpecialEpisodes": False} if world.is_seerr else {})


def _me(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    return say(caller.shown(requests=sum(row.requested_by is caller for row in world.requests)))


def _unknown_query(call: Call, allowed: set[str]) -> Answer | None:
    """Notes 2a: an unknown query parameter is a 400."""
    for name in call.query:
        if name not in allowed:
            error = {"path": f"/query/{name}", "message": f"Unknown query parameter '{name}'"}
            return refusal(400, f"Unknown query parameter '{name}'", [error])
    return None


def _list(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Document: `GET /request`; notes 2b: take 0 is 10; own rows only without a right; notes 3: what Overseerr refuses."""
    allowed = LIST_QUERY | ({"mediaType", "sortDirection"} if world.is_seerr else set())
    if refused := _unknown_query(call, allowed):
        return refused
    wanted = call.query.get("filter", "all")
    if wanted not in (SEERR_FILTERS if world.is_seerr else FILTERS):
        return refusal(400, "request/query/filter must be equal to one of the allowed values")
    sees_all = caller.may(Permission.MANAGE_REQUESTS, Permission.REQUEST_VIEW)
    by = call.query.get("requestedBy")
    if by and int(by) != caller.id and not sees_all:
        return refusal(403, "You do not have permission to view this user's requests.")
    rows = [row for row in world.requests if sees_all or row.requested_by is caller]
    rows = [row for row in rows if (not by or row.requested_by.id == int(by)) and _is_in(world, row, wanted)]
    changed = call.query.get("sort") == "modified"
    rows.sort(key=lambda row: (row.updated_at if changed else "", row.id), reverse=True)
    take, skip = int(call.query.get("take") or 0) or 10, int(call.query.get("skip") or 0)
    manages = caller.may(Permission.MANAGE_REQUESTS)
    listed: dict[str, Any] = {
        "pageInfo": found.page_info(len(rows), take, skip),
        "results": [row.shown(is_seerr=world.is_seerr, may_manage=manages) for row in rows[skip : skip + take]],
    }
    return say(listed | ({"serviceErrors": {"radarr": [], "sonarr": []}} if world.is_seerr else {}))


def _is_in(world: OverseerrWorld, row: RequestRow, wanted: str) -> bool:
    """Notes 3: `available` means approved rows in Overseerr, completed ones in Seerr."""
    is_there = row.media.status == There.AVAILABLE
    match wanted:
        case "approved":
            return row.status == Asked.APPROVED
        case "available":
            return is_there and row.status == (Asked.COMPLETED if world.is_seerr else Asked.APPROVED)
        case "completed":
            return row.status == Asked.COMPLETED
        case "pending":
            return row.status == Asked.PENDING
        case "failed":
            return row.status == Asked.FAILED
        case "processing" | "unavailable":
            return row.status in (Asked.PENDING, Asked.APPROVED) and not is_there
        case "deleted":
            return row.media.status == There.DELETED
    return True


def _count(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Document: `GET /request/count`; notes 2b: global numbers, `completed` in Seerr."""
    rows = world.requests
    counted = {
        "total": len(rows),
        "movie": sum(row.media.media_type == "movie" for row in rows),
        "tv": sum(row.media.media_type == "tv" for row in rows),
        "pending": sum(row.status == Asked.PENDING for row in rows),
        "approved": sum(row.status == Asked.APPROVED for row in rows),
        "declined": sum(row.status == Asked.DECLINED for row in rows),
        "processing": sum(row.status == Asked.APPROVED and row.media.status != There.AVAILABLE for row in rows),
        "available": sum(row.media.status == There.AVAILABLE for row in rows),
    }
    return say(counted | ({"completed": sum(row.status == Asked.COMPLETED for row in rows)} if world.is_seerr else {}))


def _create(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    return asking.create(world, call, caller)


def _row(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Notes 2b: 404 also for a non-number; 403 for somebody else's without a right."""
    row = _find(world, parts[0])
    if row is None:
        return refusal(404, "Request not found.")
    if row.requested_by is not caller and not caller.may(Permission.MANAGE_REQUESTS, Permission.REQUEST_VIEW):
        return refusal(403, "You do not have permission to view this request.")
    return say(row.shown(is_seerr=world.is_seerr))


def _find(world: OverseerrWorld, text: str) -> RequestRow | None:
    try:
        return world.row(int(text))
    except (KeyError, ValueError):
        return None


def _act(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Notes 2b: approve, decline and retry need MANAGE_REQUESTS and return the row; `pending` is refused by validation."""
    if not caller.may(Permission.MANAGE_REQUESTS):
        return forbidden()
    row, verb = _find(world, parts[0]), parts[1]
    if verb not in ("approve", "decline", "retry"):
        return refusal(400, "request/params/status must be equal to one of the allowed values: approve, decline")
    if row is None:
        return refusal(404, "Request not found.")
    {"approve": world.approve, "decline": world.decline}.get(verb, lambda one, _by: world.retry(one))(row, caller)
    return say(row.shown(is_seerr=world.is_seerr))


def _delete(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Notes 2b, 2d: 204; refused is a 401; anybody's pending row goes; nothing is told to the webhook (2g)."""
    with world.lock:
        row = _find(world, parts[0])
        if row is None:
            return refusal(404, "Request not found.")
        may = caller.may(Permission.MANAGE_REQUESTS)
        if not may and row.requested_by is not caller and row.status != Asked.PENDING:
            return refusal(401, "You do not have permission to delete this request.")
        world.requests.remove(row)
        others = world.rows_of(row.media.media_type, row.media.tmdb_id)
        if not others and row.media.status in (There.PENDING, There.PROCESSING):
            row.media.status = There.UNKNOWN
    return Answer(status=204)


def _mark(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Document: `POST /media/{mediaId}/{status}`; notes 2b: MANAGE_REQUESTS, a media id, seasons in the body."""
    if not caller.may(Permission.MANAGE_REQUESTS):
        return forbidden()
    media = next((one for one in world.media if str(one.id) == parts[0]), None)
    if media is None:
        return refusal(404, "Media does not exist.")
    if parts[1] == "available":
        sent = (call.json if call.body else {}).get("seasons")
        seasons = tuple(one["seasonNumber"] for one in sent) if sent else None
        world.mark_available(media.media_type, media.tmdb_id, seasons=seasons)
    return say(media.shown())


def _wipe(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Notes 2b: wipes the title's data and all its requests."""
    if not caller.may(Permission.MANAGE_REQUESTS):
        return forbidden()
    media = next((one for one in world.media if str(one.id) == parts[0]), None)
    if media is None:
        return refusal(404, "Media not found")
    with world.lock:
        world.media.remove(media)
        world.requests = [row for row in world.requests if row.media is not media]
    return Answer(status=204)


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/auth/me", _me),
    ("GET", "/request/count", _count),
    ("GET", "/request", _list),
    ("POST", "/request", _create),
    ("GET", "/request/([^/]+)", _row),
    ("DELETE", "/request/([^/]+)", _delete),
    ("POST", "/request/([^/]+)/([^/]+)", _act),
    ("POST", "/media/([^/]+)/([^/]+)", _mark),
    ("DELETE", "/media/([^/]+)", _wipe),
    *found.ROUTES,
]
