"""Codes that print heads spray on cartons: two to four rows of dots."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.recipes.label_reader.frames.goods import Lot
from models.recipes.label_reader.frames.heads import Habit, Head, print_row
from models.recipes.label_reader.frames.labels import pick_date_pattern, write_date
from models.recipes.label_reader.frames.profiles import Profile
from models.recipes.label_reader.frames.sheet import Box, Item

Ink = NDArray[np.uint8]
WIDEST = 1060.0


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """`ink` as it left the head, `soaked` as the board took it, both (h, w) over the face."""

    ink: Ink
    soaked: Ink
    items: tuple[Item, ...]
    box: Box
    head: str
    colour: tuple[float, float, float]
    strength: float


def draw_code(lot: Lot, profile: Profile, shape: tuple[int, int], rng: np.random.Generator) -> Code:
    """The rows of one carton, somewhere on a face of `shape`."""
    rows = _rows(lot, profile, rng)
    head = profile.heads[int(rng.integers(0, len(profile.heads)))]
    longest = max(len(text) for _, text in rows) * head.advance
    tall = float(rng.uniform(33, 50))
    pitch_y = tall / (head.height - 1)
    pitch_x = min(pitch_y * float(rng.uniform(0.85, 1.25)), WIDEST / longest)
    habit = _habit(head, pitch_x, pitch_y, rng)
    zero = str(rng.choice(profile.zeros))
    spacing = tall * float(rng.uniform(1.35, 1.75))
    height, width = shape
    room_x = max(1.0, width - 60 - longest * pitch_x)
    room_y = max(1.0, height - 80 - spacing * len(rows))
    left, top = 30 + float(rng.uniform(0, room_x)), 40 + float(rng.uniform(0, room_y))
    ink = np.zeros(shape, dtype=np.uint8)
    items = []
    for place, (name, text) in enumerate(rows):
        start = left + float(rng.normal(0, 1.5))
        box = print_row(ink, text, (start, top + place * spacing), head, habit, zero, rng)
        items.append(Item("text", name, text, (box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2)))
    boxes = np.array([item.box for item in items])
    whole = (*(boxes[:, :2].min(axis=0) - 24), *(boxes[:, 2:].max(axis=0) + 24))
    soaked = cv2.GaussianBlur(ink, (0, 0), float(rng.uniform(0.5, 1.0)))
    patchy = cv2.resize(
        rng.uniform(0.8, 1.0, (shape[0] // 9, shape[1] // 9)).astype(np.float32),
        (shape[1], shape[0]),
    )
    soaked = cv2.multiply(soaked, patchy, dtype=cv2.CV_8U)
    colour = profile.inks[int(rng.integers(0, len(profile.inks)))]
    return Code(
        ink,
        soaked.astype(np.uint8),
        tuple(items),
        (float(whole[0]), float(whole[1]), float(whole[2]), float(whole[3])),
        head.name + ("" if zero == "plain" else f" {zero}"),
        (float(colour[0]), float(colour[1]), float(colour[2])),
        float(rng.uniform(0.82, 0.98)),
    )


def _rows(lot: Lot, profile: Profile, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Batch and expiry always; production date and GTIN where there is room."""
    pattern = pick_date_pattern(profile.dot_dates, (lot.expiry, lot.made), rng, chinese=False)
    values = {
        "batch": lot.batch,
        "expiry": write_date(lot.expiry, pattern),
        "mfg": write_date(lot.made, pattern),
        "gtin": lot.product.gtin,
    }
    names = ["batch", "expiry"]
    names += [name for name in ("mfg", "gtin") if rng.random() < 0.5]
    if rng.random() < 0.4:
        names[0], names[1] = names[1], names[0]
    if rng.random() < 0.25:
        rng.shuffle(names)
    rows = []
    for name in names:
        caption = str(rng.choice(profile.dot_captions[name]))
        gap = "" if caption.endswith(":") and rng.random() < 0.4 else " "
        rows.append((name, (caption + gap if caption else "") + values[name]))
    return rows


def _habit(head: Head, pitch_x: float, pitch_y: float, rng: np.random.Generator) -> Habit:
    if head.thermal:
        dead = tuple(int(r) for r in range(head.height) if rng.random() < 0.06)
        return Habit(pitch_x, pitch_y, float(rng.uniform(0.52, 0.62)), 0.04, 0.0, 0.0, 0.002, dead)
    fine = head.rows > 10
    return Habit(
        pitch_x,
        pitch_y,
        float(rng.uniform(0.46, 0.62) if fine else rng.uniform(0.34, 0.52)),
        float(rng.uniform(0.03, 0.10)),
        float(rng.choice((0.0, 0.0, 0.5, 1.0, -0.5))),
        float(rng.uniform(0, 0.25)),
        float(rng.choice((0.0, 0.01, 0.02, 0.03))),
    )
