"""The sidecar files: always well-formed XML, whatever a stranger wrote."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from medianest.downloads.nfo import VideoFacts, episode_nfo, movie_nfo, show_nfo

ANY = st.text(max_size=200)


@given(ANY, ANY, ANY, ANY, ANY)
def test_every_text_gives_well_formed_xml(title: str, show: str, plot: str, site: str, name: str) -> None:
    facts = VideoFacts(
        title=title, show=show, site=site, video_id=name, aired=date(2026, 3, 15), season=2026, episode=31501, plot=plot, tags=(title,)
    )  # fmt: skip
    for text in (episode_nfo(facts), movie_nfo(facts), show_nfo(title=show, site=site, channel_id=name, plot=plot)):
        ET.fromstring(text.encode())


def test_an_episode_says_what_its_file_name_says() -> None:
    facts = VideoFacts(
        title="A & B <c>", show="Ana", site="youtube", video_id="dQw4", aired=date(2026, 3, 15), season=2026, episode=31501,
        duration_s=95, plot="line\x00\x0b", studio="Ana",
    )  # fmt: skip
    root = ET.fromstring(episode_nfo(facts).encode())
    assert root.tag == "episodedetails"
    texts = {child.tag: child.text for child in root}
    assert texts == {
        "title": "A & B <c>", "showtitle": "Ana", "season": "2026", "episode": "31501", "aired": "2026-03-15",
        "plot": "line", "runtime": "2", "studio": "Ana", "uniqueid": "dQw4",
    }  # fmt: skip
    unique = root.find("uniqueid")
    assert unique is not None
    assert unique.attrib == {"type": "youtube", "default": "true"}


def test_a_show_carries_its_channel_id() -> None:
    root = ET.fromstring(show_nfo(title="Ana", site="youtube", channel_id="UC1").encode())
    unique = root.find("uniqueid")
    assert unique is not None
    assert (root.tag, unique.text, unique.get("type")) == ("tvshow", "UC1", "youtube")
