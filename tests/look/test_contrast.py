"""The contrast of every pair of colours that the design promises, worked out again from the tokens."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "static" / "css" / "tokens.css").read_text("utf-8")
COLOUR = r"oklch\(\s*[\d.]+\s+[\d.]+\s+[\d.]+(?:\s*/\s*[\d.]+)?\s*\)"
SURFACES = ("--bg", "--surface-1", "--surface-2", "--surface-3")
STATES = ("--ok", "--wait", "--work", "--bad", "--off")

Colour = tuple[float, float, float, float]  # linear red, green, blue and opacity


def read(text: str) -> Colour:
    """`oklch(.5 .1 200 / .2)` as linear sRGB, cut to what a screen shows."""
    numbers = [float(part) for part in re.findall(r"[\d.]+", text)]
    lightness, chroma, hue = numbers[:3]
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    return (*(min(1.0, max(0.0, part)) for part in (red, green, blue)), numbers[3] if len(numbers) > 3 else 1.0)  # type: ignore[return-value]


def encode(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def decode(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def over(top: Colour, below: Colour) -> Colour:
    """`top` laid on `below`, mixed as browsers do: in encoded sRGB."""
    share = top[3]
    mixed = (decode(share * encode(t) + (1 - share) * encode(b)) for t, b in zip(top[:3], below[:3], strict=True))
    return (*mixed, 1.0)  # type: ignore[return-value]


def luminance(colour: Colour) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def contrast(one: Colour, other: Colour) -> float:
    """By WCAG: 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def tokens(theme: str) -> dict[str, Colour]:
    """Every colour of `dark` or `light` by its name."""
    pairs = re.findall(rf"(--[\w-]+):\s*light-dark\(\s*({COLOUR})\s*,\s*({COLOUR})\s*\)", TOKENS)
    return {name: read(light if theme == "light" else dark) for name, light, dark in pairs}


THEMES = {theme: tokens(theme) for theme in ("dark", "light")}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("surface", SURFACES)
def test_words_can_be_read_on_every_surface(theme: str, surface: str) -> None:
    colours = THEMES[theme]
    for text in ("--text", "--text-2", "--text-3", *STATES):
        assert contrast(colours[text], colours[surface]) >= 4.5, f"{text} on {surface}"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("state", STATES)
def test_a_state_can_be_read_on_its_own_tint(theme: str, state: str) -> None:
    colours = THEMES[theme]
    for surface in ("--bg", "--surface-1"):
        tint = over(colours[f"{state}-soft"], colours[surface])
        assert contrast(colours[state], tint) >= 4.5, f"{state} on its tint over {surface}"


@pytest.mark.parametrize("theme", THEMES)
def test_the_main_button_and_links_can_be_read(theme: str) -> None:
    colours = THEMES[theme]
    assert contrast(colours["--on-accent"], colours["--accent"]) >= 4.5
    for surface in SURFACES:
        assert contrast(colours["--accent-text"], colours[surface]) >= 4.5, surface
    current = over(colours["--accent-soft"], colours["--bg"])
    assert contrast(colours["--accent-text"], current) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_rings_and_borders_of_controls_can_be_seen(theme: str) -> None:
    colours = THEMES[theme]
    for surface in SURFACES:
        assert contrast(colours["--accent"], colours[surface]) >= 3, surface
    for surface in SURFACES[:3]:
        assert contrast(colours["--line-strong"], colours[surface]) >= 3, surface


def test_old_browsers_get_the_same_dark_colours() -> None:
    first = TOKENS.split("@supports")[0]
    plain = {name: read(value) for name, value in re.findall(rf"(--[\w-]+):\s*({COLOUR})\s*;", first)}
    for name, colour in THEMES["dark"].items():
        if name in plain:
            assert plain[name] == pytest.approx(colour), name
    assert len(plain) > 20
