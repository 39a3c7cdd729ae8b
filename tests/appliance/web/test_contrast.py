"""Colours are measured, not guessed: WCAG 2.2 contrast of the tokens in every theme."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

import appliance.web

CSS = (Path(appliance.web.__file__).parent / "static/tokens.css").read_text("utf-8")
VERDICTS = ("accept", "review", "hold", "info", "off_list", "waiting")
Colour = tuple[float, float, float]


def _block(selector: str) -> dict[str, str]:
    body = re.search(re.escape(selector) + r" \{(.*?)\n?\}", CSS, re.DOTALL)
    assert body is not None
    return dict(re.findall(r"(--[\w-]+):\s*([^;]+);", body.group(1)))


def _themes() -> dict[str, dict[str, str]]:
    root = _block(":root")
    warehouse = root | _block(':root[data-theme="warehouse"]')
    return {"light": root, "dark": root, "warehouse": warehouse}


def _oklch(theme: str, name: str) -> Colour:
    """A token's L, C, hue in degrees; `light-dark` and `var` are followed."""
    value = _themes()[theme][name].strip()
    if value.startswith("var("):
        return _oklch(theme, value[4:-1])
    triples = re.findall(r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)", value)
    chosen = triples[0 if theme == "light" or len(triples) == 1 else 1]
    return (float(chosen[0]), float(chosen[1]), float(chosen[2]))


def _luminance(colour: Colour) -> float:
    """Relative luminance, clipped to sRGB (Ottosson's OKLab matrices; WCAG 2.2)."""
    light, chroma, hue = colour
    a = chroma * math.cos(math.radians(hue))
    b = chroma * math.sin(math.radians(hue))
    l_ = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m_ = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s_ = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * l_ - 3.3077115913 * m_ + 0.2309699292 * s_,
        -1.2684380046 * l_ + 2.6097574011 * m_ - 0.3413193965 * s_,
        -0.0041960863 * l_ - 0.7034186147 * m_ + 1.7076147010 * s_,
    )
    red, green, blue = (min(1.0, max(0.0, part)) for part in linear)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(theme: str, one: str, other: str) -> float:
    first, second = sorted((_luminance(_oklch(theme, one)), _luminance(_oklch(theme, other))))
    return (second + 0.05) / (first + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark", "warehouse"])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verdict_word_stands_out_seven_to_one(theme: str, verdict: str) -> None:
    assert contrast(theme, f"--{verdict}-on", f"--{verdict}-fill") >= 7


@pytest.mark.parametrize("theme", ["light", "dark", "warehouse"])
@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_badge_is_readable_on_its_tint_and_on_the_page(theme: str, verdict: str) -> None:
    for ground in (f"--{verdict}-tint", "--surface", "--ground"):
        assert contrast(theme, f"--{verdict}-ink", ground) >= 4.5, ground


@pytest.mark.parametrize("theme", ["light", "dark", "warehouse"])
def test_text_is_readable_everywhere(theme: str) -> None:
    for ground in ("--ground", "--surface", "--sunk"):
        assert contrast(theme, "--ink", ground) >= 7, ground
        assert contrast(theme, "--ink-soft", ground) >= 4.5, ground
    for level in ("fine", "month", "week", "gone"):
        assert contrast(theme, f"--{level}-ink", "--surface") >= 4.5, level
    assert contrast(theme, "--bar-soft", "--bar-here") >= 4.5
    assert contrast(theme, "--line-strong", "--surface") >= 3


def test_warehouse_dark_has_no_pure_white() -> None:
    lights = [
        float(value)
        for value in re.findall(r"oklch\(([\d.]+)", str(_block(':root[data-theme="warehouse"]')))
    ]
    assert max(lights) < 0.96
