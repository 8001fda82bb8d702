"""Traps of the stand-in: it must be as strict as the real thing, or what passes against it fails at people's homes."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.plex import PlexWorld

OURS = {"accept": "application/json", "x-plex-client-identifier": "ours", "x-plex-product": "MediaNest"}


@pytest.fixture
def plex_tv(plex: PlexWorld) -> Any:
    with httpx.Client(base_url=plex.url, headers=OURS, trust_env=False) as client:
        yield client


def test_a_pin_is_read_only_by_the_client_that_made_it_and_once_a_second(
    plex: PlexWorld, plex_tv: httpx.Client
) -> None:
    made = plex_tv.post("/api/v2/pins?strong=true")
    assert made.status_code == 201
    assert (made.json()["authToken"], made.json()["expiresIn"] > 1790, len(made.json()["code"])) == (None, True, 25)
    address = f"/api/v2/pins/{made.json()['id']}"
    other = plex_tv.get(address, headers={"x-plex-client-identifier": "another"})
    assert (other.status_code, other.json()["errors"][0]["code"]) == (404, 1020)
    assert plex_tv.get(address).status_code == 200
    busy = plex_tv.get(address)
    assert (busy.status_code, busy.json()["errors"][0]["code"]) == (429, 1003)
    assert "retry-after" not in busy.headers
    plex.read_gap_s = 0
    plex.allow(made.json()["code"], plex.friend)
    token = plex_tv.get(address).json()["authToken"]
    assert plex_tv.get("/api/v2/user", headers={"x-plex-token": token}).json()["id"] == plex.friend.id
    plex.expire(made.json()["code"])
    assert plex_tv.get(address).status_code == 404


def test_json_comes_for_exactly_that_header_and_the_lists_are_always_xml(
    plex: PlexWorld, plex_tv: httpx.Client
) -> None:
    token = {"x-plex-token": plex.owner.token()}
    for accept in ("*/*", "application/json, text/plain"):
        assert plex_tv.get("/api/v2/user", headers=token | {"accept": accept}).text.startswith("<?xml")
    people = plex_tv.get("/api/users", headers=token).text
    assert people.startswith("<?xml")
    assert 'title="olive"' not in people
    assert re.search(r'username="penny".*?pending="1"', people)
    assert "<User" in re.findall(r"<User[^>]*nora[^>]*></User>", people)[0]
    assert plex_tv.get("/api/v2/friends", headers=token).status_code == 410


def test_a_new_token_ends_the_one_before_of_the_same_account_and_client(plex: PlexWorld, plex_tv: httpx.Client) -> None:
    first, apart = plex.friend.token("ours"), plex.friend.token("ours-server")
    pin = plex_tv.post("/api/v2/pins").json()
    assert len(pin["code"]) == 4
    plex.allow(pin["code"].lower(), plex.friend)

    def status(token: str) -> int:
        return plex_tv.get("/api/v2/user", headers={"x-plex-token": token}).status_code

    assert (status(first), status(apart)) == (401, 200)
    assert plex_tv.delete("/api/v2/users/signout", headers={"x-plex-token": apart}).status_code == 204
    assert status(apart) == 401


def test_each_kind_of_account_sees_what_it_should(plex: PlexWorld, plex_tv: httpx.Client) -> None:
    seen: dict[str, Any] = {}
    for key, account in plex.accounts.items():
        rows = plex_tv.get("/api/v2/resources", headers={"x-plex-token": account.token()}).json()
        ours = [row for row in rows if row["clientIdentifier"] == plex.machine_id]
        assert any("player" in row["provides"] and row["owned"] for row in rows)
        if not ours:
            seen[key] = None
            continue
        headers = {"accept": "application/json", "x-plex-token": ours[0]["accessToken"]}
        sections = httpx.get(f"{plex.server_url}/library/sections", headers=headers, trust_env=False).json()
        seen[key] = (ours[0]["owned"], len(sections["MediaContainer"]["Directory"]))
    assert seen == {
        "owner": (True, 3), "friend": (False, 3), "friend_one_library": (False, 1), "child": (False, 1),
        "pending": None, "stranger": None, "nothing_shared": None,
    }  # fmt: skip
    refused = httpx.get(f"{plex.server_url}/", headers={"x-plex-token": plex.friend.token()}, trust_env=False)
    assert (refused.status_code, refused.headers["content-type"][:9]) == (401, "text/html")


def test_the_sign_in_page_goes_back_untouched_whether_allowed_or_not(plex: PlexWorld, plex_tv: httpx.Client) -> None:
    plex.read_gap_s = 0
    for answer, has_token in (("deny", False), ("allow", True)):
        pin = plex_tv.post("/api/v2/pins?strong=true").json()
        form = {"clientID": "ours", "code": pin["code"], "forwardUrl": "http://x/y?state=1", "account": "friend"}
        sent = plex_tv.post("/auth", data=form | {"answer": answer})
        assert (sent.status_code, sent.headers["location"]) == (303, "http://x/y?state=1")
        assert bool(plex_tv.get(f"/api/v2/pins/{pin['id']}").json()["authToken"]) is has_token
    weak = plex_tv.post("/api/v2/pins").json()
    form |= {"code": weak["code"], "answer": "allow"}
    assert plex_tv.post("/auth", data=form).status_code == 400
    assert plex_tv.post("/link", data={"code": weak["code"], "account": "friend"}).status_code == 200


def test_trouble_comes_as_it_was_ordered(plex: PlexWorld, plex_tv: httpx.Client) -> None:
    headers = {"x-plex-token": plex.owner.token()}
    for kind, status in (
        ("status", 503),
        ("429", 429),
        ("html", 200),
        ("xml", 200),
        ("empty", 200),
        ("truncated", 200),
    ):
        plex.faults.add("/api/v2/user", kind, **({"status": 503} if kind == "status" else {}))
        answer = plex_tv.get("/api/v2/user", headers=headers)
        assert answer.status_code == status, kind
        if status == 200:
            with pytest.raises(json.JSONDecodeError):
                answer.json()
    for kind in ("reset", "hang"):
        plex.faults.add("/api/v2/user", kind)
        with pytest.raises(httpx.TransportError):
            plex_tv.get("/api/v2/user", headers=headers, timeout=0.3)
    assert plex_tv.get("/api/v2/user", headers=headers).json()["username"] == "olive"
