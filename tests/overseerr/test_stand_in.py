"""The stand-in must be as strange as the real thing: answers fit the document, and where they do not, a row of the notes
says so. `spec.json` holds what is checked of the API document (Seerr's, which differs from Overseerr's in more fields only).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.overseerr import OverseerrWorld, Permission

SPEC = json.loads((Path(__file__).parent / "spec.json").read_text())
TYPES: dict[str, Any] = {
    "object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool,
}  # fmt: skip
# notes 2b: null posters, and database columns without a value are null although the document does not say so
NULLABLE = {
    "posterPath", "backdropPath", "profilePath", "tvdbId", "imdbId", "freebaseMid", "username", "plexUsername",
    "serverId", "profileId", "rootFolder", "character",
}  # fmt: skip
# notes 2b, 2f: only for MANAGE_USERS; newly imported people come without it
LEFT_OUT = {"email"}


def misfits(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """What of `value` the document does not allow; fields beyond it are allowed (notes 5: MediaInfo has 25, not 7)."""
    if "ref" in schema:
        yield from misfits(value, SPEC["schemas"][schema["ref"]], where)
    elif "any" in schema:
        if all(list(misfits(value, one, where)) for one in schema["any"]):
            yield f"{where}: fits none"
    elif value is None:
        name = re.sub(r"\W.*$", "", where.rsplit(".", 1)[-1])
        if not schema.get("null") and name not in NULLABLE:
            yield f"{where}: null"
    elif "type" in schema and not isinstance(value, TYPES[schema["type"]]):
        yield f"{where}: {type(value).__name__} in place of {schema['type']}"
    elif isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value and name not in LEFT_OUT:
                yield f"{where}.{name}: missing"
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                yield from misfits(value[name], inner, f"{where}.{name}")
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from misfits(one, schema.get("items", {}), f"{where}[{place}]")


class Api:
    """Calls with the owner's key, or as somebody."""

    def __init__(self, world: OverseerrWorld) -> None:
        self.client = httpx.Client(base_url=world.url + "/api/v1", trust_env=False)
        self.world = world

    def __call__(self, method: str, path: str, as_user: int | None = None, **more: Any) -> httpx.Response:
        headers = {"x-api-key": self.world.api_key, **more.pop("headers", {})}
        if as_user is not None:
            headers["x-api-user"] = str(as_user)
        return self.client.request(method, path, headers=headers, **more)

    def film(self, tmdb_id: int = 603, as_user: int = 2, **more: Any) -> httpx.Response:
        sent = {"mediaType": "movie", "mediaId": tmdb_id, "is4k": False, **more}
        return self("POST", "/request", as_user, json=sent)

    def show(self, seasons: Any, tmdb_id: int = 1399, as_user: int = 2, **more: Any) -> httpx.Response:
        return self("POST", "/request", as_user, json={"mediaType": "tv", "mediaId": tmdb_id, "is4k": False,
                                                       "seasons": seasons, **more})  # fmt: skip


@pytest.fixture(params=["overseerr", "seerr"])
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    one = Api(request.getfixturevalue(request.param))
    with one.client:
        yield one


def test_every_answer_fits_the_document(api: Api) -> None:
    world = api.world
    film, show = api.film(), api.show([1, 2], as_user=4)
    world.mark_available("movie", 603, rating_key="77")
    called = {
        "GET /status": "/status",
        "GET /settings/public": "/settings/public",
        "GET /auth/me": "/auth/me",
        "GET /search": "/search?query=quiet%20orbit&page=1",
        "GET /movie/{movieId}": "/movie/603",
        "GET /tv/{tvId}": "/tv/1399",
        "GET /tv/{tvId}/season/{seasonNumber}": "/tv/1399/season/1",
        "GET /request": "/request?take=20&skip=0&filter=all&sort=added",
        "GET /request/count": "/request/count",
        "GET /request/{requestId}": f"/request/{film.json()['id']}",
        "POST /request/{requestId}/retry": f"/request/{show.json()['id']}/retry",
        "POST /request/{requestId}/{status}": f"/request/{show.json()['id']}/approve",
        "GET /user": "/user?take=100&skip=0",
        "GET /user/{userId}/quota": "/user/2/quota",
        "GET /settings/plex/users": "/settings/plex/users",
        "GET /discover/movies": "/discover/movies?page=1",
        "GET /discover/tv": "/discover/tv",
        "POST /media/{mediaId}/{status}": "/media/2/available",
    }
    answers = {name: api(name.split()[0], path) for name, path in called.items()}
    answers["POST /request"] = api.film(604)
    answers["POST /user/import-from-plex"] = api("POST", "/user/import-from-plex", json={"plexIds": ["1003"]})
    assert set(answers) == set(SPEC["answers"])
    for name, answer in answers.items():
        assert answer.status_code == SPEC["answers"][name]["status"], f"{name}: {answer.text}"
        assert list(misfits(answer.json(), SPEC["answers"][name]["schema"])) == [], name
    kinds = {row["mediaType"] for row in answers["GET /search"].json()["results"]}
    assert kinds == {"movie", "collection"}  # notes 5: a kind that the document does not know
    assert "requests" not in answers["GET /search"].json()["results"][0]["mediaInfo"]  # notes 2b
    assert answers["GET /movie/{movieId}"].json()["mediaInfo"]["requests"]
    row = answers["GET /request"].json()["results"][0]
    assert not {"title", "name", "posterPath"} & set(row) | {"title"} & set(row["media"])  # notes 2b: no title
    assert ("mediaServerType" in answers["GET /settings/public"].json()) is world.is_seerr  # notes 2b


def test_keys_and_people_are_told_apart_as_the_notes_say(api: Api) -> None:
    """Notes 2a."""
    assert api.client.get("/auth/me").status_code == 401
    wrong = api("GET", "/auth/me", headers={"x-api-key": "wrong"})
    assert (wrong.status_code, set(wrong.json())) == (403, {"status", "error"})
    assert api("GET", "/auth/me", 2).json()["id"] == 2
    assert api("GET", "/auth/me", 99).status_code == 403
    with pytest.raises(httpx.TransportError):
        api("GET", "/auth/me", headers={"x-api-user": "frida"})
    assert api.world.takedowns == ["frida"]
    assert api("GET", "/request?nonsense=1").status_code == 400
    assert api("POST", "/request", content="{}", headers={"content-type": "text/plain"}).status_code == 415
    assert api("POST", "/request", content="{", headers={"content-type": "application/json"}).status_code == 400
    assert api("GET", "/nowhere").status_code == 404
    away = httpx.get(api.world.url + "/jellyfin/api/v1/status", trust_env=False)
    assert (away.status_code, away.headers["location"]) == (307, "/login")
    seerr_only = api("GET", "/request?filter=completed").status_code, api("GET", "/user?q=f").status_code
    assert seerr_only == ((200, 200) if api.world.is_seerr else (400, 400))  # notes 3


def test_creating_has_every_gap_that_was_measured(api: Api) -> None:
    """Notes 2c, in its order."""
    made = api.film()
    assert (made.status_code, made.json()["status"], made.json()["media"]["status"]) == (201, 1, 2)
    assert api.film(as_user=4).status_code == 409
    left_out = api("POST", "/request", 2, json={"mediaType": "movie", "mediaId": 603})
    assert left_out.status_code == 201, "is4k left out: a duplicate row"
    api("POST", "/request/1/decline")
    api("POST", f"/request/{left_out.json()['id']}/decline")
    assert api.film().status_code == 201, "after a decline"
    assert api.film(862, as_user=5).json()["message"] == "You do not have permission to make movie requests."
    assert api.film(862, is4k=True).json()["message"] == "You do not have permission to make 4K movie requests."
    api.world.friend.movie_quota = (1, 7)
    assert api.film(862).json() == {"message": "Movie Quota exceeded."}
    assert api("GET", "/user/2/quota").json()["movie"] == {
        "days": 7, "limit": 1, "used": 1, "restricted": True, "remaining": 0,
    }  # fmt: skip
    assert api.show([1, 2]).json()["seasonCount"] == 2
    nothing = api.show([1, 2])
    assert (nothing.status_code, nothing.json()) == (202, {"message": "No seasons available to request"})
    assert [one["seasonNumber"] for one in api.show([2, 3]).json()["seasons"]] == [3], "only the new ones"
    assert [api.show(one, 4000).status_code for one in ([], [0])] == [202, 202]
    assert api("POST", "/request", 2, json={"mediaType": "tv", "mediaId": 4000, "is4k": False}).status_code == 500
    assert api.show([99], 4000).status_code == 201, "not checked against the film database"
    assert [one["seasonNumber"] for one in api.show("all", 4000).json()["seasons"]] == [1]
    assert "api_key" in api.film(999999, as_user=4).text, "unknown id: 500 with upstream text"
    assert api.film("603").status_code == 400
    api.world.friend.movie_quota = (0, 7)
    assert api.film(604, as_user=1, userId=2).json()["status"] == 2, "approved by the caller's right"
    assert api.film(862, as_user=2, userId=4).status_code == 403
    api.world.blocklist("movie", 1399)
    assert api.film(1399).json()["message"] == "This media is blocklisted."
    assert api.world.creates == sum(call.status == 201 for call in api.world.calls)


@pytest.mark.parametrize(("media_type", "codes"), [("movie", [201] * 10), ("tv", [201] * 2 + [500] * 8)])
def test_ten_at_once_slip_through(overseerr: OverseerrWorld, media_type: str, codes: list[int]) -> None:
    """Notes 2c: no lock between look and insert."""
    overseerr.create_s = 0.5
    api = Api(overseerr)
    with ThreadPoolExecutor(10) as pool, api.client:
        make = api.film if media_type == "movie" else lambda: api.show([1])
        found = sorted(one.result().status_code for one in [pool.submit(make) for _ in range(10)])
    assert found == codes
    title = (media_type, 603 if media_type == "movie" else 1399)
    assert len(overseerr.rows_of(*title)) == codes.count(201)
    assert len(overseerr.media) == codes.count(201)


def test_search_refuses_a_plus_and_any_other_bare_character(api: Api) -> None:
    """Notes 2e."""
    for char in "+:/?[]@!$'()*,;=":
        assert api("GET", f"/search?query=a{char}b").status_code == 400, char
    nasty = quote('<b>Fish & "Chips"</b> $&', safe="")
    assert api("GET", f"/search?query={nasty}").json()["totalResults"] == 1
    assert api("GET", "/search?query=").status_code == 400
    assert api("GET", "/search?query=tmdb%3A603").json()["results"][0]["id"] == 603
    assert api("GET", "/search?query=orbit&page=0").json()["page"] == 1
    assert api("GET", "/search?query=orbit&page=9").json()["results"] == []
    api.world.tmdb_is_down = True
    assert api("GET", "/search?query=orbit").json()["totalResults"] == 0
    assert api("GET", "/movie/603").json() == {"message": "Unable to retrieve movie."}


def test_states_and_the_webhook_go_as_the_notes_say(api: Api) -> None:
    """Notes 2b, 2d, 2g, 3."""
    api.film()
    approved = [api("POST", "/request/1/approve").json() for _ in range(2)]
    assert [one["status"] for one in approved] == [2, 2]
    assert api("POST", "/request/1/approve", 2).status_code == 403
    assert api("POST", "/request/1/pending").status_code == 400
    assert api("GET", "/movie/603").json()["mediaInfo"]["status"] == 3
    api.world.mark_available("movie", 603)
    assert api("GET", "/request/1").json()["status"] == (5 if api.world.is_seerr else 2)
    kinds = [one["notification_type"] for one in api.world.webhooks]
    assert kinds == ["MEDIA_PENDING", "MEDIA_APPROVED", "MEDIA_AVAILABLE"], "approving twice sends one"
    told = api.world.webhooks[1]
    assert told["media"]["status"] == "PENDING", "the state before"
    assert (told["request"]["request_id"], told["media"]["tvdbId"], told["issue"]) == ("1", "", None)
    api.show([1, 2])
    assert api.world.webhooks[-1]["extra"] == [{"name": "Requested Seasons", "value": "1, 2"}]
    api.world.mark_available("tv", 1399, seasons=(1,))
    assert api("GET", "/tv/1399").json()["mediaInfo"]["status"] == 4
    other = api.world.request_there(api.world.manager, "movie", 862)
    assert api("DELETE", f"/request/{other.id}", 2).status_code == 204, "anybody's pending row"
    assert api("DELETE", "/request/1", 5).status_code == 401
    assert api("GET", "/request/nonsense").status_code == 404
    assert api("GET", "/request/1", 5).status_code == 403
    assert len(api("GET", "/request?take=0").json()["results"]) == 2
    assert [one["requestedBy"]["id"] for one in api("GET", "/request", 2).json()["results"]] == [2, 2]


def test_people_are_listed_and_imported_with_gaps(api: Api) -> None:
    """Notes 2b, 2f."""
    assert "email" not in api("GET", "/user", 2).json()["results"][0]
    assert api("POST", "/user/import-from-plex", json={}).status_code == 500
    waiting = {one["id"] for one in api("GET", "/settings/plex/users").json()}
    assert waiting == {"1003", "1004", "1005"}
    made = api("POST", "/user/import-from-plex", json={"plexIds": ["1003", "1004", "1005"]})
    assert [("plexId" in one, one["displayName"]) for one in made.json()] == [(False, "finn")]
    assert api("GET", "/user?take=100").json()["pageInfo"]["results"] == 6
    assert api.world.people[6].permissions == Permission.REQUEST


def test_trouble_comes_as_it_was_ordered(overseerr: OverseerrWorld) -> None:
    api = Api(overseerr)
    with api.client:
        trouble(api, overseerr)


def trouble(api: Api, overseerr: OverseerrWorld) -> None:
    for status in (401, 429, 500):
        overseerr.faults.add("/api/v1/auth", "status", status=status)
        assert api("GET", "/auth/me").status_code == status
    overseerr.faults.add("/api/v1/auth", "html")
    assert api("GET", "/auth/me").headers["content-type"].startswith("text/html")
    overseerr.faults.add("/api/v1/auth", "truncated")
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        api("GET", "/auth/me").json()
    for kind, left in (("reset", 0), ("lost", 1)):
        overseerr.faults.add("/api/v1/request", kind)
        with pytest.raises(httpx.TransportError):
            api.film()
        assert overseerr.creates == left, kind
    overseerr.faults.add("/api/v1/auth", "slow", seconds=5)
    with pytest.raises(httpx.TimeoutException):
        api("GET", "/auth/me", timeout=0.2)
    overseerr.off()
    with pytest.raises(httpx.TransportError):
        api("GET", "/auth/me")
    overseerr.on()
    assert api("GET", "/auth/me").json()["email"] == "olive@example.org"
    overseerr.become_another()
    assert api("GET", "/auth/me").json()["email"] == "stan@example.org"
    assert api("GET", "/request").json()["results"] == []
