"""What is inside a video of the library, and whether Plex's players take it as it is."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class DirectPlay(StrEnum):
    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


class MediaFacts(msgspec.Struct, frozen=True, kw_only=True):
    """As ffprobe measured it; empty words and None for what is unknown. `height` in lines, `fps` in pictures a second."""

    container: str = ""
    video_codec: str = ""
    audio_codec: str = ""
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    bit_depth: int | None = None
    bitrate_bits_s: int | None = None
    subtitles: tuple[str, ...] = ()  # languages, inside or beside
    is_lower: bool = False  # a much smaller picture than was asked for and than is usual
    direct_play: DirectPlay = DirectPlay.MAYBE
    direct_play_reason: str = ""


CONTAINERS = {
    **dict.fromkeys(("mp4", "m4v", "mov", "m4a", "3gp"), "mp4"),
    **dict.fromkeys(("mkv", "mka"), "mkv"),
    **dict.fromkeys(("webm", "weba"), "webm"),
    **dict.fromkeys(("opus", "ogg", "oga", "ogv"), "ogg"),
}
_CODECS = {
    "avc1": "h264",
    "avc3": "h264",
    "hvc1": "hevc",
    "hev1": "hevc",
    "vp09": "vp9",
    "vp08": "vp8",
    "av01": "av1",
    "mp4v": "mpeg4",
    "mp4a": "aac",
    "ac-3": "ac3",
    "ec-3": "eac3",
    ".mp3": "mp3",
}
NAMES = {
    "h264": "H.264",
    "hevc": "H.265",
    "vp9": "VP9",
    "vp8": "VP8",
    "av1": "AV1",
    "mpeg4": "MPEG-4",
    "aac": "AAC",
    "mp3": "MP3",
    "opus": "Opus",
    "vorbis": "Vorbis",
    "ac3": "Dolby Digital",
    "eac3": "Dolby Digital Plus",
    "flac": "FLAC",
    "mp4": "MP4",
    "mkv": "Matroska",
    "webm": "WebM",
    "ogg": "Ogg",
}
SMALL_HEIGHT = 360  # a picture of so few lines is what a site gives that holds the better ones back
GOOD_HEIGHT = 720
_SOUND_EVERYWHERE = ("aac", "mp3", "")
_SOUND_ON_TELEVISIONS = ("ac3", "eac3")
_NEWER = ("hevc", "vp9", "av1")


def codec_of(name: str | None) -> str:
    """One word for a codec that is known by several: `avc1.64001f` is `h264`."""
    plain = (name or "").strip().lower()
    return _CODECS.get(plain.split(".")[0] or plain, _CODECS.get(plain, plain.split(".")[0] or plain))[:20]


def container_of(ending: str) -> str:
    """The kind of file by its ending, without the dot."""
    return CONTAINERS.get(ending.lower(), ending.lower())[:20]


def spoken(word: str) -> str:
    """A codec or a container as people write it."""
    return NAMES.get(word, word.upper())


def judge(
    container: str, video_codec: str, audio_codec: str, *, height: int | None = None, bit_depth: int | None = None
) -> tuple[DirectPlay, str]:
    """Whether Plex's players take a file as it is, and why; `height` in lines, the short side of the picture."""
    if not video_codec:
        return _judge_sound(container, audio_codec)
    picture, sound, box = spoken(video_codec), spoken(audio_codec) if audio_codec else "", spoken(container)
    inside = f"{picture} and {sound} in {box}" if sound else f"{picture} in {box}"
    if container not in ("mp4", "mkv", "webm"):
        return DirectPlay.NO, f"{inside}: hardly any player takes such a file, so Plex converts it."
    if container == "mp4" and (video_codec in ("vp8", "vp9") or audio_codec in ("opus", "vorbis")):
        return DirectPlay.NO, f"{inside}: an unusual mix that most players refuse, so Plex converts it."
    if video_codec == "h264" and (bit_depth or 8) > 8:
        return DirectPlay.NO, f"{inside} with {bit_depth} bits a colour, which hardly any player takes."
    if video_codec in _NEWER:
        return DirectPlay.MAYBE, f"{inside}: newer players take it as it is; for others Plex converts it."
    if video_codec != "h264":
        return DirectPlay.NO, f"{inside}: an old or rare format, so Plex converts it."
    if audio_codec in _SOUND_ON_TELEVISIONS:
        return DirectPlay.MAYBE, f"{inside}: televisions take it as it is; for browsers Plex converts the sound."
    if audio_codec not in _SOUND_EVERYWHERE:
        return DirectPlay.MAYBE, f"{inside}: the picture plays as it is; for some players Plex converts the sound."
    if (height or 0) > 1080:
        return (
            DirectPlay.MAYBE,
            f"{inside} in {height}p: large televisions take it; for smaller devices Plex converts it.",
        )
    if container != "mp4":
        return DirectPlay.MAYBE, f"{inside}: most players take it; for browsers Plex repacks it without loss."
    return DirectPlay.YES, f"{inside}: plays everywhere as it is."


def _judge_sound(container: str, audio_codec: str) -> tuple[DirectPlay, str]:
    if not audio_codec:
        return DirectPlay.MAYBE, "What is inside could not be measured, since ffprobe is missing."
    if audio_codec in ("aac", "mp3") and container in ("mp4", "mp3", "aac"):
        return DirectPlay.YES, f"{spoken(audio_codec)}: plays everywhere as it is."
    if audio_codec in ("opus", "vorbis", "flac", "aac", "mp3"):
        return DirectPlay.MAYBE, f"{spoken(audio_codec)}: most players take it; for others Plex converts it."
    return DirectPlay.NO, f"{spoken(audio_codec)}: few players take it, so Plex converts it."


def is_much_lower(*, width: int | None, height: int | None, wanted: int | None, usual: int | None) -> bool:
    """Whether a picture is suspiciously small: 360 lines or less where more was wanted, and more came before.

    Args:
        wanted: lines that were asked for; None is as many as there are.
        usual: the most lines among what came from there lately; None when nothing did.
    """
    side = min([side for side in (width, height) if side], default=None)
    if side is None or side > SMALL_HEIGHT or (wanted is not None and wanted <= SMALL_HEIGHT):
        return False
    return usual is not None and usual >= GOOD_HEIGHT
