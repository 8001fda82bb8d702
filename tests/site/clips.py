"""Real media, made once by ffmpeg and kept in the temp folder for every later run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / f"medianest-test-clips-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
SMALL_BITS_S = 200_000


def clip(length_s: float = 2, size_bytes: int | None = None, suffix: str = "mp4", height: int = 180) -> Path:
    """A video with sound: H.264 and AAC (mp4, mkv), or VP8 and Vorbis (webm). `size_bytes` is met within some percent."""
    bits = int(size_bytes * 8 / length_s) - 64_000 if size_bytes else SMALL_BITS_S
    return _kept(
        f"clip-{length_s:g}s-{size_bytes or 'small'}-{height}p.{suffix}",
        lambda path: _ffmpeg(
            *_picture(length_s, height), *_sound(length_s), *_coding(suffix, bits), "-shortest", str(path)
        ),
    )


def newer(length_s: float = 2, suffix: str = "webm", height: int = 180) -> Path:
    """VP9 and Opus, in WebM or in a box that does not suit them."""
    coding = ["-c:v", "libvpx-vp9", "-b:v", "200k", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus"]
    return _kept(
        f"newer-{length_s:g}s-{height}p.{suffix}",
        lambda path: _ffmpeg(*_picture(length_s, height), *_sound(length_s), *coding, "-shortest", str(path)),
    )


def cuttable(length_s: float = 6) -> Path:
    """H.264 and AAC with a whole picture twice a second, so that it can be cut without encoding."""
    coding = [*_coding("mp4", SMALL_BITS_S), "-g", "12", "-keyint_min", "12"]
    return _kept(
        f"cuttable-{length_s:g}s.mp4",
        lambda path: _ffmpeg(*_picture(length_s, 180), *_sound(length_s), *coding, "-shortest", str(path)),
    )


def sound(length_s: float = 2) -> Path:
    """AAC alone, as DASH has it apart."""
    return _kept(
        f"sound-{length_s:g}s.m4a",
        lambda path: _ffmpeg(*_sound(length_s), "-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart", str(path)),
    )


def silent(length_s: float = 2, size_bytes: int | None = None, height: int = 180) -> Path:
    """H.264 without sound, as DASH has it apart."""
    bits = int(size_bytes * 8 / length_s) if size_bytes else SMALL_BITS_S
    return _kept(
        f"silent-{length_s:g}s-{size_bytes or 'small'}-{height}p.mp4",
        lambda path: _ffmpeg(*_picture(length_s, height), *_h264(bits), "-an", "-movflags", "+faststart", str(path)),
    )


def picture(suffix: str = "jpg") -> Path:
    """A picture of 1280x720 in the format named by `suffix` (jpg, png, webp)."""
    source = ["-f", "lavfi", "-i", "testsrc2=size=1280x720"]
    return _kept(f"picture.{suffix}", lambda path: _ffmpeg(*source, "-frames:v", "1", str(path)))


def hls(length_s: float = 6) -> Path:
    """A folder with `high.m3u8`, `low.m3u8` and their segments of 2 seconds."""

    def make(folder: Path) -> None:
        folder.mkdir()
        for name, height in (("high", 360), ("low", 180)):
            _ffmpeg(
                *_picture(length_s, height),
                *_sound(length_s),
                *_coding("mp4", SMALL_BITS_S),
                *("-g", "50", "-shortest", "-f", "hls", "-hls_time", "2", "-hls_list_size", "0"),
                *("-hls_segment_filename", str(folder / f"{name}-%03d.ts"), str(folder / f"{name}.m3u8")),
            )

    return _kept(f"hls-{length_s:g}s", make)


def dash(length_s: float = 6) -> Path:
    """A folder with `manifest.mpd` and segments, sound and picture apart."""

    def make(folder: Path) -> None:
        folder.mkdir()
        _ffmpeg(
            *_picture(length_s, 180),
            *_sound(length_s),
            *_coding("mp4", SMALL_BITS_S),
            *("-g", "50", "-f", "dash", "-seg_duration", "2", "-adaptation_sets", "id=0,streams=v id=1,streams=a"),
            str(folder / "manifest.mpd"),
        )

    return _kept(f"dash-{length_s:g}s", make)


def _picture(length_s: float, height: int) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=size={height * 16 // 9 // 2 * 2}x{height}:rate=25:duration={length_s}"]


def _sound(length_s: float) -> list[str]:
    return ["-f", "lavfi", "-i", f"sine=frequency=440:duration={length_s}"]


def _coding(suffix: str, bits_s: int) -> list[str]:
    if suffix == "webm":
        return ["-c:v", "libvpx", "-b:v", str(bits_s), "-deadline", "realtime", "-c:a", "libvorbis"]
    tail = ["-movflags", "+faststart"] if suffix == "mp4" else []
    return [*_h264(bits_s), "-c:a", "aac", "-b:a", "64k", *tail]


def _h264(bits_s: int) -> list[str]:
    """H.264 at a constant rate: the encoder fills up, so that a file has the size that was asked for."""
    rate = str(bits_s)
    coding = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", rate]
    return [*coding, "-minrate", rate, "-maxrate", rate, "-bufsize", rate, "-x264-params", "nal-hrd=cbr"]


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *arguments], check=True, timeout=120)


def _kept(name: str, make: Callable[[Path], None]) -> Path:
    """The file or folder `name`, made under another name first so that two runs at once do no harm."""
    path = FOLDER / name
    if path.exists():
        return path
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        made = Path(work) / name
        make(made)
        try:
            made.rename(path)
        except OSError:  # another run was first with the folder
            shutil.rmtree(made, ignore_errors=True)
    return path
