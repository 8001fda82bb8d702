"""A process that updates yt-dlp and is gone at one moment of it, as by a power cut: `killed_update.py SETTINGS MOMENT`.

MOMENT is a step, or `rename:NAME` for the moment before something gets that name.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from medianest.app import create_app
from medianest.engine.model import EngineUpdateMoved
from medianest.lifespan import open_database
from medianest.settings import Settings


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def watch_renames(name: str) -> None:
    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.rename" and Path(os.fsdecode(arguments[1])).name == name:
            die()

    sys.addaudithook(look)


async def main(settings: Settings, moment: str) -> None:
    application = create_app(settings)
    kind, _, name = moment.partition(":")
    if kind == "rename":
        watch_renames(name)

    async def on_moved(event: EngineUpdateMoved) -> None:
        if event.step == moment:
            die()

    application.events.subscribe(EngineUpdateMoved, on_moved)
    async with open_database(settings, application.engine):
        await application.engine_parts.updates.update_daily()


if __name__ == "__main__":
    asyncio.run(
        main(msgspec.json.decode(sys.argv[1], type=Settings, dec_hook=lambda kind, value: kind(value)), sys.argv[2])
    )
