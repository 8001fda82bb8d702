"""What can be looked up: search, details, lists of titles, and people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tests.overseerr.asking import quota_of
from tests.overseerr.people import Permission, Person
from tests.overseerr.rows import There
from tests.overseerr.traffic import Answer, Call, forbidden, refusal, say

if TYPE_CHECKING:
    from tests.overseerr.world import OverseerrWorld

PAGE_SIZE = 20
RESERVED = set(":/?#[]@!$&'()*+,;=")


def page_info(count: int, take: int, skip: int) -> dict[str, int]:
    """Document: PageInfo; notes 2b: with `pageSize`."""
    return {"pages": -(-count // take), "pageSize": take, "results": count, "page": skip // take + 1}


def bare_reserved(raw_query: str) -> str:
    """Notes 2e: the first reserved character that stands undecoded in a value; the raw string is tested before decoding."""
    for part in raw_query.split("&"):
        _name, _, value = part.partition("=")
        for char in value:
            if char in RESERVED:
                return char
    return ""


def search(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Document: `GET /search`; notes 2b and 2e."""
    if char := bare_reserved(call.raw_query):
        name = call.raw_query.partition("=")[0]
        text = f"Parameter '{name}' must be url encoded. Its value may not contain reserved characters."
        return refusal(400, text, [{"path": f"/query/{name}", "message": text + char}])
    for name in call.query:
        if name not in ("query", "page", "language"):
            return refusal(400, f"Unknown query parameter '{name}'")
    words = call.query.get("query", "")
    if not words:
        return refusal(400, "Empty value found for query parameter 'query'")
    if world.tmdb_is_down:  # notes 2b: 200 with zero results
        return say({"page": 1, "totalPages": 1, "totalResults": 0, "results": []})
    number = max(1, int(call.query.get("page") or 1))  # notes 2b: page 0 is page 1
    with world.lock:
        rows = _matching(world, words)
    return _paged(rows, number)


def _paged(rows: list[dict[str, Any]], number: int) -> Answer:
    """Notes 2b: 20 a page; past the end 200 and an empty list."""
    shown = rows[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    pages = -(-len(rows) // PAGE_SIZE)
    return say({"page": number, "totalPages": pages, "totalResults": len(rows), "results": shown})


def _matching(world: OverseerrWorld, words: str) -> list[dict[str, Any]]:
    if prefix := re.fullmatch(r"(tmdb|imdb|tvdb):(\S+)", words):  # notes 2e: prefix searches
        value = prefix[2]
        titles = [one for one in world.titles.values() if value in (str(one.tmdb_id), one.imdb_id, str(one.tvdb_id))]
    else:
        titles = [one for one in world.titles.values() if words.lower() in one.title.lower()]
    rows = [one.found(_media(world, one.media_type, one.tmdb_id)) for one in titles]
    people = {name for one in world.titles.values() for name in one.cast if words.lower() in name.lower()}
    rows += [
        {"id": 500 + place, "mediaType": "person", "name": name, "profilePath": None, "adult": False, "knownFor": []}
        for place, name in enumerate(sorted(people))
    ]
    if "quiet orbit" in words.lower():  # notes 2b, 5: also `collection`, which the document does not know
        rows.append({"id": 2344, "mediaType": "collection", "title": "The Quiet Orbit Collection", "posterPath": None,
                     "backdropPath": None, "originalLanguage": "en", "adult": False, "overview": ""})  # fmt: skip
    return rows


def _media(world: OverseerrWorld, media_type: str, tmdb_id: int) -> dict[str, Any] | None:
    """Notes 2b: only on titles the server knows; in search with `watchlists` (Seerr) and without `requests`."""
    media = world.media_of(media_type, tmdb_id)
    if media is None:
        return None
    return media.shown(**({"watchlists": []} if world.is_seerr else {}))


def details(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Documents: MovieDetails, TvDetails; notes 2b: `requests` in `mediaInfo`; unknown id 500, as an upstream failure."""
    media_type = parts[0]
    title = world.titles.get((media_type, int(parts[1]))) if parts[1].isdigit() else None
    if title is None or world.tmdb_is_down:
        return refusal(500, "Unable to retrieve movie." if media_type == "movie" else "Unable to retrieve series.")
    with world.lock:
        media = world.media_of(media_type, title.tmdb_id)
        rows = world.rows_of(media_type, title.tmdb_id)
        asked = [row.shown(is_seerr=world.is_seerr, has_media=False) for row in rows]
        return say(title.details(media.shown(asked) if media else None))


def season(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Document: Season; notes 5: the value is the season's number in both."""
    title = world.titles.get(("tv", int(parts[0])))
    if title is None or int(parts[1]) not in title.seasons or world.tmdb_is_down:
        return refusal(500, "Unable to retrieve season.")
    return say(title.season(int(parts[1])))


def discover(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Document: `GET /discover/movies`, `/discover/tv`, `/discover/trending`."""
    if world.tmdb_is_down:
        return say({"page": 1, "totalPages": 1, "totalResults": 0, "results": []})
    wanted = {"movies": ("movie",), "tv": ("tv",)}.get(parts[0], ("movie", "tv"))
    with world.lock:
        titles = [one for one in world.titles.values() if one.media_type in wanted]
        rows = [one.found(_media(world, one.media_type, one.tmdb_id)) for one in titles]
    return _paged(rows, max(1, int(call.query.get("page") or 1)))


def people(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Document: `GET /user`; notes 2b: anybody may list, e-mail and Plex id for MANAGE_USERS; notes 3: `q` is Seerr's."""
    allowed = {"take", "skip", "sort"} | ({"q", "includeIds"} if world.is_seerr else set())
    for name in call.query:
        if name not in allowed:
            return refusal(400, f"Unknown query parameter '{name}'")
    take, skip = int(call.query.get("take") or 0) or 10, int(call.query.get("skip") or 0)
    rows = sorted(world.people.values(), key=lambda one: one.id)
    is_full = caller.may(Permission.MANAGE_USERS)
    return say(
        {
            "pageInfo": page_info(len(rows), take, skip),
            "results": [one.shown(is_full=is_full) for one in rows[skip : skip + take]],
        }
    )


def plex_people(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Document: `GET /settings/plex/users`; notes 2f: who is not yet imported, ids as strings."""
    if not caller.may(Permission.ADMIN):
        return forbidden()
    here = {one.plex_id for one in world.people.values()}
    return say([one.shown() for one in world.plex_people if one.id not in here])


def import_people(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Notes 2f: 201 with those newly made, without e-mail or Plex id; without ids a 500; some are skipped, silently."""
    if not caller.may(Permission.MANAGE_USERS):
        return forbidden()
    ids = (call.json if call.body else {}).get("plexIds")
    if not ids:
        return refusal(500, "Cannot read properties of undefined (reading 'length')")
    made = []
    with world.lock:
        for known in world.plex_people:
            is_here = any(one.plex_id == known.id for one in world.people.values())
            if str(known.id) in ids and not is_here and known.email and known.has_share:
                person = Person(max(world.people) + 1, known.email, known.id, known.username)
                world.people[person.id] = person
                made.append(person.shown(is_full=False))
    return say(made, 201)


def quota(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Document: `GET /user/{id}/quota`."""
    person = world.people.get(int(parts[0]))
    if person is None:
        return refusal(404, "User not found.")
    if person is not caller and not caller.may(Permission.MANAGE_USERS):
        return forbidden()
    with world.lock:
        return say(quota_of(world, person))


def blocklisted(world: OverseerrWorld, call: Call, caller: Person, parts: tuple[str, ...]) -> Answer:
    """Notes 2b: Seerr's `/blocklist`."""
    if not world.is_seerr:
        return refusal(404, "not found", [{"path": "", "message": "not found"}])
    rows = [one.shown() for one in world.media if one.status == There.BLOCKLISTED]
    return say({"pageInfo": page_info(len(rows), 25, 0), "results": rows})


ROUTES = [
    ("GET", "/search", search),
    ("GET", "/(movie|tv)/([^/]+)", details),
    ("GET", r"/tv/(\d+)/season/(\d+)", season),
    ("GET", "/discover/(movies|tv|trending)", discover),
    ("GET", "/user", people),
    ("GET", "/settings/plex/users", plex_people),
    ("POST", "/user/import-from-plex", import_people),
    ("GET", r"/user/(\d+)/quota", quota),
    ("GET", "/(?:blocklist|blacklist)", blocklisted),
]
