"""From the typed options of a job to yt-dlp's parameters: nothing else reaches yt-dlp."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medianest.downloads.worker.messages import Configuration, JobOptions

Params = dict[str, Any]

BLOCK_BYTES = 64 * 1024  # what a cut connection may lose
# What ffmpeg may open while it handles a file that lies here, and while it fetches a stream.
_LOCAL_ONLY = ["-protocol_whitelist", "file,pipe"]
_NETWORK_ONLY = ["-protocol_whitelist", "http,https,tls,tcp,httpproxy,crypto,data"]
_POST_PROCESSORS = (
    *("merger", "metadata", "extractaudio", "subtitlesconvertor", "videoremuxer"),
    *("modifychapters", "embedsubtitle", "embedthumbnail", "sponsorblock"),
    *("fixupm3u8", "fixupm4a", "fixupstretched", "fixuptimestamp", "fixupduration", "fixupduplicatemoov"),
)


def base_params(parsed: Params, configuration: Configuration, before_retry: Callable[[int], float]) -> Params:
    """Parameters of every job.

    Args:
        parsed: the command line's own defaults, which the Python API lacks.
        configuration: what the server said about this machine.
        before_retry: gives the seconds to wait before try n of one connection; may raise to stop trying.
    """
    return {
        **parsed,
        "quiet": True,
        "noprogress": True,
        "ignoreerrors": False,
        "color": "never",
        "cachedir": configuration.cache_dir,
        "ffmpeg_location": ffmpeg_location(configuration),
        "js_runtimes": {name: {"path": path} for name, path in configuration.js_runtimes.items()},
        "remote_components": set(),
        "proxy": "",  # the filter proxy in the environment is for child processes
        "enable_file_urls": False,
        "socket_timeout": 20,
        "retries": 10,
        "fragment_retries": 10,
        "extractor_retries": 3,
        "skip_unavailable_fragments": False,  # a video with holes is no success
        "retry_sleep_functions": {"http": before_retry, "fragment": before_retry},
        "continuedl": True,
        "overwrites": False,
        "noresizebuffer": True,  # even progress, see the block size
        "buffersize": BLOCK_BYTES,
        "noplaylist": True,
        "hls_prefer_native": True,
        "external_downloader": {"default": "native"},
        "external_downloader_args": {"ffmpeg_i": _NETWORK_ONLY},
        "postprocessor_args": {f"{name}+ffmpeg_i": _LOCAL_ONLY for name in _POST_PROCESSORS},
        "merge_output_format": "mp4/mkv",
        "fixup": "force",  # a file that was complete when the process was killed gets its repair too
        "ignore_no_formats_error": True,  # a premiere has no formats yet, and tells when it starts
        "updatetime": False,
        "writethumbnail": False,
        "windowsfilenames": True,
    }


def list_params(max_items: int) -> Params:
    """For the look at a link: entries of a list are not opened, and one more than the limit shows that there are more."""
    return {"extract_flat": "in_playlist", "lazy_playlist": True, "playlistend": max_items + 1}


def polite_params() -> Params:
    """Breaths for sites that count their visitors, in seconds: yt-dlp's own preset for sleeping."""
    return {"sleep_interval_requests": 0.75, "sleep_interval_subtitles": 5}


def subtitle_params(languages: list[str], *, automatic: bool = False) -> Params:
    """Which subtitles are taken, by code such as "en"; a regional form ("en-GB") counts too.

    Args:
        automatic: also those that a machine wrote, for languages in which nobody wrote any.
    """
    codes = [code for code in languages if code.replace("-", "").isalnum()]
    if not codes:
        return {}
    patterns = [f"{code}(?:-[A-Za-z0-9]+)?" for code in codes]
    return {
        "writesubtitles": True,
        "writeautomaticsub": automatic,
        "subtitleslangs": patterns,
        "subtitlesformat": "srt/vtt/ass/best",
    }


def download_params(options: JobOptions, staging: str) -> Params:
    """For one video: where it goes and how fast."""
    return {
        "paths": {"home": staging},
        "ratelimit": options.rate_limit_bytes_s,
        "writesubtitles": False,
        "writeautomaticsub": False,
    }


def output_template(format_id: str) -> str:
    """The name in the staging folder. It names the format, so that partial files of another one are never gone on with."""
    return f"media.{format_id}.%(ext)s"


def ffmpeg_location(configuration: Configuration) -> str:
    """What yt-dlp takes for ffmpeg's place: a program, or a folder of links where ffprobe lies elsewhere."""
    ffmpeg, ffprobe = configuration.ffmpeg, configuration.ffprobe
    if ffmpeg is None:
        return str(Path(configuration.temp_dir, "no-ffmpeg"))
    if ffprobe is None or Path(ffmpeg).parent == Path(ffprobe).parent or os.name != "posix":
        return ffmpeg
    folder = Path(configuration.temp_dir, "programs")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, target in (("ffmpeg", ffmpeg), ("ffprobe", ffprobe)):
        link = folder / name
        if link.resolve() != Path(target).resolve():
            link.unlink(missing_ok=True)
            link.symlink_to(target)
    return str(folder)


def back_off(n: int) -> float:
    """Seconds before try `n` (from 0) of one connection: a restarting site gets a breath, a cut line goes on at once."""
    return 0 if n == 0 else min(0.5 * 2**n, 3)
