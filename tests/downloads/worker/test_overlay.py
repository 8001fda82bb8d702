"""Which yt-dlp a worker runs: the newer one from the data folder, and by itself the one inside when that can not be."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from medianest.engine_folder import EngineFolder
from tests.downloads.worker.driver import WorkerProcess
from tests.site import Site

INSIDE, NEWER = version("yt-dlp"), "2027.01.15"


def installed(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


@pytest.fixture
def engines(tmp_path: Path) -> EngineFolder:
    """A folder with a newer version that works, and is chosen."""
    folder = EngineFolder(tmp_path / "engines")
    made = folder.begin()
    for package in ("yt_dlp", "yt_dlp_ejs"):
        shutil.copytree(installed(package), made / package)
    for old in (made / "yt_dlp" / "__pycache__").glob("version.*"):
        old.unlink()
    text = (made / "yt_dlp" / "version.py").read_text()
    (made / "yt_dlp" / "version.py").write_text(text.replace(INSIDE, NEWER))
    folder.finish(made, NEWER, {"version": NEWER})
    folder.point_to(NEWER)
    return folder


def test_the_chosen_version_is_loaded_and_downloads_with_it(engines: EngineFolder, tmp_path: Path, site: Site) -> None:
    with WorkerProcess(tmp_path, engines=str(engines.root)) as worker:
        (ready,) = worker.events
        assert (ready["yt_dlp"], ready["problem"], ready["yt_dlp_ejs"]) == (NEWER, "", version("yt-dlp-ejs"))
        assert Path(ready["path"]) == engines.path(NEWER) / "yt_dlp"
        assert worker.fetch(site.url("/clip/a.mp4?size=20000"))["event"] == "done"


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("older than the one inside", ""),
        ("known weakness", "weakness"),
        ("half removed", "not whole"),
        ("module missing", "could not be loaded (ModuleNotFoundError"),
        ("no python", "could not be loaded (SyntaxError"),
    ],
)
def test_without_a_version_that_loads_the_one_inside_runs_and_says_why(
    tmp_path: Path, damage: str, problem: str
) -> None:
    folder = EngineFolder(tmp_path / "engines")
    name = {"older than the one inside": "2026.08.01", "known weakness": "2026.07.03"}.get(damage, NEWER)
    made = folder.begin()
    (made / "yt_dlp").mkdir()
    # fails in the middle, with a part of it imported
    source = {"no python": "from . import version\ndef f(:\n"}.get(damage, "from . import version\nimport not_there\n")
    (made / "yt_dlp" / "__init__.py").write_text(source)
    (made / "yt_dlp" / "version.py").write_text(f"__version__ = '{name}'\n")
    folder.finish(made, name, {"version": name})
    folder.point_to(name)
    if damage == "half removed":
        (folder.path(name) / "yt_dlp" / "__init__.py").unlink()
    with WorkerProcess(tmp_path, engines=str(folder.root)) as worker:
        (ready,) = worker.events
        assert ready["yt_dlp"] == INSIDE
        assert problem in ready["problem"]
        assert bool(problem) == bool(ready["problem"])
        assert Path(ready["path"]) == installed("yt_dlp")


def test_a_trial_loads_exactly_its_version_or_none(engines: EngineFolder, tmp_path: Path) -> None:
    with WorkerProcess(tmp_path, engines=str(engines.root), engine="") as worker:
        assert worker.events[0]["yt_dlp"] == INSIDE
        worker.send("check")
        # all of it loads, and the runtime inside is one that it takes
        assert [one.split()[0] for one in worker.wait_for("checked")["javascript"]] == ["quickjs"]
    (engines.path(NEWER) / "yt_dlp" / "version.py").write_text("import not_there\n")
    trial = WorkerProcess(tmp_path, engine=str(engines.path(NEWER)))
    trial.send("configure", **trial._configuration)
    assert trial.wait_for("broken")["detail"].startswith("ModuleNotFoundError")
    trial.kill_group()
