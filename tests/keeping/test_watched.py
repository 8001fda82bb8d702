"""What was watched in Plex, by whoever asked for it."""

from __future__ import annotations

import time

import msgspec

from medianest.app import Application, create_app
from medianest.database import Engine, fetch
from medianest.keeping.model import KeepingSettings
from medianest.settings import Settings
from tests.keeping.shelf import NOW, Shelf
from tests.plex import PlexWorld
from tests.security.cast import add_person

DAY_S = 24 * 3600


async def test_the_night_asks_plex_what_was_watched(
    database: Engine, settings: Settings, cheap_passwords: None, plex: PlexWorld
) -> None:
    there = msgspec.structs.replace(
        settings, plex_url=plex.server_url, plex_token=plex.owner.token(), plex_tv_url=plex.url
    )
    application = create_app(there)
    try:
        await ask(application, Shelf(settings.library_dir), plex)
    finally:
        await application.connections.close()


async def ask(application: Application, shelf: Shelf, plex: PlexWorld) -> None:
    connection = await application.connections.service.plex()
    assert connection is not None
    ana = await add_person("user")  # not in Plex: the owner's watching counts
    items = {}
    for title, days in (("Long ago", 20), ("Lately", 2), ("Never", 0)):
        item = items[title] = plex.server.add_movie("1", title)
        if days:
            item.views[plex.owner.key] = int(time.time()) - days * DAY_S
        history_id = await shelf.put(title, by=ana)
        await fetch(
            "UPDATE download_history SET plex_rating_key = {}, server_id = {} WHERE id = {}",
            *(item.rating_key, connection.machine_id, history_id),
        )
    keeping = application.keeping
    await keeping.retention._settings.put(KeepingSettings(watched_days=7), by=await add_person("admin"), at=NOW)
    assert await keeping.service.keep_to_rules() == "Deleted 0, announced 1."
    assert [(one.title, one.why) for one in await keeping.service.planned()] == [("Long ago", "watched")]
    items["Long ago"].views.clear()  # set to unwatched
    assert await keeping.service.keep_to_rules() == "Deleted 0, announced 0."
    assert [one.outcome for one in await keeping.service.ended()] == ["withdrawn"]
