"""The Plex server: who it is, the libraries a token may see, pictures. A second one belongs to the stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.plex.people import OTHER_SERVER_NAME, VERSION, Account
from tests.plex.reading import Reader
from tests.plex.traffic import Answer, Call, as_xml, html_answer, json_answer, xml_answer
from tests.plex.writing import Writer

if TYPE_CHECKING:
    from tests.plex.world import PlexWorld

REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


def answer(world: PlexWorld, call: Call) -> Answer:
    """What the server says; `other` in the note of calls is the stranger's, as is what came in place of ours."""
    if world.server.is_restarting:  # server: 503 with a short note while it starts
        return xml_answer('<Response code="503" title="Maintenance" status="Plex Media Server is starting."/>', 503)
    is_other = call.place == "other" or world.is_server_replaced
    machine = world.other_machine_id if is_other else world.machine_id
    if call.path == "/identity":  # server: identity needs no token
        return say(
            call, {"size": 0, "apiVersion": "1.1.1", "claimed": True, "machineIdentifier": machine, "version": VERSION}
        )
    account = _account(world, call, is_other=is_other)
    if account is None:  # server: a friend's plex.tv token is no token here
        return page(401)
    if call.path == "/":
        return say(call, _about(world, account, machine))
    if is_other:
        return say(call, {"size": 0}) if call.path == "/library/sections" else page(404)
    world.server.catch_up()
    is_owner = account.own_machine == machine
    if call.path in ("/status/sessions", "/accounts", "/activities") and not is_owner:
        return page(401)  # server: admin calls may answer a friend 401 instead of 403
    is_read = call.method in ("GET", "HEAD") and not call.path.endswith("/refresh")
    if not is_read and not is_owner:
        return page(403)
    found = (
        _read(Reader(world.server, account, call), call, world)
        if is_read
        else Writer(world.server, call, machine).change()
    )
    if found is None:
        return page(404)
    if isinstance(found, int):
        return page(found)
    return found if isinstance(found, Answer) else say(call, found)


def _read(reader: Reader, call: Call, world: PlexWorld) -> dict[str, Any] | Answer | int | None:
    """A read; None is a 404, a number another error."""
    match call.path.strip("/").split("/"):
        case ["library", "sections"]:
            return reader.section_list()
        case ["library", "sections", key, *rest] if key in reader.sections:
            library = reader.sections[key]
            match rest:
                case ["all"]:
                    return reader.all_of(library)
                case ["genre"]:
                    return reader.genres_of(library)
                case ["collections"]:
                    return reader.collections_of(library)
            return None
        case ["library", "metadata", keys]:
            return reader.metadata(keys)
        case ["library", "metadata" | "collections", key, "children" | "items"]:
            return reader.children(key)
        case ["library", "metadata" | "collections", key, "thumb" | "art" | "composite", _]:
            return reader.picture(key)
        case ["library", "onDeck"] | ["hubs", "continueWatching"]:
            return reader.on_deck()
        case ["hubs", "home", "recentlyAdded"]:
            return reader.recently_added()
        case ["hubs", "search"]:
            return reader.search()
        case ["photo", ":", "transcode"]:
            return reader.transcoded()
        case ["activities"]:
            scans = [scan.as_activity(world.server.sections[scan.library].title) for scan in world.server.scans]
            return {"size": len(scans)} | ({"Activity": scans} if scans else {})
        case ["status", "sessions"] | ["accounts"]:
            return {"size": 0}
    return None


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


def _account(world: PlexWorld, call: Call, *, is_other: bool) -> Account | None:
    """Whose token this is on this server: a token for the server, or the owner's of plex.tv."""
    owner = world.account_of(call.token)
    if is_other:
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
