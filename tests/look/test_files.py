"""What the style sheets, icons and templates promise each other."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "static"
TEMPLATES = Path(__file__).parents[2] / "templates"


def test_every_icon_stands_where_the_style_sheet_looks_for_it() -> None:
    sprite = (STATIC / "icons" / "sprite.svg").read_text("utf-8")
    drawn = {name: int(y) // 24 for name, y in re.findall(r'<use href="#([\w-]+)" y="(\d+)"', sprite)}
    named = {
        name: int(i)
        for name, i in re.findall(r"\.i-([\w-]+) \{ --i: (\d+); \}", (STATIC / "css" / "icon.css").read_text())
    }
    assert named == drawn
    assert set(drawn) <= set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    assert f'height="{24 * len(drawn)}"' in sprite


def test_states_have_the_icons_of_the_design() -> None:
    sprite = (STATIC / "icons" / "sprite.svg").read_text("utf-8")
    names = {int(y) // 24: name for name, y in re.findall(r'<use href="#([\w-]+)" y="(\d+)"', sprite)}
    badge = (STATIC / "css" / "badge.css").read_text("utf-8")
    wanted = {
        "queued": "list", "downloading": "down", "processing": "gear", "completed": "check", "failed": "warning",
        "cancelled": "cross", "paused": "pause", "waiting": "clock",
    }  # fmt: skip
    for state, icon in wanted.items():
        rule = re.search(rf"\.is-{state} \{{([^}}]*)\}}", badge)
        number = re.search(r"--i: (\d+)", rule[1]) if rule else None
        assert number, state
        assert names[int(number[1])] == icon, state


def test_every_style_sheet_is_in_the_order_list() -> None:
    listed = (STATIC / "css" / "order.txt").read_text("utf-8").split()
    assert sorted(listed) == sorted(path.name for path in (STATIC / "css").glob("*.css"))


def test_style_sheets_and_scripts_stay_light() -> None:
    sheets = b"\n".join(path.read_bytes() for path in sorted((STATIC / "css").glob("*.css")))
    scripts = [*(STATIC / "js").glob("*.js"), STATIC / "vendor" / "htmx" / "htmx.min.js"]
    assert len(gzip.compress(sheets, 9)) <= 25_000
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in scripts) <= 35_000


def test_templates_hold_nothing_the_policy_forbids() -> None:
    forbidden = re.compile(
        r"\bstyle=|\bon\w+=\"|hx-on|javascript:|<style|<script(?![^>]*\bsrc=)|https?://(?!\"|192\.168\.|[a-z]+\.example\.)"
    )
    for path in TEMPLATES.rglob("*.html"):
        found = forbidden.search(path.read_text("utf-8"))
        assert found is None, f"{path.relative_to(TEMPLATES)}: {found[0] if found else ''}"


def test_every_address_in_templates_goes_through_the_base_path() -> None:
    for path in TEMPLATES.rglob("*.html"):
        found = re.search(r'\b(?:href|src|action|formaction|hx-get|hx-post)="/', path.read_text("utf-8"))
        assert found is None, path.name


def test_licences_of_what_is_not_ours_lie_beside_it() -> None:
    assert "SIL OPEN FONT LICENSE" in (STATIC / "fonts" / "OFL.txt").read_text("utf-8").upper()
    assert (STATIC / "vendor" / "htmx" / "LICENSE").read_text("utf-8").strip()
