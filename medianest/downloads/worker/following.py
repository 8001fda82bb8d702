"""Looking at a list that somebody follows: what is new in it, with as little reading as the list allows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from medianest.downloads.worker.cookies import load_cookies
from medianest.downloads.worker.engine import Engine
from medianest.downloads.worker.extraction import describe
from medianest.downloads.worker.failures import Failure, classify
from medianest.downloads.worker.lists import LIST_TYPES, PIECE, ListReader
from medianest.downloads.worker.messages import Follow
from medianest.downloads.worker.options import list_params, polite_params
from medianest.downloads.worker.pictures import PictureTaker

# the tabs of a channel tell the day of a video only when asked to, and then about right ("3 weeks ago")
_DATES = {"youtubetab": {"approximate_date": ["true"]}}


def follow(engine: Engine, job: Follow, send: Callable[..., None]) -> None:
    """Open the list and tell its entries in pieces, as `extract` does.

    Raises:
        Failure: with the cause in the protocol's classes; `unsupported` for what is no list.
    """
    params = {**list_params(job.max_items), "extractor_args": _DATES}
    ydl = engine.open({**params, **polite_params()} if job.is_polite else params)
    with ydl:
        if job.cookies:
            load_cookies(ydl, job.cookies, engine.configuration.temp_dir)
        engine.limit_pages(ydl)
        engine.guard.forget()
        reader = ListReader(ydl, job.max_items, known=frozenset(job.known), stop_after=job.stop_after)
        try:
            info = reader.extract(job.url)
        except Exception as error:
            raise classify(error, warnings=ydl.log.warnings, refused=engine.guard.refused) from error
        if not info:
            raise Failure("engine_error", "The site gave no answer that can be used.")
        if info.get("_type") not in LIST_TYPES:
            raise Failure("single_video", "This link is a single video.")
        picture = PictureTaker(engine, ydl).for_preview(info, Path(job.picture)) if job.picture else None
    send("list", info=describe(info), is_capped=reader.is_capped, is_cut=reader.is_cut, picture=picture)
    for start in range(0, len(reader.entries), PIECE):
        send("entries", entries=reader.entries[start : start + PIECE])
    send("list_end", items_total=len(reader.entries))
