"""Names that strangers choose: whatever they are, they stay in their folder and mean no episode."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medianest.downloads.names import (
    TITLE_BYTES,
    album_folder,
    clean_id,
    clean_name,
    clean_title,
    episode_stem,
    film_name,
    folder_key,
    safe_join,
    safe_relative,
    season_folder,
    track_stem,
)
from medianest.errors import Invalid

RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
TEXTS = st.one_of(
    st.text(max_size=400),
    st.text(alphabet='sSeExX0123456789 ._-/\\:*?"<>|\u202e\u200f.ſ²', max_size=60),
    st.sampled_from(
        ("../../etc/passwd", "-rf", "CON", "nul.txt", "\u202egpj.exe", "x" * 10_000, "👨‍👩‍👧" * 200, "", " . ", "...")
    ),
)


def is_safe(name: str) -> bool:
    return (
        bool(name)
        and name not in (".", "..")
        and not set(name) & set('/\\:*?"<>|\0')
        and not any(unicodedata.category(char) in ("Cc", "Cs") for char in name)
        and name[-1] not in ". "
        and name[0] not in ".-"
        and not RESERVED.match(name)
        and not any(char in name for char in "\u202a\u202b\u202d\u202e\u200e\u200f\u2066\u2067\u2068\u2069")
    )


@given(TEXTS)
def test_every_cleaned_name_is_safe_and_short(text: str) -> None:
    assert is_safe(clean_name(text))
    assert len(clean_name(text).encode()) <= 80
    assert is_safe(clean_title(text))
    assert len(clean_title(text).encode()) <= TITLE_BYTES
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", clean_id(text))


@given(TEXTS)
def test_no_title_holds_what_plex_takes_for_an_episode(text: str) -> None:
    title = clean_title(text)
    assert not re.search(r"(?i)\bs\d{1,4}[ ._-]*e\d", title)
    assert not re.search(r"(?i)(?<![0-9])\d{1,2}x\d", title)
    assert not re.search(r"(?<![0-9A-Za-z])[0-9]{5,}(?![0-9A-Za-z])", title)


@given(TEXTS, TEXTS, st.integers(1970, 2100), st.integers(10101, 4_669_999), TEXTS)
def test_the_name_of_a_file_is_never_too_long(show: str, title: str, season: int, episode: int, name: str) -> None:
    stem = episode_stem(clean_name(show), season, episode, title, name)
    assert len((stem + ".zh-Hans-CN.srt").encode()) <= 255
    assert re.search(rf" - s{season:04d}e{episode:06d} - ", stem)
    assert len(film_name(title, season, name).encode()) <= 200


# titles as people write them, which have to stay what they are as far as Windows lets them
LONG_GERMAN = (
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft: Wie ein Wort länger wird als der Satz, "
    "in dem es steht – und warum „Straßenbahnhaltestellenüberdachung“ trotzdem schön ist (Teil 3/12)"
)
WRITTEN = st.sampled_from(
    (
        LONG_GERMAN,
        "مرحبا بالعالم – الحلقة ١٢",
        "שלום עולם: פרק 3",
        "日本語のとても長い題名" * 20,
        "👩🏽‍🚀 Rocket 🇦🇹 day",
        "C: drive?",
        "a\tb|c",
    )
)


@given(st.one_of(TEXTS, WRITTEN), TEXTS, st.integers(1, 5000))
def test_every_kind_of_place_is_safe_on_windows_and_shares(title: str, show: str, number: int) -> None:
    stem = episode_stem(clean_name(show), 1, number, title, "id")
    assert re.search(rf" - s01e{number:02d} - ", stem)
    parts = [
        stem,
        season_folder(1),
        season_folder(2026),
        track_stem(number, title),
        *album_folder(show, title).split("/"),
    ]
    parts.append(film_name(title, 2026, "id"))
    for part in parts:
        assert is_safe(part)
        assert len((part + ".zh-Hans-CN.srt").encode()) <= 255
    assert len(album_folder(show, title).split("/")) == 2
    assert [part for part in parts if folder_key(part) in ("con", "nul", "aux")] == []


def test_titles_of_many_scripts_stay_readable() -> None:
    assert clean_title(LONG_GERMAN).startswith(
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft - "
    )
    assert clean_title("مرحبا بالعالم – الحلقة ١٢") == "مرحبا بالعالم – الحلقة ١٢"
    assert clean_title("שלום עולם: פרק 3") == "שלום עולם - פרק 3"
    assert clean_title("👩🏽‍🚀 Rocket 🇦🇹 day") == "👩🏽‍🚀 Rocket 🇦🇹 day"
    assert (season_folder(2026), season_folder(1), track_stem(7, "C: drive?")) == (
        "Season 2026",
        "Season 01",
        "07 C - drive",
    )


@given(TEXTS)
def test_nothing_leaves_its_folder(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    root = Path("/tmp").resolve()
    try:
        joined = safe_join(root, text)
    except Invalid:
        return
    assert joined.parent == root
    assert is_safe(text) or text[0] in ".-" or any(unicodedata.category(char) == "Cf" for char in text)


@pytest.mark.parametrize(
    "name",
    ["..", ".", "", "a/b", "a\\b", "C:", "a:b", "nul", "COM1.txt", "a.", "a ", "a\0b", "a\nb", "x" * 256, "\ud800"],
)
def test_what_is_no_plain_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        safe_join(tmp_path, name)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "library" / "show").symlink_to(tmp_path / "outside")
    with pytest.raises(Invalid):
        safe_relative(tmp_path / "library", "show/episode.mp4")
    with pytest.raises(Invalid):
        safe_relative(tmp_path / "library", "../outside/x.mp4")
    assert safe_relative(tmp_path / "library", "other/x.mp4") == tmp_path / "library" / "other" / "x.mp4"


@pytest.mark.parametrize(
    ("title", "clean"),
    [
        ("Show S01E02", "Show S01 · E02"),
        ("Match 3x2", "Match 3 × 2"),
        ("News of 2026-03-15", "News of 15 Mar 2026"),
        ("Call 0800123456 now", "Call 080 012 345 6 now"),
        ("In 2026 alone", "In 2026 alone"),
        ("AC/DC: live?", "AC-DC - live"),
        ("  .hidden  ", "hidden"),
        ("CON", "_CON"),
        ("Grüße 🎉", "Grüße 🎉"),
        ("../../x", "x"),
        ("\u202egnp.exe", "gnp.exe"),
        ("", "Untitled"),
    ],
)
def test_titles_stay_readable(title: str, clean: str) -> None:
    assert clean_title(title) == clean


def test_two_folders_that_some_systems_take_for_one_have_one_key() -> None:
    assert folder_key("Straße") == folder_key("STRASSE")
    assert folder_key("ﬁlm") == folder_key("FILM")
