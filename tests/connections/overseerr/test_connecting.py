"""Connecting Overseerr or Seerr: what is wrong is said plainly, what is saved is sealed, what the settings say wins."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.connections.overseerr.model import OverseerrConnectionChanged
from medianest.database import fetch
from medianest.errors import Conflict, UpstreamFailed
from medianest.settings import Settings
from medianest.system import secret_keys
from medianest.vault import Vault
from tests.connections.overseerr.conftest import API, PAGE, SignIn
from tests.harness.application import KEY
from tests.overseerr import OverseerrWorld


async def connect(client: httpx.AsyncClient, world: OverseerrWorld, **more: str) -> httpx.Response:
    return await client.post(PAGE, data={"url": world.url, "api_key": world.api_key, **more})


@pytest.fixture(params=["overseerr", "seerr"])
def world(request: pytest.FixtureRequest) -> OverseerrWorld:
    found: OverseerrWorld = request.getfixturevalue(request.param)
    return found


async def test_either_is_recognised_by_itself_sealed_and_usable_at_once(
    house: Application, admin: SignIn, world: OverseerrWorld
) -> None:
    client = await admin(house)
    assert "Radarr and Sonarr" in (await client.get(PAGE)).text
    with pytest.raises(Conflict) as missing:
        await house.connections.overseerr.client()
    assert missing.value.code == "overseerr_not_connected"
    assert (await connect(client, world)).headers["location"] == f"{PAGE}?note=connected"
    connection = await house.connections.overseerr.connection()
    assert connection is not None
    assert (connection.kind, connection.version, connection.default_user_id) == (world.kind, world.version, 1)
    assert (await (await house.connections.overseerr.client()).me()).id == 1
    page = (await client.get(PAGE)).text
    assert world.kind.capitalize() in page
    row = (await fetch("SELECT * FROM integration_configs WHERE name = 'overseerr'"))[0]
    assert world.api_key not in page + str(row)
    assert Vault(KEY).open(row["secrets"], "integration_configs.secrets:overseerr") == f'{{"key":"{world.api_key}"}}'
    lines = await fetch("SELECT action, after FROM audit_logs WHERE action LIKE 'overseerr.%'")
    assert [line["action"] for line in lines] == ["overseerr.connected"]
    assert world.api_key not in str(lines)
    tested = await client.post(f"{PAGE}/test", headers={"HX-Request": "true"})
    assert "It works." in tested.text
    assert (await client.post(f"{PAGE}/disconnect")).headers["location"] == f"{PAGE}?note=disconnected"
    assert await house.connections.overseerr.connection() is None


async def test_what_is_wrong_is_said_plainly_and_nothing_is_saved(
    house: Application, admin: SignIn, overseerr: OverseerrWorld
) -> None:
    client = await admin(house)

    async def said(**form: str) -> str:
        answer = await connect(client, overseerr, **form)
        assert answer.status_code == 400, answer.text
        assert (form.get("api_key") or overseerr.api_key) not in answer.text
        return answer.text

    assert "Type the address of your Overseerr" in await said(url="")
    assert "does not take MediaNest&#39;s key" in await said(api_key="wrong-key")
    assert "The key of this server is needed" in await said(api_key="")
    overseerr.is_initialized = False
    assert "nobody has finished its set-up" in await said()
    overseerr.is_initialized = True
    for kind, more, words in (
        ("html", {}, "A web page answers"),
        ("truncated", {}, "can not be read"),
        (
            "answer",
            {"status": 200, "content_type": "application/json", "body": b'{"name": "another program"}'},
            "can not",
        ),
        ("status", {"status": 404}, "Something else answers"),
        ("status", {"status": 500}, "answered with an error (500)"),
        ("status", {"status": 429}, "less often"),
        ("status", {"status": 503}, "down (503)"),
    ):
        overseerr.faults.add("/api/v1/settings/public", kind, **more)
        assert words in await said(), kind
    overseerr.off()
    assert "Nothing answers at 127.0.0.1" in await said()
    assert await fetch("SELECT 1 AS one FROM integration_configs WHERE name = 'overseerr'") == []


async def test_the_address_of_a_page_is_led_back_to_the_root(
    house: Application, admin: SignIn, overseerr: OverseerrWorld
) -> None:
    client = await admin(house)
    assert (await connect(client, overseerr, url=f"{overseerr.url}/settings/main")).status_code == 303
    connection = await house.connections.overseerr.connection()
    assert connection is not None
    assert connection.url == overseerr.url


async def test_programs_connect_change_test_and_disconnect(
    house: Application, admin: SignIn, overseerr: OverseerrWorld, seerr: OverseerrWorld
) -> None:
    client = await admin(house)
    client.headers["accept"] = "application/json"
    assert (await client.get(API)).json()["is_connected"] is False
    assert (await client.post(f"{API}/test")).json()["code"] == "overseerr_not_connected"
    sent: dict[str, Any] = {"url": overseerr.url, "api_key": overseerr.api_key, "default_user_id": 3}
    made = (await client.put(API, json=sent)).json()
    assert (made["is_connected"], made["kind"], made["default_user_id"]) == (True, "overseerr", 3)
    assert await house.connections.overseerr.default_user_id() == 3
    nobody = await client.put(API, json=sent | {"default_user_id": 99})
    assert nobody.status_code == 400
    assert "default_user_id" in nobody.text
    kept = await client.put(API, json={"url": overseerr.url})
    assert kept.json()["default_user_id"] == 3, "what is left out stays"
    stolen = await client.put(API, json={"url": seerr.url})
    assert stolen.status_code == 400, "a stored key is never sent to another address"
    assert seerr.calls == []
    assert (await client.post(f"{API}/test")).json()["is_key_good"] is True
    assert (await client.delete(API)).status_code == 204
    assert (await client.get(API)).json()["is_connected"] is False


async def test_a_change_counts_on_every_instance_at_once(
    house: Application, other_house: Application, admin: SignIn, overseerr: OverseerrWorld
) -> None:
    client = await admin(house)
    assert await other_house.connections.overseerr.connection() is None
    await connect(client, overseerr)
    await other_house.events.deliver(OverseerrConnectionChanged())  # what the relay does
    assert (await (await other_house.connections.overseerr.client()).me()).id == 1
    secrets = [await one.connections.overseerr.webhook_secret() for one in (house, other_house)]
    assert secrets[0] == secrets[1]
    await client.post(f"{PAGE}/webhook-secret")
    assert await other_house.connections.overseerr.webhook_secret() != secrets[0]
    assert OverseerrConnectionChanged.is_relayed


async def test_what_the_settings_name_wins_and_is_shown_with_its_source(
    fixed_house: Application, admin: SignIn, overseerr: OverseerrWorld, seerr: OverseerrWorld
) -> None:
    client, service = await admin(fixed_house), fixed_house.connections.overseerr
    overseerr.off()
    connection = await service.connection()
    assert connection is not None
    assert (connection.kind, connection.is_from_settings, connection.default_user_id) == ("", True, 1)
    overseerr.on()
    assert "Overseerr answers" in await service.check()
    page = (await client.get(PAGE)).text
    for words in (
        "MEDIANEST_OVERSEERR_URL; change it there",
        "from MEDIANEST_OVERSEERR_API_KEY_FILE",
        overseerr.version,
    ):
        assert words in page
    assert 'id="api_key"' not in page
    assert (await connect(client, seerr)).status_code == 409
    assert (await client.post(f"{PAGE}/disconnect")).status_code == 409
    assert (await client.post(f"{PAGE}/user", data={"default_user_id": "3"})).status_code == 303
    assert await service.default_user_id() == 3
    assert overseerr.api_key not in (await client.get("/system")).text


async def test_another_installation_gets_nothing_until_somebody_says_it_is_right(
    house: Application, admin: SignIn, overseerr: OverseerrWorld
) -> None:
    client, service = await admin(house), house.connections.overseerr
    await connect(client, overseerr)
    overseerr.become_another()
    found = await service.test()
    assert (found.code, found.is_ours) == ("overseerr_other_server", False)
    with pytest.raises(UpstreamFailed) as refused:
        await service.client()
    assert refused.value.code == "overseerr_other_server"
    assert [one.code for one in await service.problems()] == ["overseerr_other_server"]
    heard: list[bool] = []

    async def hear(event: OverseerrConnectionChanged) -> None:
        heard.append(event.is_other_server)

    house.events.subscribe(OverseerrConnectionChanged, hear)
    assert "This is the right one" in (await client.get(PAGE)).text
    await client.post(f"{PAGE}/accept")
    assert heard == [True]
    assert (await (await service.client()).me()).email == "stan@example.org"


async def test_a_move_to_seerr_and_a_lost_person_are_noticed(
    house: Application, admin: SignIn, overseerr: OverseerrWorld
) -> None:
    client, service = await admin(house), house.connections.overseerr
    await connect(client, overseerr)
    overseerr.kind, overseerr.version, overseerr.application_title = "seerr", "3.1.1", "Seerr"
    await service.check()
    connection = await service.connection()
    assert connection is not None
    assert (connection.kind, connection.version) == ("seerr", "3.1.1")
    await client.post(f"{PAGE}/user", data={"default_user_id": "3"})
    del overseerr.people[3]
    await service.check()
    assert [one.code for one in await service.problems()] == ["overseerr_default_user_gone"]
    assert (await client.post(f"{PAGE}/user", data={"default_user_id": "77"})).status_code == 400


async def test_a_key_sealed_with_another_secret_key_is_a_line_of_the_health_list(
    house: Application, admin: SignIn, overseerr: OverseerrWorld
) -> None:
    await connect(await admin(house), overseerr)
    sealed = Vault(b"x" * 40).seal('{"key":"k"}', "integration_configs.secrets:overseerr")
    await fetch("UPDATE integration_configs SET secrets = {} WHERE name = 'overseerr'", sealed)
    service = house.connections.overseerr
    assert [one.code for one in await service.problems()] == ["overseerr_key_unreadable"]
    with pytest.raises(UpstreamFailed) as failed:
        await service.client()
    assert failed.value.code == "overseerr_no_key"


async def test_the_key_and_the_webhook_survive_a_change_of_the_secret_key(
    house: Application, admin: SignIn, settings: Settings, overseerr: OverseerrWorld
) -> None:
    await connect(await admin(house), overseerr)
    secret = await house.connections.overseerr.webhook_secret()
    given = msgspec.structs.replace(settings, sources={"secret_key": "MEDIANEST_SECRET_KEY"})
    new_key = "9f1c7a52e0b84d36a7c5d2e8f4b19063aa51"
    said = await secret_keys.rotate(given, {"MEDIANEST_NEW_SECRET_KEY": new_key})
    assert "2 stored secrets" in said
    later = create_app(msgspec.structs.replace(settings, secret_key=new_key.encode()))
    assert (await (await later.connections.overseerr.client()).me()).id == 1
    assert await later.connections.overseerr.webhook_secret() == secret
    assert await later.connections.overseerr.problems() == ()
    await later.connections.close()
