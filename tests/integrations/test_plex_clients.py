"""plex.tv and the server as MediaNest reads them: every kind of account, every kind of trouble."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from medianest.errors import UpstreamFailed
from medianest.integrations.http import Answer, HttpClient, Reach
from medianest.integrations.plex_answers import as_flag, as_int, read_xml, rows
from medianest.integrations.plex_server import PlexServer, ServerRefused
from medianest.integrations.plex_tv import AddressBlocked, PinGone, PlexBusy, PlexTv, TokenDead
from tests.plex import PlexWorld

CLIENT = "6d1f1b1e-5a7e-4a53-9c0e-000000000001"


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    made = HttpClient(Reach.OWNER, timeout_s=1)
    yield made
    await made.close()


@pytest.fixture
def plex_tv(http: HttpClient, plex: PlexWorld) -> PlexTv:
    return PlexTv(http, plex.url, plex.url, CLIENT)


@pytest.fixture
def plex_server(http: HttpClient, plex: PlexWorld) -> PlexServer:
    return PlexServer(http, plex.server_url, CLIENT)


async def test_every_call_asks_for_json_alone_and_holds_its_token_in_a_header_only(
    plex: PlexWorld, plex_tv: PlexTv, plex_server: PlexServer
) -> None:
    token = plex.owner.token()
    await plex_tv.create_pin(is_strong=True)
    await plex_tv.user(token)
    await plex_tv.resources(token)
    await plex_tv.people(token)
    await plex_tv.ping(token)
    await plex_server.identity()
    await plex_server.about(token)
    await plex_server.sections(token)
    for call in plex.calls:
        assert call.headers["accept"] == "application/json", call.path
        assert call.headers["x-plex-client-identifier"] == CLIENT
        assert call.headers["x-plex-product"] == "MediaNest"
        assert token not in str(call.path) + str(call.query)


async def test_a_pin_is_made_allowed_and_read(plex: PlexWorld, plex_tv: PlexTv) -> None:
    plex.read_gap_s = 0
    strong, weak = await plex_tv.create_pin(is_strong=True), await plex_tv.create_pin(is_strong=False)
    assert len(strong.code) > 20
    assert len(weak.code) == 4
    assert (strong.expires_at - weak.expires_at).total_seconds() == pytest.approx(900, abs=5)
    assert await plex_tv.read_pin(strong.id) is None
    plex.allow(strong.code, plex.friend)
    token = await plex_tv.read_pin(strong.id)
    assert token
    assert (await plex_tv.user(token)).id == plex.friend.id
    await plex_tv.sign_out(token)
    with pytest.raises(TokenDead):
        await plex_tv.user(token)


async def test_a_pin_of_another_client_identifier_is_gone(plex: PlexWorld, plex_tv: PlexTv, http: HttpClient) -> None:
    pin = await plex_tv.create_pin(is_strong=True)
    with pytest.raises(PinGone):
        await PlexTv(http, plex.url, plex.url, CLIENT + "-server").read_pin(pin.id)


async def test_our_server_is_in_the_list_of_whom_it_is_shared_with_and_of_nobody_else(
    plex: PlexWorld, plex_tv: PlexTv
) -> None:
    found = {}
    for name in ("owner", "friend", "friend_one_library", "pending", "stranger", "nothing_shared"):
        listed = await plex_tv.resources(plex.accounts[name].token())
        found[name] = [one.is_owned for one in listed if one.is_server and one.machine_id == plex.machine_id]
    assert found == {
        "owner": [True],
        "friend": [False],
        "friend_one_library": [False],
        "pending": [],
        "stranger": [],
        "nothing_shared": [],
    }


async def test_a_friend_s_own_token_for_the_server_shows_their_libraries_and_the_account_s_token_none(
    plex: PlexWorld, plex_tv: PlexTv, plex_server: PlexServer
) -> None:
    token = plex.friend_one_library.token()
    ours = next(one for one in await plex_tv.resources(token) if one.machine_id == plex.machine_id)
    assert len(await plex_server.sections(ours.access_token)) == 1
    assert len(await plex_server.sections(plex.owner.token())) > 1
    with pytest.raises(ServerRefused):
        await plex_server.sections(token)


async def test_the_owner_s_lists_name_friends_invited_people_and_the_home(plex: PlexWorld, plex_tv: PlexTv) -> None:
    people = {person.id: person for person in await plex_tv.people(plex.owner.token())}
    assert plex.owner.id not in people
    assert people[plex.friend.id].servers[0].machine_id == plex.machine_id
    assert people[plex.pending.id].servers[0].is_pending
    assert people[plex.child.id].is_home
    assert people[plex.child.id].email is None


@pytest.mark.parametrize("kind", ["hang", "reset", "truncated", "html", "xml", "empty", "status"])
async def test_no_trouble_of_plex_tv_is_taken_for_a_dead_token(plex: PlexWorld, plex_tv: PlexTv, kind: str) -> None:
    token = plex.friend.token()
    more = {"status": 503} if kind == "status" else {}
    for path, call in (("/api/v2/user", plex_tv.user), ("/api/v2/resources", plex_tv.resources)):
        plex.faults.add(path, kind, times=None, **more)
        with pytest.raises(UpstreamFailed) as failed:
            await call(token)
        assert not isinstance(failed.value, TokenDead)
        assert token not in f"{failed.value!r} {failed.value.__cause__!r}"
    plex.faults.clear()
    assert (await plex_tv.user(token)).id == plex.friend.id


async def test_too_many_calls_and_a_blocked_address_are_told_apart(plex: PlexWorld, plex_tv: PlexTv) -> None:
    plex.faults.add("/api/v2/user", "429")
    with pytest.raises(PlexBusy):
        await plex_tv.user(plex.friend.token())
    plex.kill_tokens(plex.friend)
    with pytest.raises(TokenDead):
        await plex_tv.user("no-token-of-anybody")


def answer(content: bytes | str, status: int = 200) -> Answer:
    return Answer(status, {}, content.encode() if isinstance(content, str) else content, "plex.tv")


class Canned(HttpClient):
    """Gives one answer: for what the stand-in never says."""

    def __init__(self, given: Answer) -> None:
        super().__init__(Reach.OWNER)
        self._given = given

    async def request(self, *_args: Any, **_options: Any) -> Answer:
        return self._given


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, '{"errors":[{"code":1031,"message":"blocked","status":401}]}', AddressBlocked),
        (401, '{"errors":[{"code":1001,"message":"no","status":401}]}', TokenDead),
        (401, "", TokenDead),
        (400, '{"errors":[{"code":1003,"message":"slow down","status":400}]}', PlexBusy),
        (410, '<Response code="410" status="gone"/>', UpstreamFailed),
        (422, "[]", UpstreamFailed),
        (498, "", UpstreamFailed),
        (403, '{"errors":"no list"}', UpstreamFailed),
        (200, '{"id":"x"}', UpstreamFailed),
        (200, "null", UpstreamFailed),
        (200, '{"id":null,"username":"somebody"}', UpstreamFailed),
    ],
)
async def test_answers_of_plex_tv_mean_what_the_notes_say(status: int, body: str, kind: type[UpstreamFailed]) -> None:
    client = PlexTv(Canned(answer(body, status)), "http://plex.example", "http://app.example", CLIENT)
    with pytest.raises(UpstreamFailed) as failed:
        await client.user("some-token")
    assert type(failed.value) is kind


async def test_a_person_without_name_and_mail_is_a_person_all_the_same() -> None:
    body = '{"id":"77","username":null,"email":"","title":null,"restricted":"1","home":1,"thumb":null}'
    person = await PlexTv(Canned(answer(body)), "http://plex.example", "http://app.example", CLIENT).user("some-token")
    assert (person.id, person.username, person.email, person.is_restricted, person.is_home) == (
        77,
        "",
        None,
        True,
        True,
    )


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<?xml version="1.0"?><!doctype a SYSTEM "file:///etc/passwd"><a/>',
        "\ufeff<!DOCTYPE a><a/>",
        "<a>",
        "",
        "not xml",
        '{"json": true}',
        "<a>" * 3000,
    ],
)
def test_a_list_in_xml_with_a_document_type_or_none_at_all_is_refused(text: str) -> None:
    with pytest.raises(UpstreamFailed):
        read_xml(answer(text))
    with pytest.raises(UpstreamFailed):
        read_xml(answer(text.encode("utf-16")))


def test_too_long_a_list_is_refused_and_a_plain_one_is_read() -> None:
    with pytest.raises(UpstreamFailed):
        read_xml(answer(b"<a>" + b" " * 5_000_000 + b"</a>"))
    assert read_xml(answer('<?xml version="1.0" encoding="UTF-8"?>\n<a b="c"/>')).get("b") == "c"


def test_values_are_read_leniently() -> None:
    assert [as_int(value) for value in ("7", 7, 7.9, None, "x", [], float("inf"))] == [7, 7, 7, 0, 0, 0, 0]
    assert [as_flag(value) for value in (True, 1, "1", "true", False, 0, "0", None, "")] == [True] * 4 + [False] * 5
    assert rows({"size": 0}, "Directory") == ()
    assert rows({"Directory": [{"key": "1"}, None, "x"]}, "Directory") == ({"key": "1"},)
    assert rows(None, "Directory") == ()


@pytest.mark.parametrize("body", ["{}", "[]", '{"MediaContainer": {"size": 0}}', "<html></html>", ""])
async def test_what_is_no_plex_server_is_told_so(body: str) -> None:
    server = PlexServer(Canned(answer(body)), "http://plex.example", CLIENT)
    with pytest.raises(UpstreamFailed):
        await server.identity()
