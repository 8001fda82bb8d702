"""What is wished of a link, and the owner's defaults for it, as forms send them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from medianest.downloads.model import NewDownload, Offer, Preview, Quality, QueueSettings
from medianest.downloads.wishes import (
    AudioFormat,
    Layout,
    Live,
    Place,
    SponsorBlock,
    are_languages,
    languages_of,
)
from medianest.errors import Invalid

BYTES_OF_GB = 1024**3
SENT = "has_taken"  # tells a form with these fields from one without them: boxes that are not ticked are not sent
MOST_RECORD_HOURS = 48
_ON = ("true", "on", "1")

Word = TypeVar("Word", bound=StrEnum)


class TakenWords(msgspec.Struct, frozen=True, kw_only=True):
    """What a preview says would be taken: the offer of the wanted quality, and the languages of subtitles."""

    offer: Offer | None
    subtitles: tuple[str, ...]


def values_of(form: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the add form as they were sent, for showing them again."""
    names = ("layout", "subtitles", "sponsorblock", "audio_format", "live")
    return {
        "url": str(form.get("url", "")).strip(),
        "quality": str(form.get("quality", "default")),
        "audio_only": str(form.get("audio_only", "")).lower() in _ON,
        "as_film": str(form.get("as_film", "")).lower() in _ON,
        **{name: str(form.get(name, "")).strip() for name in names},
    }


def new_download(sent: Mapping[str, Any], link: str) -> NewDownload:
    """What the add form asks for one of its links; what it does not know, and what is left open, follows the defaults."""
    return NewDownload(
        url=link,
        quality=_word(Quality, sent["quality"]) or Quality.DEFAULT,
        audio_only=sent["audio_only"],
        as_film=sent["as_film"],
        layout=_word(Layout, sent["layout"]),
        subtitles=_subtitles(sent["subtitles"]),
        sponsorblock=_word(SponsorBlock, sent["sponsorblock"]),
        audio_format=_word(AudioFormat, sent["audio_format"]),
        live=_word(Live, sent["live"]),
    )


def taken_words(preview: Preview, sent: Mapping[str, Any], settings: QueueSettings) -> TakenWords:
    """What would be taken of a looked at video with these choices."""
    quality = _word(Quality, sent["quality"]) or Quality.DEFAULT
    wanted = (Quality.DEFAULT, True) if sent["audio_only"] else (quality, False)
    offer = next((one for one in preview.offers if (one.quality, one.audio_only) == wanted), None)
    asked = _subtitles(sent["subtitles"])
    languages = languages_of(settings.subtitle_languages if asked is None else asked)
    there = preview.subtitles + (preview.automatic_subtitles if settings.automatic_subtitles else ())
    found = tuple(one for one in languages if any(code == one or code.startswith(f"{one}-") for code in there))
    return TakenWords(offer=offer, subtitles=() if sent["audio_only"] else found)


def read_taken(form: Mapping[str, Any], current: QueueSettings, errors: dict[str, str]) -> dict[str, Any]:
    """The owner's defaults as sent, by the names of the settings; nothing when the form has none of them."""
    if SENT not in form:
        return {}
    kinds: dict[str, type[StrEnum]] = {
        "subtitle_place": Place,
        "sponsorblock": SponsorBlock,
        "picture_place": Place,
        "audio_format": AudioFormat,
        "video_layout": Layout,
        "list_layout": Layout,
        "live": Live,
    }
    taken: dict[str, Any] = {
        name: str(form.get(name, "")).lower() in _ON for name in ("automatic_subtitles", "chapters")
    }
    for name, kind in kinds.items():
        taken[name] = _word(kind, str(form.get(name, ""))) or getattr(current, name)
    for name, factor in (("record_hours", 1), ("record_gb", BYTES_OF_GB)):
        try:
            value = float(str(form.get(name, "")).strip().replace(",", "."))
        except ValueError:
            errors[name] = "This is no number."
            continue
        if name == "record_hours":
            taken[name] = int(value) if value == value and abs(value) < 10**6 else 0  # NaN fits nothing
        else:
            taken["record_bytes"] = int(value * factor) if value == value and abs(value) < 10**9 else 0
    return taken


def wrong_taken(settings: QueueSettings) -> dict[str, tuple[bool, str]]:
    """For each of the defaults whether it fits, and a sentence for when it does not."""
    return {
        "subtitle_languages": (
            are_languages(settings.subtitle_languages),
            "Languages with commas between them, such as en,de.",
        ),
        "video_layout": (
            settings.video_layout is not Layout.SEASON,
            "A single video is no season. Choose another way.",
        ),
        "record_hours": (1 <= settings.record_hours <= MOST_RECORD_HOURS, f"From 1 to {MOST_RECORD_HOURS} hours."),
        "record_bytes": (100 * 1024**2 <= settings.record_bytes <= 10**15, "At least 0.1 GB."),
    }


def _word(kind: type[Word], text: str) -> Word | None:
    return kind(text) if text in tuple(kind) else None


def _subtitles(text: str) -> str | None:
    """`-` takes none, an empty field follows the default."""
    plain = text.strip()
    if not plain:
        return None
    if plain in ("-", "none"):
        return ""
    if not are_languages(plain):
        raise Invalid("Subtitles: languages with commas between them, such as en,de; a dash takes none.")
    return ",".join(languages_of(plain))
