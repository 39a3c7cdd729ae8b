"""What a label says, and that it is laid out so that all of it can be read."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType

import numpy as np

from models.recipes.label_reader.frames.faces import Face, Pool
from models.recipes.label_reader.frames.goods import Lot
from models.recipes.label_reader.frames.layouts import FIELDS, LAYOUTS, Copy
from models.recipes.label_reader.frames.profiles import Profile
from models.recipes.label_reader.frames.sheet import Box, Sheet

TALLEST, WIDEST = 780, 1100
FACES_TRIED = 20


def write_date(value: date, pattern: str) -> str:
    return value.strftime(pattern).upper()


def pick_date_pattern(patterns: tuple[str, ...], values: tuple[date, ...], rng: np.random.Generator, *, chinese: bool) -> str:  # fmt: skip
    """A pattern for all of a label's dates; one marked `!` only where every day is past 12."""
    fitting = [
        pattern
        for pattern in patterns
        if (chinese or pattern.isascii())
        and (not pattern.startswith("!") or all(v.day > 12 for v in values))
    ]
    return str(rng.choice(fitting)).lstrip("!")


def write_copy(lot: Lot, profile: Profile, rng: np.random.Generator, *, chinese: bool) -> Copy:
    """Words, date form and symbol as one printer would set them up."""
    pattern = pick_date_pattern(profile.dates, (lot.expiry, lot.made), rng, chinese=chinese)
    captions = {
        name: str(rng.choice([w for w in profile.captions[name] if chinese or w.isascii()]))
        for name in FIELDS
    }
    values = {
        "gtin": lot.product.gtin,
        "batch": lot.batch,
        "expiry": write_date(lot.expiry, pattern),
        "mfg": write_date(lot.made, pattern),
        "sku": f"{rng.choice(('K', 'RT', 'WX', 'D'))}-{int(rng.integers(1000, 99999))}",
        "qty": str(int(rng.choice((4, 6, 8, 10, 12, 20, 24, 30, 40, 48, 60)))),
    }
    made = f"(11){lot.made:%y%m%d}" if profile.name == "second" and rng.random() < 0.3 else ""
    element = f"(01){lot.product.gtin}{made}(17){lot.expiry:%y%m%d}(10){lot.batch}"
    spaced = profile.name == "second" and rng.random() < 0.4
    return Copy(
        lot,
        MappingProxyType(captions),
        MappingProxyType(values),
        str(rng.choice(profile.separators)),
        element,
        element[:4] + element[4:].replace("(", " (") if spaced else element,
        str(rng.choice(profile.symbologies)),
        chinese,
    )


def draw_label(copy: Copy, profile: Profile, pool: Pool, rng: np.random.Generator) -> tuple[Sheet, str]:  # fmt: skip
    """A label of about 900 x 600 px, and the name of its layout."""
    for _ in range(FACES_TRIED):
        name = str(rng.choice(profile.layouts))
        face = Face.pick(pool, rng)
        width, height = int(rng.integers(800, 950)), int(rng.integers(520, 620))
        while width < WIDEST or height < TALLEST:
            sheet = Sheet(width, height, face)
            LAYOUTS[name](sheet, copy, rng)
            if fits(sheet):
                return sheet, name
            height, width = min(TALLEST, height + 40), min(WIDEST, width + 30)
    raise AssertionError(f"no layout fits {copy.element}")


def fits(sheet: Sheet) -> bool:
    """Nothing stands over the edge or over another thing, and all of it can be read."""
    boxes = [item.box for item in sheet.items]
    inside = all(
        b[0] >= 4 and b[1] >= 0 and b[2] <= sheet.width - 4 and b[3] <= sheet.height - 2
        for b in boxes
    )
    return (
        not sheet.cramped
        and inside
        and not any(overlaps(a, b) for place, a in enumerate(boxes) for b in boxes[place + 1 :])
    )


def overlaps(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
