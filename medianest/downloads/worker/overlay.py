"""Which yt-dlp a worker loads: a newer one from the data folder, put first on the module path, or the one inside."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from medianest.downloads.worker.messages import Configuration
from medianest.engine_folder import GATE, EngineFolder, is_safe

_PACKAGES = ("yt_dlp", "yt_dlp_ejs")
# what together imports nearly every module, the 1000 extractors among them
EVERYTHING = (
    "yt_dlp",
    "yt_dlp.extractor._extractors",
    "yt_dlp.extractor.youtube",
    "yt_dlp.extractor.youtube.jsc",
    "yt_dlp.downloader",
    "yt_dlp.networking",
    "yt_dlp.postprocessor",
    "yt_dlp_ejs",
)


def inside() -> str:
    """The version that came with MediaNest."""
    try:
        return version("yt-dlp")
    except PackageNotFoundError:
        return ""


def choose(configuration: Configuration) -> tuple[Path | None, str]:
    """The folder to load from, None for the one inside; and a sentence when it is not the one that `current` names."""
    if configuration.engine is not None:
        return (Path(configuration.engine), "") if configuration.engine else (None, "")
    if configuration.engines is None:
        return None, ""
    folder = EngineFolder(Path(configuration.engines))
    named = folder.named()
    if usable := folder.usable(inside()):
        return folder.path(usable), ""
    if named and not is_safe(named):
        return None, f"yt-dlp {named} has a known weakness (mended in {GATE}), so it is not run."
    if named and folder.facts(named) is None:
        return None, f"The files of yt-dlp {named} are not there or not whole."
    return None, ""


def put_first(folder: Path) -> None:
    """Have the next import of yt-dlp find the one in `folder`."""
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()


def take_away(folder: Path) -> None:
    """Undo `put_first`, and whatever was imported from there."""
    sys.path[:] = [entry for entry in sys.path if entry != str(folder)]
    for name in [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]:
        del sys.modules[name]
    importlib.invalidate_caches()


def ejs_version() -> str:
    """Version of the solver for YouTube's puzzles that is found on the module path now; empty when there is none."""
    try:
        return str(importlib.import_module("yt_dlp_ejs").version)
    except (ImportError, AttributeError):
        return ""
