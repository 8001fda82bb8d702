"""The Plex server: who it is, the libraries a token may see, pictures. A second one belongs to the stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.plex.people import LIBRARIES, OTHER_SERVER_NAME, VERSION, Account, Library
from tests.plex.plex_tv import png
from tests.plex.traffic import Answer, Call, as_xml, html_answer, json_answer, xml_answer

if TYPE_CHECKING:
    from tests.plex.world import PlexWorld

REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


def answer(world: PlexWorld, call: Call) -> Answer:
    """What the server says; `other` in the note of calls is the stranger's."""
    machine = world.other_machine_id if call.place == "other" else world.machine_id
    if call.path == "/identity":  # server: identity needs no token
        return say(
            call, {"size": 0, "apiVersion": "1.1.1", "claimed": True, "machineIdentifier": machine, "version": VERSION}
        )
    account = _account(world, call)
    if account is None:  # server: a friend's plex.tv token is no token here
        return page(401)
    match call.path:
        case "/":
            return say(call, _about(world, account, machine))
        case "/library/sections":
            return say(call, _sections(account))
        case "/photo/:/transcode":
            return _picture(call)
        case "/status/sessions" | "/accounts":  # server: admin calls may answer a friend 401 instead of 403
            return say(call, {"size": 0}) if account.own_machine == machine else page(401)
    return page(404)


def say(call: Call, container: dict[str, Any]) -> Answer:
    """server: everything sits in MediaContainer; JSON when asked for, else XML."""
    if "application/json" in call.headers.get("accept", ""):
        return json_answer({"MediaContainer": container})
    plain = {name: value for name, value in container.items() if not isinstance(value, list)}
    rows = [as_xml(name, one) for name, value in container.items() if isinstance(value, list) for one in value]
    return xml_answer(
        as_xml("MediaContainer", plain).replace("></MediaContainer>", f">{''.join(rows)}</MediaContainer>")
    )


def page(status: int) -> Answer:
    """server: error bodies are HTML."""
    text = f"<html><head><title>{REASONS[status]}</title></head><body><h1>{status} {REASONS[status]}</h1></body></html>"
    return html_answer(text, status)


def _account(world: PlexWorld, call: Call) -> Account | None:
    """Whose token this is on this server: a token for the server, or the owner's of plex.tv."""
    owner = world.account_of(call.token)
    if call.place == "other":
        return owner if owner and owner.own_machine == world.other_machine_id else None
    if owner and owner.own_machine == world.machine_id:
        return owner
    return world.server_tokens.get(call.token)


def _about(world: PlexWorld, account: Account, machine: str) -> dict[str, Any]:
    """server: about itself; most of it for the owner only."""
    name = OTHER_SERVER_NAME if machine == world.other_machine_id else world.server_name
    common = {"size": 0, "friendlyName": name, "machineIdentifier": machine, "version": VERSION, "platform": "Linux"}
    if account.own_machine != machine:
        return common
    return common | {"myPlexSubscription": True, "myPlexSigninState": "ok", "transcoderActiveVideoSessions": 0}


def _sections(account: Account) -> dict[str, Any]:
    """server: libraries; keys are strings, and the list is missing when it is empty."""
    seen = [library for library in LIBRARIES if library.key in account.libraries]
    head: dict[str, Any] = {"size": len(seen), "allowSync": False, "title1": "Plex Library"}
    return head | {"Directory": [_section(library) for library in seen]} if seen else head


def _section(library: Library) -> dict[str, Any]:
    return {
        "key": library.key, "type": library.kind, "title": library.title, "agent": library.agent,
        "scanner": "Plex Movie", "language": "en-US", "uuid": f"00000000-0000-4000-8000-00000000000{library.key}",
        "refreshing": False, "hidden": 0, "scannedAt": 1700000000, "contentChangedAt": 123456,
        "Location": [{"id": int(library.key), "path": library.path}],
    }  # fmt: skip


def _picture(call: Call) -> Answer:
    """server: pictures; only paths of its own, and with a size."""
    path = call.query.get("url", "")
    if not path.startswith("/") or path.startswith("//") or not call.query.get("width", "").isdigit():
        return page(400)
    return Answer(png((60, 90, 160)), "image/png")
