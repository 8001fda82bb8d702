"""The page of the Plex connection and its API, as a browser and a program see them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.connections.model import PlexConnectionChanged
from medianest.connections.tables import IntegrationConfigRow
from medianest.database import Engine, fetch
from medianest.settings import Settings
from tests.harness.application import Visit, csrf_of, set_up
from tests.plex import Account, PlexWorld

PAGE = "/system/plex"


async def signed_in(visit: Visit, house: Application) -> httpx.AsyncClient:
    client = visit(house)
    await set_up(client, house)
    client.headers["X-CSRF-Token"] = csrf_of((await client.get("/")).text)
    return client


async def begin(client: httpx.AsyncClient, way: str = "app") -> str:
    """Where the browser is sent."""
    answer = await client.post(f"{PAGE}/begin", data={"way": way})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def allowed(client: httpx.AsyncClient, plex: PlexWorld, account: Account) -> None:
    """The PIN is begun, allowed at Plex, and taken by the waiting page."""
    await begin(client)
    plex.allow(next(reversed(plex.pins.values())).code, account)
    answer = await client.get(f"{PAGE}/waiting")
    assert answer.headers["location"] == f"{PAGE}/servers"


async def connect(client: httpx.AsyncClient, plex: PlexWorld, **form: str) -> httpx.Response:
    await allowed(client, plex, plex.owner)
    return await client.post(f"{PAGE}/servers", data={"machine_id": plex.machine_id, **form})


async def stored() -> dict[str, Any] | None:
    row: dict[str, Any] | None = await IntegrationConfigRow.select().where(IntegrationConfigRow.name == "plex").first()
    return row


async def test_the_owner_connects_by_a_sign_in_at_plex_and_the_choice_of_a_server(
    house: Application, visit: Visit, plex: PlexWorld
) -> None:
    client = await signed_in(visit, house)
    page = await client.get(PAGE)
    assert "Connect Plex" in page.text
    assert f"form-action 'self' {plex.url};" in page.headers["content-security-policy"]
    assert "x-forms-to" not in page.headers
    there = await begin(client)
    assert there.startswith(f"{plex.url}/auth#?clientID=")
    assert "-server" in there
    waiting = await client.get(f"{PAGE}/waiting")
    assert "Open Plex" in waiting.text
    pin = next(reversed(plex.pins.values()))
    plex.allow(pin.code, plex.owner)
    await fetch("UPDATE plex_pins SET read_after = created_at")
    pin.last_read = 0
    assert (await client.get(f"{PAGE}/waiting", headers={"HX-Request": "true"})).headers["hx-redirect"] == (
        f"{PAGE}/servers"
    )
    choice = await client.get(f"{PAGE}/servers")
    assert plex.server_name in choice.text
    answer = await client.post(f"{PAGE}/servers", data={"machine_id": plex.machine_id})
    assert answer.headers["location"] == f"{PAGE}?note=connected"
    page = await client.get(PAGE)
    assert plex.server_name in page.text
    row = await stored()
    assert row is not None
    token = await house.connections.service.plex_token()
    assert token is not None
    assert token not in str(row) + page.text
    assert plex.account_of(token) is plex.owner
    audit = await fetch("SELECT action, after FROM audit_logs WHERE action LIKE 'plex.%'")
    assert [line["action"] for line in audit] == ["plex.connected"]
    assert token not in str(audit)


async def test_the_four_character_way_shows_a_code_a_countdown_and_goes_on_by_itself(
    house: Application, visit: Visit, plex: PlexWorld
) -> None:
    client = await signed_in(visit, house)
    assert await begin(client, "code") == f"{PAGE}/waiting"
    page = (await client.get(f"{PAGE}/waiting")).text
    pin = next(reversed(plex.pins.values()))
    assert f">{pin.code}<" in page
    assert "Time left: 15:00" in page or "Time left: 14:5" in page
    assert "<svg" in page
    cancelled = await client.post(f"{PAGE}/cancel")
    assert cancelled.headers["location"] == PAGE
    assert (await client.get(f"{PAGE}/waiting")).headers["location"] == PAGE


async def test_a_return_without_the_word_of_this_browser_is_refused(
    house: Application, visit: Visit, plex: PlexWorld
) -> None:
    client = await signed_in(visit, house)
    await begin(client)
    for query in ("", "?state=", "?state=made-up"):
        answer = await client.get(f"{PAGE}/return{query}")
        assert answer.headers["location"] == f"{PAGE}?note=lost"


@pytest.mark.parametrize("public_url", ["https://media.example.org", "https://media.example.org/medianest"])
async def test_plex_leads_back_to_the_public_address_below_the_base_path(
    database: Engine, near_plex: Settings, cheap_passwords: None, visit: Visit, public_url: str
) -> None:
    made = create_app(msgspec.structs.replace(near_plex, base_path="/medianest", public_url=public_url))
    client = visit(made)
    await set_up(client, made)
    client.headers["X-CSRF-Token"] = csrf_of((await client.get("/medianest/")).text)
    answer = await client.post(f"/medianest{PAGE}/begin", data={"way": "app"})
    given = parse_qs(urlsplit(answer.headers["location"]).fragment.removeprefix("?"))
    assert given["forwardUrl"][0].startswith("https://media.example.org/medianest/system/plex/return?state=")
    assert f"path=/medianest{PAGE};" in answer.headers["set-cookie"].lower().replace(" ", "") + ";"
    back = given["forwardUrl"][0].removeprefix("https://media.example.org")
    assert (await client.get(back)).headers["location"] == f"/medianest{PAGE}/waiting"
    await made.connections.http.close()


async def test_servers_of_other_people_are_not_offered_and_refused_in_words(
    house: Application, visit: Visit, plex: PlexWorld
) -> None:
    client = await signed_in(visit, house)
    await allowed(client, plex, plex.friend)
    assert "This Plex account owns no server" in (await client.get(f"{PAGE}/servers")).text
    answer = await client.post(f"{PAGE}/servers", data={"machine_id": plex.machine_id})
    assert answer.status_code == 400
    assert await stored() is None
    await allowed(client, plex, plex.stranger)
    answer = await client.post(f"{PAGE}/servers", data={"machine_id": plex.machine_id})
    assert answer.status_code == 400
    assert await stored() is None


async def test_a_typed_address_is_taken_first_and_one_that_does_not_answer_is_told(
    house: Application, visit: Visit, plex: PlexWorld
) -> None:
    client = await signed_in(visit, house)
    typed = plex.server_url.replace("127.0.0.1", "localhost")
    answer = await connect(client, plex, address=typed)
    assert answer.headers["location"].endswith("note=connected")
    assert (await house.connections.service.status()).url == typed
    answer = await connect(client, plex, address=plex.other_server_url)  # another server answers there
    assert answer.headers["location"].endswith("note=connected_elsewhere")
    assert "did not answer at the address" in (await client.get(answer.headers["location"])).text
    assert (await house.connections.service.status()).url != plex.other_server_url
    answer = await connect(client, plex, address="ftp://nowhere")
    assert "This is no address" in answer.text


async def test_by_hand_the_owner_s_token_is_needed(house: Application, visit: Visit, plex: PlexWorld) -> None:
    client = await signed_in(visit, house)
    for url, token, sentence in (
        (plex.server_url, "", "type its token too"),
        (plex.server_url, "made-up-token", "does not take this token"),
        (plex.server_url, plex.friend.token(), "does not own this server"),
        ("http://127.0.0.1:9", plex.owner.token(), "Nothing answers"),
        (plex.url, plex.owner.token(), "error"),
        ("http://169.254.169.254", plex.owner.token(), "does not connect to"),
    ):
        answer = await client.post(f"{PAGE}/by-hand", data={"url": url, "token": token})
        assert answer.status_code == 400
        assert sentence in answer.text, url
        assert token == "" or token not in answer.text
    assert await stored() is None
    answer = await client.post(f"{PAGE}/by-hand", data={"url": plex.server_url, "token": plex.owner.token()})
    assert answer.status_code == 303


async def test_the_test_says_what_is_wrong_and_the_health_list_tells_it_the_second_time(
    house: Application, visit: Visit, plex: PlexWorld
) -> None:
    client = await signed_in(visit, house)
    await connect(client, plex)
    assert (await client.post(f"{PAGE}/test")).status_code == 303
    good = (await client.get(f"{PAGE}?note=tested")).text
    assert "It works." in good
    assert "plex.tv knows the token" in good
    plex.kill_tokens(plex.owner)
    shown = await client.post(f"{PAGE}/test", headers={"HX-Request": "true"})
    assert "Reconnect it with Plex" in shown.text
    assert await house.connections.service.problems() == ()
    await house.connections.service.check()
    assert [one.code for one in await house.connections.service.problems()] == ["plex_token_refused"]
    plex.faults.add("/identity", "status", times=None, status=503)
    found = await house.connections.service.test()
    assert (found.code, found.is_reachable) == ("plex_unreachable", False)
    assert "Plex server does not answer" in (await client.get("/system")).text
    plex.faults.clear()


async def test_the_address_changes_only_to_the_same_server(house: Application, visit: Visit, plex: PlexWorld) -> None:
    client = await signed_in(visit, house)
    await connect(client, plex)
    wrong = await client.post(f"{PAGE}/address", data={"address": plex.other_server_url})
    assert wrong.status_code == 400
    assert "Another Plex server answers there" in wrong.text
    there = plex.server_url.replace("127.0.0.1", "localhost")
    assert (await client.post(f"{PAGE}/address", data={"address": there})).status_code == 303
    assert (await house.connections.service.status()).url == there
    audit = await fetch("SELECT before, after FROM audit_logs WHERE action = 'plex.address_changed'")
    assert there in audit[0]["after"]


async def test_disconnecting_forgets_the_token_ends_it_at_plex_and_is_seen_by_other_instances(
    house: Application, other_house: Application, visit: Visit, plex: PlexWorld
) -> None:
    client = await signed_in(visit, house)
    await connect(client, plex)
    token = await house.connections.service.plex_token()
    assert token is not None
    assert await other_house.connections.service.plex() is not None
    assert (await client.post(f"{PAGE}/disconnect")).headers["location"] == f"{PAGE}?note=disconnected"
    assert await stored() is None
    assert plex.account_of(token) is None
    await other_house.events.deliver(PlexConnectionChanged())  # as the relay does
    assert await other_house.connections.service.plex() is None


async def test_a_newer_token_is_kept_even_when_the_choice_of_a_server_is_cancelled(
    house: Application, visit: Visit, plex: PlexWorld
) -> None:
    client = await signed_in(visit, house)
    await connect(client, plex)
    await allowed(client, plex, plex.owner)  # plex.tv ends the token before with this one
    await client.get(f"{PAGE}/servers")
    await client.post(f"{PAGE}/cancel")
    found = await house.connections.service.test()
    assert (found.code, found.is_known_at_plex) == ("", True)


async def test_settings_win_and_are_shown_with_their_source(
    house: Application, visit: Visit, plex: PlexWorld, near_plex: Settings, database: Engine
) -> None:
    client = await signed_in(visit, house)
    fixed = create_app(
        msgspec.structs.replace(
            near_plex,
            plex_url=plex.server_url,
            plex_token=plex.owner.token(),
            sources={"plex_url": "MEDIANEST_PLEX_URL", "plex_token": "MEDIANEST_PLEX_TOKEN_FILE"},
        )
    )
    there = visit(fixed, cookies=client.cookies, headers={"X-CSRF-Token": client.headers["X-CSRF-Token"]})
    page = (await there.get(PAGE)).text
    assert plex.server_name in page
    assert "MEDIANEST_PLEX_TOKEN_FILE" in page
    assert "Disconnect" not in page
    for way, form in (("disconnect", {}), ("address", {"address": plex.server_url})):
        refused = await there.post(f"{PAGE}/{way}", data=form)
        assert refused.status_code == 409
    plex.faults.add("/identity", "status", times=None, status=503)
    again = create_app(fixed.settings)  # a restart while the server is away: what was learned stays
    connection = await again.connections.service.plex()
    assert connection is not None
    assert connection.machine_id == plex.machine_id
    for one in (fixed, again):
        await one.connections.http.close()


async def test_the_api_takes_a_token_and_never_gives_it(house: Application, visit: Visit, plex: PlexWorld) -> None:
    client = await signed_in(visit, house)
    api = "/api/v1/integrations/plex"
    assert (await client.get(api)).json()["is_connected"] is False
    assert (await client.post(f"{api}/test")).status_code == 409
    token = plex.owner.token()
    put = await client.put(api, json={"url": plex.server_url, "token": token})
    assert put.status_code == 200, put.text
    assert put.json()["machine_id"] == plex.machine_id
    assert token not in put.text
    assert (await client.put(api, json={"url": plex.server_url})).status_code == 200  # the token stays
    tested = await client.post(f"{api}/test")
    assert (tested.json()["code"], tested.json()["is_token_good"]) == ("", True)
    refused = await client.put(api, json={"url": plex.other_server_url})
    assert refused.status_code == 400
    assert (await client.put(api, json={"url": "x", "tokens": ""})).status_code == 400


async def test_the_administrator_who_connected_may_link_the_account_once(
    house: Application, visit: Visit, plex: PlexWorld
) -> None:
    linked: dict[int, int] = {}

    async def is_linked(user_id: int) -> bool:
        return user_id in linked

    async def link_owner(user_id: int, person: Any) -> None:
        linked[user_id] = person.id

    house.connections.owner_link.use(is_linked, link_owner)
    client = await signed_in(visit, house)
    await connect(client, plex)
    assert "This is my own Plex account" in (await client.get(PAGE)).text
    assert (await client.post(f"{PAGE}/link")).status_code == 303
    assert list(linked.values()) == [plex.owner.id]
    assert "This is my own Plex account" not in (await client.get(PAGE)).text
    assert (await client.post(f"{PAGE}/link")).status_code == 409


@pytest.mark.parametrize("kind", ["html", "empty", "truncated", "xml"])
async def test_a_plex_tv_that_answers_badly_is_told_in_words_and_loses_nothing(
    house: Application, visit: Visit, plex: PlexWorld, kind: str
) -> None:
    client = await signed_in(visit, house)
    plex.faults.add("/api/v2/pins", kind)
    answer = await client.post(f"{PAGE}/begin", data={"way": "app"})
    assert answer.status_code == 502
    assert "plex.tv" in answer.text
    await allowed(client, plex, plex.owner)
    plex.faults.add("/api/v2/resources", kind)
    assert "Try again" in (await client.get(f"{PAGE}/servers")).text
    assert plex.server_name in (await client.get(f"{PAGE}/servers")).text
