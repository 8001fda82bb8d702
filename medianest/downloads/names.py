"""Names of folders and files made from strangers' texts, and the one function that joins them to a folder (SEC-10)."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from medianest.errors import Invalid

TITLE_BYTES = 120
FOLDER_BYTES = 80
ID_BYTES = 32
NAME_BYTES = 255
STEM_BYTES = 225  # room for suffixes such as `.pt-BR.srt` and a hidden temporary name
UNTITLED = "Untitled"
FIRST_YEAR = 1000  # smaller seasons are counted, larger ones are years

_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|clock\$|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$")
_REFUSED = dict.fromkeys(map(ord, '<>"|?*\x7f'), None) | {ord("/"): "-", ord("\\"): "-", ord(":"): " -"}
# Plex reads digits as episode numbers: marks such as S01E02 and 1x02, and numbers that stand alone
_EPISODE_MARK = re.compile(r"(?i)\b(s)(\d{1,4})[ ._-]*(e)(\d{1,6})")
_CROSS_MARK = re.compile(r"(?i)(?<![0-9])(\d{1,2})x(\d{1,3})(?![0-9])")
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])(\d{5,})(?![0-9A-Za-z])")
_DATE_MARK = re.compile(r"(?<![0-9])((?:19|20)\d\d)[^0-9A-Za-z](0?[1-9]|1[0-2])[^0-9A-Za-z]([0-3]?\d)(?![0-9])")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _spoken(date: re.Match[str]) -> str:
    """`2026-03-15` → `15 Mar 2026`."""
    return f"{date[3]} {_MONTHS[int(date[2]) - 1]} {date[1]}"


def _grouped(number: re.Match[str]) -> str:
    """`20260315` → `202 603 15`: short groups are no episode number to anybody."""
    return " ".join(number[1][start : start + 3] for start in range(0, len(number[1]), 3))


_PLEX_MARKS = (
    (_EPISODE_MARK, r"\1\2 · \3\4"),
    (_CROSS_MARK, r"\1 × \2"),
    (_DATE_MARK, _spoken),
    (_LONG_NUMBER, _grouped),
)


def clean_name(text: str, *, max_bytes: int = FOLDER_BYTES, fallback: str = UNTITLED) -> str:
    """A name that every file system takes: no separators, control or direction marks, reserved names, odd ends."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode("utf-8"))
    kept = []
    for char in text:
        category = unicodedata.category(char)
        if category in ("Zs", "Zl", "Zp") or char in "\t\n\r":
            kept.append(" ")
        elif char == "\u200d" or category not in ("Cc", "Cf", "Cs", "Co", "Cn"):  # the joiner holds emoji together
            kept.append(char)
    name = re.sub(r" {2,}", " ", "".join(kept).translate(_REFUSED)).strip()
    name = _trim(_cut(name.lstrip(".-~ \u200d"), max_bytes))
    if not name.strip("\u200d"):
        return fallback
    return f"_{_cut(name, max_bytes - 1)}" if _is_reserved(name) else name


def clean_title(text: str, *, max_bytes: int = TITLE_BYTES) -> str:
    """`clean_name`, without digits that Plex would take for a season, an episode or a date."""
    name = clean_name(text, max_bytes=8 * TITLE_BYTES)
    for pattern, put in _PLEX_MARKS:
        changed = pattern.sub(put, name)
        while changed != name:
            name, changed = changed, pattern.sub(put, changed)
    return clean_name(name, max_bytes=max_bytes)


def clean_id(text: str) -> str:
    """A site's id as it stands in brackets: letters, digits, `-` and `_`."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_")[:ID_BYTES] or "video"


def folder_key(name: str) -> str:
    """Two folders with one key are one folder on some file systems."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def episode_stem(show: str, season: int, episode: int, title: str, video_id: str) -> str:
    """`<show> - s2026e031501 - <title> [id]`, never longer than a file name may be; `s01e05` in a season of a list."""
    mark = f"s{season:04d}e{episode:06d}" if season >= FIRST_YEAR else f"s{season:02d}e{episode:02d}"
    head = f"{show} - {mark} - "
    tail = f" [{clean_id(video_id)}]"
    room = min(TITLE_BYTES, STEM_BYTES - len(head.encode()) - len(tail.encode()))
    return head + clean_title(title, max_bytes=room) + tail


def season_folder(season: int) -> str:
    """`Season 2026`, `Season 01`."""
    return f"Season {season:04d}" if season >= FIRST_YEAR else f"Season {season:02d}"


def album_folder(artist: str, album: str) -> str:
    """`Artist/Album`, as a path with `/`."""
    return f"{clean_name(artist)}/{clean_name(album)}"


def track_stem(number: int, title: str) -> str:
    """`07 Title`."""
    return f"{number:02d} {clean_name(title, max_bytes=TITLE_BYTES)}"


def film_name(title: str, year: int, video_id: str) -> str:
    """`Title (2026) [id]`: folder and file of a film."""
    return f"{clean_title(title)} ({year:04d}) [{clean_id(video_id)}]"


def safe_join(root: Path, *parts: str) -> Path:
    """`root` with `parts` below it, each one name.

    Raises:
        Invalid: a part is no plain name, or the result leaves `root` (a link in the file system counts too).
    """
    for part in parts:
        if not _is_plain(part):
            raise Invalid("This is no name that a file can have.", code="bad_name")
    path = root.joinpath(*parts)
    top = root.resolve()
    if top not in path.resolve().parents:
        raise Invalid("This name leads out of its folder.", code="bad_name")
    return path


def safe_relative(root: Path, relative: str) -> Path:
    """`safe_join` for a path with `/` as the library's rows hold it."""
    return safe_join(root, *relative.split("/"))


def _is_plain(part: str) -> bool:
    if not part or part in (".", "..") or len(part.encode("utf-8", "surrogatepass")) > NAME_BYTES:
        return False
    if part[-1] in ". " or _is_reserved(part):
        return False
    return not any(char in '/\\:<>"|?*' or unicodedata.category(char) in ("Cc", "Cs") for char in part)


def _is_reserved(name: str) -> bool:
    return bool(_RESERVED.match(name.rstrip(". "))) or bool(_RESERVED.match(name.partition(".")[0].rstrip()))


def _trim(name: str) -> str:
    return name.rstrip(". \u200d")


def _cut(name: str, max_bytes: int) -> str:
    """At most `max_bytes` of UTF-8, whole characters, and at a word's end when one is near."""
    if len(name.encode()) <= max_bytes:
        return name
    cut = name.encode()[:max_bytes].decode("utf-8", "ignore")
    head, space, tail = cut.rpartition(" ")
    if space and len(tail.encode()) < max_bytes // 4:
        cut = head
    return _trim(cut)
