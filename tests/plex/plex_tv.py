"""plex.tv: PINs, the person behind a token, their servers, the owner's lists of people, pictures."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.plex.items import png
from tests.plex.people import OTHER_SERVER_NAME, VERSION, Account
from tests.plex.traffic import Answer, Call, as_xml, attributes, json_answer, xml_answer

if TYPE_CHECKING:
    from tests.plex.world import Pin, PlexWorld

RETIRED = ("/api/v2/friends", "/pms/")


def answer(world: PlexWorld, call: Call) -> Answer:
    """What plex.tv says."""
    if call.path.startswith(RETIRED):  # plex.tv: retired calls answer 410 in XML, whatever was asked for
        return xml_answer('<Response code="410" status="This endpoint is gone."/>', 410)
    if found := re.fullmatch(r"/users/([0-9a-f]+)/avatar", call.path):
        return _avatar(world, found[1])
    if call.path in ("/api/users", "/api/home/users"):
        return _people(world, call, at_home=call.path == "/api/home/users")
    if not call.path.startswith("/api/v2/"):
        return error(call, 404, 1000, "Not found")
    if not call.client:  # plex.tv: every call of API v2 names its client
        return error(call, 400, 1000, "X-Plex-Client-Identifier is missing")
    match call.method, call.path:
        case "POST", "/api/v2/pins":
            return _new_pin(world, call)
        case "GET", path if found := re.fullmatch(r"/api/v2/pins/(\d+)", path):
            return _read_pin(world, call, int(found[1]))
        case "GET", "/api/v2/ping":  # plex.tv: ping, needs a living token
            return say(call, "Response", {"pong": True}) if world.account_of(call.token) else dead(call)
        case "GET", "/api/v2/user":
            account = world.account_of(call.token)
            return say(call, "user", person(world, account)) if account else dead(call)
        case "GET", "/api/v2/resources":
            account = world.account_of(call.token)
            return say(call, "resource", resources(world, account, call.token)) if account else dead(call)
        case "DELETE", "/api/v2/users/signout":  # plex.tv: ends the token it is called with
            if not world.account_of(call.token):
                return dead(call)
            world.tokens.pop(call.token)
            return Answer(status=204)
    return error(call, 404, 1000, "Not found")


def say(call: Call, name: str, value: Any, status: int = 200) -> Answer:
    """JSON for whoever asks for exactly that, XML for everybody else."""
    return json_answer(value, status) if call.wants_json else xml_answer(as_xml(name, value), status)


def error(call: Call, status: int, code: int, message: str) -> Answer:
    """plex.tv: errors are a list with code, message and status."""
    one = {"code": code, "message": message, "status": status}
    if call.wants_json:
        return json_answer({"errors": [one]}, status)
    return xml_answer(f"<errors><error{attributes(one)}/></errors>", status)


def dead(call: Call) -> Answer:
    """plex.tv: the token is not, or no longer, good."""
    return error(call, 401, 1001, "User could not be authenticated")


def _new_pin(world: PlexWorld, call: Call) -> Answer:
    """plex.tv: pin, strong (for the sign-in page) and weak (for /link)."""
    wish = call.query.get("strong") or call.form.get("strong") or ""
    product = call.headers.get("x-plex-product", "")
    pin = world.new_pin(call.client, product, is_strong=wish.lower() in ("true", "1"))
    return say(call, "pin", _shown_pin(world, pin), 201)


def _read_pin(world: PlexWorld, call: Call, number: int) -> Answer:
    """plex.tv: pin, read; unknown, expired and another client's are one answer, and one read a second is allowed."""
    pin = world.pins.get(number)
    if pin is None or pin.is_expired or pin.client != call.client:
        return error(call, 404, 1020, "Code not found or expired")
    now = time.monotonic()
    if now - pin.last_read < world.read_gap_s:
        return error(call, 429, 1003, "Too many requests")
    pin.last_read = now
    return say(call, "pin", _shown_pin(world, pin))


def _shown_pin(world: PlexWorld, pin: Pin) -> dict[str, Any]:
    def at(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    return {
        "id": pin.id,
        "code": pin.code,
        "product": pin.product,
        "trusted": pin.is_trusted,
        "qr": f"{world.url}/api/v2/pins/qr/{pin.code}",
        "clientIdentifier": pin.client,
        "location": {"code": "DE", "continent_code": "EU", "city": "Nowhere", "coordinates": "0.0, 0.0"},
        "expiresIn": max(0, int(pin.created_at + pin.lives_s - time.time())),
        "createdAt": at(pin.created_at),
        "expiresAt": at(pin.created_at + pin.lives_s),
        "authToken": pin.token,
        "newRegistration": None,
    }


def thumb(world: PlexWorld, account: Account) -> str:
    """The address of the picture; its number changes with the picture."""
    return f"{world.url}/users/{account.uuid}/avatar?c=1700000000"


def person(world: PlexWorld, account: Account) -> dict[str, Any]:
    """plex.tv: the person behind a token; names and mail may be empty."""
    return {
        "id": account.id,
        "uuid": account.uuid,
        "username": account.username,
        "title": account.title,
        "email": account.email,
        "friendlyName": account.title.title(),
        "thumb": thumb(world, account),
        "hasPassword": not account.is_managed,
        "restricted": account.is_managed,
        "home": account.is_home,
        "homeAdmin": account.is_owner,
        "guest": False,
        "subscription": {"active": account.is_owner, "status": "Active" if account.is_owner else "Inactive"},
        "country": "DE",
    }


def resources(world: PlexWorld, account: Account, token: str) -> list[dict[str, Any]]:
    """plex.tv: resources, a bare list of the person's servers and players; a pending invitation is not in it."""
    found = [_player(account)]
    if world.has_access(account):
        own = account.own_machine == world.machine_id
        # the owner's token for their server is their plex.tv token; a friend's is another one
        access = token if own else world.server_token(account)
        # the second address has gone to somebody else's server since, the third is out of reach
        addresses = (world.server_url, True), (world.other_server_url, False), ("http://127.0.0.1:9", False)
        found.append(
            _server(world.server_name, world.machine_id, own, access, addresses, None if own else world.owner.username)
        )
    if account.own_machine == world.other_machine_id:
        addresses = ((world.other_server_url, True),)
        found.append(_server(OTHER_SERVER_NAME, world.other_machine_id, True, token, addresses, None))
    return found


def _server(
    name: str, machine: str, own: bool, access: str, addresses: tuple[tuple[str, bool], ...], source: str | None
) -> dict[str, Any]:
    def connection(address: str, is_local: bool) -> dict[str, Any]:
        host, _, port = address.rpartition("//")[2].partition(":")
        return {
            "protocol": "http", "address": host, "port": int(port), "uri": address,
            "local": is_local, "relay": False, "IPv6": False,
        }  # fmt: skip

    return {
        "name": name, "product": "Plex Media Server", "productVersion": VERSION, "platform": "Linux",
        "provides": "server", "clientIdentifier": machine, "owned": own, "accessToken": access,
        "publicAddress": None, "httpsRequired": False, "presence": True, "sourceTitle": source,
        "connections": [connection(address, is_local) for address, is_local in addresses],
    }  # fmt: skip


def _player(account: Account) -> dict[str, Any]:
    """plex.tv: players stand in the list too, owned and without connections."""
    return {
        "name": f"{account.title}'s telephone", "product": "Plex for Android", "provides": "client,player",
        "clientIdentifier": f"player-{account.uuid}", "owned": True, "accessToken": None, "publicAddress": None,
        "httpsRequired": False, "presence": False, "sourceTitle": None, "connections": [],
    }  # fmt: skip


def _people(world: PlexWorld, call: Call, *, at_home: bool) -> Answer:
    """plex.tv: the owner's lists, always XML; the owner is not in the list of users, but in the home."""
    account = world.account_of(call.token)
    if account is None:
        return xml_answer("<errors><error>Invalid authentication token.</error></errors>", 401)
    listed = [one for one in world.accounts.values() if account.is_owner and (one.is_home if at_home else one.is_known)]
    rows = "".join(_row(world, one, with_servers=not at_home) for one in listed)
    head = {"friendlyName": "myPlex", "identifier": "com.plexapp.plugins.myplex", "machineIdentifier": "x"}
    return xml_answer(f"<MediaContainer{attributes({**head, 'size': len(listed)})}>{rows}</MediaContainer>")


def _row(world: PlexWorld, account: Account, *, with_servers: bool) -> str:
    values = {
        "id": account.id, "uuid": account.uuid, "title": account.title, "username": account.username,
        "email": account.email, "thumb": thumb(world, account), "home": account.is_home,
        "restricted": account.is_managed, "admin": account.is_owner, "allowSync": False,
    }  # fmt: skip
    server = ""
    if with_servers and account.libraries:  # plex.tv: nobody without a share has a Server
        share = {
            "id": account.id + 90000, "serverId": 77, "machineIdentifier": world.machine_id,
            "name": world.server_name, "owned": True, "pending": account.is_pending,
            "allLibraries": len(account.libraries) > 1, "numLibraries": len(account.libraries),
        }  # fmt: skip
        server = f"<Server{attributes(share)}/>"
    return f"<User{attributes(values)}>{server}</User>"


def _avatar(world: PlexWorld, word: str) -> Answer:
    for account in world.accounts.values():
        if account.uuid == word:
            return Answer(png((account.id * 37 % 256, account.id * 91 % 256, 120)), "image/png")
    return Answer(b"no such picture", "text/plain", 404)
