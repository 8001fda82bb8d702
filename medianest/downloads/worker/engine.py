"""yt-dlp, imported once and ready: every job gets a fresh `YoutubeDL` that shares the loaded extractors.

Nothing here imports yt-dlp before `load` is called, so that a newer one can be put on the module path first. When that
one can not be loaded, the one inside MediaNest is taken.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

from medianest.downloads.worker import overlay
from medianest.downloads.worker.guard import MARK, AddressGuard, AddressRefused
from medianest.downloads.worker.messages import Configuration
from medianest.downloads.worker.options import Params, back_off, base_params

log = logging.getLogger(__name__)

_WARM_UP_URL = "http://warm-up.invalid/page.html"
_MAX_PAGE_BYTES = 64 * 1024**2
_PAGE_PIECE_BYTES = 256 * 1024
_KEPT_WARNINGS = 50
_BEYOND_THE_END = 416


class JobLog:
    """Takes what yt-dlp says: all of it into the log, the warnings also for the search of a failure's cause."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def debug(self, message: str) -> None:
        log.debug(message)

    def info(self, message: str) -> None:
        log.info(message)

    def warning(self, message: str) -> None:
        if len(self.warnings) < _KEPT_WARNINGS:
            self.warnings.append(message)
        log.warning(message)

    def error(self, message: str) -> None:
        log.error(message)


class Engine:
    """The loaded yt-dlp. `load` once, then `open` for every job."""

    def __init__(self, configuration: Configuration, guard: AddressGuard) -> None:
        self.configuration = configuration
        self.guard = guard
        self.version = ""
        self.ejs_version = ""
        self.path = ""  # the folder yt_dlp was loaded from
        self.problem = ""  # why it is not the one that was asked for
        self._base: Params = {}
        self._extractors: list[Any] = []

    @property
    def has_ffmpeg(self) -> bool:
        return self.configuration.ffmpeg is not None

    def load(self) -> None:
        """Import yt-dlp without plug-ins and do once what the first job would wait for.

        Raises:
            Exception: whatever the import raised, when it is the trial of one version or the one inside fails too.
        """
        os.environ["YTDLP_NO_PLUGINS"] = "1"
        sys.modules.setdefault("curl_cffi", None)  # type: ignore[arg-type]  # its connections would pass by the guard
        folder, self.problem = overlay.choose(self.configuration)
        if folder is None:
            self._load()
            return
        overlay.put_first(folder)
        try:
            self._load()
        except Exception as error:
            if self.configuration.engine is not None:
                raise
            log.exception("The yt-dlp in %s can not be loaded; the one inside MediaNest is taken", folder)
            self.problem = f"yt-dlp {folder.name} could not be loaded ({type(error).__name__}: {error})."[:500]
            overlay.take_away(folder)
            self._load()

    def _load(self) -> None:
        import yt_dlp
        import yt_dlp.globals
        from yt_dlp.extractor import gen_extractor_classes

        yt_dlp.globals.plugin_dirs.value = []
        self.version = yt_dlp.version.__version__
        self.path = os.path.dirname(os.path.abspath(yt_dlp.__file__))  # noqa: PTH100, PTH120
        self.ejs_version = overlay.ejs_version()
        parsed = yt_dlp.parse_options(["--ignore-config", "--no-plugin-dirs"]).ydl_opts
        self._base = base_params(parsed, self.configuration, self._before_retry)
        self._extractors = [extractor for extractor in gen_extractor_classes() if extractor._ENABLED]
        for extractor in self._extractors:
            extractor.suitable(_WARM_UP_URL)  # compiles its pattern
        with self.open({}) as ydl:
            ydl.get_info_extractor("Generic")
            ydl.build_format_selector("b")

    def warm_up(self) -> Iterator[None]:
        """In small steps, load what the first web page and the first merge would wait for; none of it is needed before."""
        from yt_dlp.postprocessor import FFmpegPostProcessor

        with self.open({}) as ydl:
            for extractor in self._extractors:
                with contextlib.suppress(Exception):
                    list(extractor.extract_from_webpage(ydl, _WARM_UP_URL, "<html></html>"))
                yield
            if self.has_ffmpeg:
                program = FFmpegPostProcessor(ydl)
                _ = program.available
                yield
                _ = program.probe_available

    def check(self) -> list[str]:
        """Import all of it, for a trial: most extractors are otherwise loaded by the first link that needs them.

        Gives the JavaScript runtimes that it takes, such as `quickjs 0.17.0`.

        Raises:
            Exception: whatever a module raised.
        """
        for name in overlay.EVERYTHING:
            importlib.import_module(name)
        for solver in ("core", "lib"):
            if not getattr(importlib.import_module("yt_dlp_ejs.yt.solver"), solver)():
                raise ImportError(f"The solver {solver!r} for YouTube's puzzles is empty.")
        with self.open({}) as ydl:
            runtimes = getattr(ydl, "_js_runtimes", None) or {}  # its own name for them, which may change
            infos = {name: getattr(runtime, "info", None) for name, runtime in runtimes.items()}
        return [f"{name} {info.version}" for name, info in infos.items() if info is not None and info.supported]

    def open(self, params: Params) -> Any:
        """A `YoutubeDL` for one job, with cookies and connections of its own; `log` on it keeps the warnings."""
        import yt_dlp

        job_log = JobLog()
        ydl = yt_dlp.YoutubeDL({**self._base, **params, "logger": job_log}, auto_init=False)
        for extractor in self._extractors:
            ydl.add_info_extractor(extractor)
        ydl.log = job_log
        return ydl

    def limit_pages(self, ydl: Any) -> None:
        """While a link is looked at, no answer may be larger than a page can be: some never end."""
        original = ydl.urlopen

        def urlopen(request: Any) -> Any:
            response = original(request)
            read, taken = response.read, 0

            def limited_read(amount: int | None = None) -> bytes:
                nonlocal taken
                if amount is None:
                    return b"".join(iter(lambda: limited_read(_PAGE_PIECE_BYTES), b""))
                data: bytes = read(amount)
                taken += len(data)
                if taken > _MAX_PAGE_BYTES:
                    raise PageTooLarge("Unsupported URL: the page never ends")
                return data

            response.read = limited_read
            return response

        ydl.urlopen = urlopen

    def go_on_to_media(self, ydl: Any) -> None:
        """From here on answers may be of any size, and a part that has all of its bytes already is no dead end.

        A site refuses to go on behind the end of a file. Then yt-dlp asks for all of it to see how long it is, but its
        headers, which both requests share, still name the range: refused again, for ever.
        """
        ydl.__dict__.pop("urlopen", None)
        original = ydl.urlopen

        def urlopen(request: Any) -> Any:
            try:
                return original(request)
            except Exception as error:
                headers = getattr(request, "headers", {})
                if getattr(error, "status", None) == _BEYOND_THE_END and "Range" in headers:
                    del headers["Range"]
                raise

        ydl.urlopen = urlopen

    def _before_retry(self, n: int) -> float:
        if self.guard.refused:
            raise AddressRefused(f"{self.guard.refused} was {MARK}")
        return back_off(n)


class PageTooLarge(Exception):
    """An answer to the look at a link went on beyond what a page can be."""
