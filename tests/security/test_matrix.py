"""Every route as everybody (SEC-33), and every id as somebody else (SEC-34)."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute, WebSocketRoute

from medianest.accounts.keys.model import NewApiKey
from medianest.accounts.model import Scope
from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import Visit, set_up
from tests.security.cast import add_person, headers_of, key_headers, session_headers
from tests.security.matrix import KINDS, Entry, entries

# ways back from Plex refuse by themselves whoever did not begin there; the guards have other words
BOUND = ("/system/plex/return", "/settings/plex/return")
GUARDS = ("Only an administrator", "Your account may not do this", "This API key does not open")
SAMPLES = {"int": "999999", "str": "x", "uuid": "5f0c1d3e-0000-4000-8000-000000000000", "path": "x"}


def litestar_of(application: Application) -> Any:
    """The router inside everything that stands around it."""
    inner = application.asgi
    while not hasattr(inner, "routes"):
        inner = inner._app
    return inner


def routes_of(application: Application) -> set[tuple[str, str]]:
    """Method and path of every route; OPTIONS only names the methods of its address."""
    found = set()
    for route in litestar_of(application).routes:
        if isinstance(route, HTTPRoute):
            found |= {(str(m), route.path) for one in route.route_handlers for m in one.http_methods if m != "OPTIONS"}
        else:
            assert isinstance(route, WebSocketRoute), "there is a kind of route that the matrix does not know"
            found.add(("SOCKET", route.path))
    return found


def filled(path: str, **known: object) -> str:
    """A path with something in the place of its parameters."""
    return re.sub(r"\{(\w+):(\w+)\}", lambda found: str(known.get(found[1], SAMPLES[found[2]])), path)


async def is_socket_open(application: Application, path: str, headers: dict[str, str]) -> bool:
    """Whether a handshake is taken."""
    sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent.put_nowait({"type": "websocket.connect"})
    scope = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "root_path": "", "scheme": "ws",
        "query_string": b"", "subprotocols": [], "client": ("192.0.2.10", 1), "server": ("medianest.test", 80),
        "headers": [(k.lower().encode(), v.encode()) for k, v in {"host": "medianest.test", **headers}.items()],
    }  # fmt: skip
    task = asyncio.create_task(application.asgi(scope, sent.get, answers.put))
    first = await asyncio.wait_for(answers.get(), 10)
    sent.put_nowait({"type": "websocket.disconnect", "code": 1001})
    await asyncio.wait_for(task, 10)
    return bool(first["type"] == "websocket.accept")


def refusal(entry: Entry, answer: httpx.Response) -> int:
    """The status of a refusal, 0 when the call got through to its handler."""
    if answer.status_code == 401:
        return 0 if entry.people == "all" else 401  # to strangers it says that a name, code or token is wrong
    to_sign_in = answer.status_code == 303 and answer.headers["location"].split("?")[0] == "/sign-in"
    # signing out leads there too, and takes the cookies on the way
    if to_sign_in and entry.people != "all" and "set-cookie" not in answer.headers:
        return 303
    if entry.path in BOUND and not any(words in answer.text for words in GUARDS):
        return 0
    return 403 if answer.status_code == 403 else 0


async def call(application: Application, visit: Visit, entry: Entry, headers: dict[str, str]) -> int:
    """Call the route with nothing in it: 0, or the status of the refusal."""
    if entry.method == "SOCKET":
        return 0 if await is_socket_open(application, entry.path, headers) else 403
    async with visit(application, headers=headers) as client:
        answer = await client.request(entry.method, filled(entry.path))
    assert answer.status_code < 500, (entry.method, entry.path, answer.text[:300])
    return refusal(entry, answer)


async def test_every_route_stands_in_the_matrix(application: Application) -> None:
    routes, known = routes_of(application), set(entries())
    assert sorted(routes - known) == [], "give these a line in tests/security/matrix_table.py"
    assert sorted(known - routes) == [], "these are gone: take their line out of tests/security/matrix_table.py"


@pytest.mark.timeout_s(240)
@pytest.mark.parametrize("kind", KINDS)
async def test_every_route_opens_for_exactly_whom_the_matrix_says(
    application: Application, visit: Visit, kind: str
) -> None:
    await set_up(visit(application), application)
    wrong = []
    for (method, path), entry in entries().items():
        got = await call(application, visit, entry, await headers_of(application, kind))
        if entry.allows(kind):
            wanted = 0
        elif kind == "nobody" and method != "SOCKET":
            wanted = 401 if entry.is_api else 303
        else:
            wanted = 403
        if got != wanted:
            wrong.append(f"{method} {path} as {kind}: {got or 'allowed'}, the matrix says {wanted or 'allowed'}")
    assert wrong == []


@pytest.mark.timeout_s(120)
async def test_a_permission_opens_its_routes_and_nothing_else_does(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    for entry in entries().values():
        if entry.permission:
            holder = await headers_of(application, "user", permissions=entry.permission)
            assert await call(application, visit, entry, holder) == 0, entry
            nothing = await headers_of(application, "user", permissions="")
            assert await call(application, visit, entry, nothing) == 403, entry


@pytest.mark.timeout_s(120)
async def test_a_key_never_opens_more_than_its_person_may(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    for entry in entries().values():
        if entry.keys and not entry.allows("user"):
            headers = await key_headers(await add_person("user"), "admin")
            assert await call(application, visit, entry, headers) == 403, entry


# what stands in a path, and how somebody comes to own one; `None`: not a thing of one person, with the reason
OWNED: dict[str, str | None] = {
    "download_id": "download",
    "history_id": "video",
    "request_id": "request",
    "subscription_id": "subscription",
    "item_id": None,  # comes with a subscription
    "session_id": "session",
    "key_id": "key",
    "notice_id": "notice",
    "verb": None,  # comes with a download
    "source": None,  # a picture's address is signed for its person: tests/media/test_pictures.py
    "size": None,
    "signature": None,
    "media_type": None,  # of a title, which belongs to nobody
    "tmdb_id": None,
    "key": None,  # of a library: Plex says what is shared with whom, see tests/media/test_browsing.py
    "rating_key": None,
    "act": None,  # on all of one's own
    "name": None,  # pictures have names nobody can guess, and stand on pages of several people
    "person_id": None,  # only of pictures here, which everybody sees beside a name
    "path": None,  # the document of the API
}
BODIES: dict[tuple[str, str], Any] = {
    ("PATCH", "/api/v1/downloads/{download_id:int}"): {"position": 1},
    ("PATCH", "/api/v1/subscriptions/{subscription_id:int}"): {"title": "Mine"},
    ("POST", "/api/v1/subscriptions/{subscription_id:int}/dry-run"): {},
}
# answers a notice that was answered in another tab, and one of somebody else, alike
ALIKE = {"/settings/notices/{notice_id:int}": 303}
VERBS = ("cancel", "pause", "resume", "retry", "remove", "top")
FOLLOW_VERBS = ("check", "pause", "resume", "ignore", "download")
REQUEST_VERBS = ("cancel", "retry", "follow", "unfollow", "approve", "decline")


async def make(application: Application, what: str, user_id: int) -> object:
    """Something of the person's own; its id."""
    if what == "session":
        await session_headers(application, user_id)
        user = await application.accounts._accounts.get(user_id)
        return (await application.accounts.sessions(user))[0].id
    if what == "key":
        user = await application.accounts._accounts.get(user_id)
        return (await application.keys.make(NewApiKey(name="own", scopes=(Scope.READ,)), by=user)).id
    if what == "key":
        await key_headers(user_id, "read")
        return (await fetch("SELECT id FROM api_keys WHERE user_id = {}", user_id))[0]["id"]
    if what == "notice":
        rows = await fetch(
            "INSERT INTO account_notices (user_id, code, detail, address, created_at) "
            "VALUES ({}, 'new_sign_in', '', '', {}) RETURNING id",
            user_id, datetime.now(UTC),
        )  # fmt: skip
        return rows[0]["id"]
    if what == "video":
        rows = await fetch(
            "INSERT INTO download_history (identity, title, uploader, url, site, video_id, files, size_bytes, requested_by, "
            "created_at, filed_at) VALUES ('tube:x', 'A video', '', '', 'tube', 'x', {}, 1, {}, {}, {}) RETURNING id",
            "[]", user_id, datetime.now(UTC), datetime.now(UTC),
        )  # fmt: skip
        return rows[0]["id"]
    if what == "request":
        rows = await fetch(
            "INSERT INTO media_requests (media_type, tmdb_id, is_4k, seasons, requested_by, title, title_key, status, "
            "is_approved, quota_cost, version, created_at, changed_at) "
            "VALUES ('movie', 603, {}, '', {}, 'A film', 'a film', 'pending', {}, 1, 1, {}, {}) RETURNING id",
            False, user_id, False, datetime.now(UTC), datetime.now(UTC),
        )  # fmt: skip
        await fetch(
            "INSERT INTO request_followers (user_id, request_id, joined_at) VALUES ({}, {}, {})",
            user_id, rows[0]["id"], datetime.now(UTC),
        )  # fmt: skip
        return rows[0]["id"]
    if what == "subscription":
        rows = await fetch(
            "INSERT INTO subscriptions (user_id, url, url_key, site, kind, title, uploader, interval_s, quality, audio_only, layout, "
            "priority, filters, keep_rule, state, is_newest_first, next_check_at, message, failures, deletes_files, created_at, "
            "changed_at) "
            "VALUES ({}, 'https://videos.example/c', 'x', '', 'channel', 'A channel', '', 3600, 'default', {}, 'show', 1, {}, 'all', "
            "'active', {}, {}, '', 0, {}, {}, {}) RETURNING id",
            user_id, False, "{}", False, datetime.now(UTC), False, datetime.now(UTC), datetime.now(UTC),
        )  # fmt: skip
        return rows[0]["id"]
    assert what == "download", what
    from medianest.downloads.model import NewDownload

    user = await application.accounts._accounts.get(user_id)
    added, _is_new = await application.downloads.service.add(
        NewDownload(url=f"https://videos.example/{user_id}"), by=user
    )
    return added.id


@pytest.mark.timeout_s(120)
@pytest.mark.parametrize("kind", ["user", "child", "key:admin"])
async def test_somebody_elses_id_is_not_found(application: Application, visit: Visit, kind: str) -> None:
    await set_up(visit(application), application)
    owner = await add_person("user")
    things: dict[str, object] = {}
    for what in {what for what in OWNED.values() if what}:
        things[what] = await make(application, what, owner)
    tried = 0
    for entry in entries().values():
        names = re.findall(r"\{(\w+):", entry.path)
        # administrators' routes are for other people's things
        if not names or entry.people in ("all", "admin") or entry.permission.startswith("manage_"):
            continue
        unknown = [name for name in names if name not in OWNED]
        assert unknown == [], f"{entry.path}: say in OWNED what this names"
        owned = {name: things[what] for name in names if (what := OWNED[name])}
        if not owned:
            continue
        verbs = REQUEST_VERBS if "request_id" in names else FOLLOW_VERBS if "subscription_id" in names else VERBS
        for verb in verbs if "verb" in names else ("",):
            if kind == "key:admin":  # of somebody who is no administrator
                headers = await key_headers(await add_person("user"), "admin")
                if not entry.keys:
                    continue
            else:
                headers = await headers_of(application, kind)
            path = filled(entry.path, verb=verb, **owned)
            async with visit(application, headers=headers) as client:
                body = BODIES.get((entry.method, entry.path))
                answer = await client.request(entry.method, path, **({} if body is None else {"json": body}))
            assert answer.status_code == ALIKE.get(entry.path, 404), (
                entry.method,
                path,
                answer.status_code,
                answer.text[:200],
            )
            tried += 1
    assert tried >= 5
    # and it was there all the time
    assert await fetch("SELECT id FROM account_notices WHERE id = {} AND seen_at IS NULL", things["notice"])
    async with visit(application, headers=await session_headers(application, owner)) as client:
        assert (await client.get(f"/api/v1/downloads/{things['download']}")).status_code == 200
