"""One frame and its truth: a carton of the delivery, printed, damaged and photographed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.recipes.label_reader.frames import damage, surfaces
from models.recipes.label_reader.frames.faces import Pool
from models.recipes.label_reader.frames.goods import Delivery, Lot
from models.recipes.label_reader.frames.inkjet import Code, draw_code
from models.recipes.label_reader.frames.labels import draw_label, write_copy
from models.recipes.label_reader.frames.profiles import Profile
from models.recipes.label_reader.frames.scene import Light, photograph, pick_pose
from models.recipes.label_reader.frames.sheet import CODES, Box, Item

Picture = NDArray[np.uint8]
Ink = NDArray[np.uint8]
LEVELS = (0.0, 0.1, 0.2, 0.3, 0.4)
CRITICAL = ("batch", "expiry", "gtin")


@dataclass(frozen=True, slots=True)
class Plan:
    """What frame `index` is to show; kinds, levels and strangers are spread evenly."""

    index: int
    kind: str
    level: float
    on_asn: bool

    @classmethod
    def of(cls, index: int) -> Plan:
        """Eleven of eighteen are labels, one of eight is not announced, each level is a fifth."""
        turn = index // len(LEVELS)
        kind = "label" if turn * 7 % 18 < 11 else "inkjet"
        place = index % len(LEVELS)
        return cls(index, kind, LEVELS[place], (turn + 3 * place) % 8 != 3)


@dataclass(frozen=True, slots=True)
class Print:
    """A print on a face: `ink` (h, w) over the whole face, items in the face's pixels, the box
    of the whole print, and what its truth says beside.
    """

    ink: Ink
    items: tuple[Item, ...]
    box: Box
    said: dict[str, Any]


def render(
    plan: Plan, profile: Profile, goods: Delivery, pool: Pool, seed: int
) -> tuple[Picture, dict[str, Any]]:
    """(960, 1280, 3) uint8 BGR and the frame's entry in truth.json. The same arguments give the
    same frame, whatever was rendered before.
    """
    rng = np.random.default_rng([seed, 2, plan.index])
    lots = goods.announced if plan.on_asn or not goods.beside else goods.beside
    lot = lots[int(rng.integers(0, len(lots)))]
    surface = str(rng.choice(profile.surfaces))
    face = surfaces.cut(surface, rng)
    _edges(face)
    make = _label if plan.kind == "label" else _inkjet
    printed = make(face, lot, profile, pool, rng)
    kinds = _kinds(profile, plan.level, rng)
    boxes = [item.box for item in printed.items if item.name in CODES]
    harm = damage.strike(boxes, face.shape[:2], plan.level, kinds, rng)
    blank = printed.said.pop("blank")
    damage.apply(face, blank, surfaces.cut(surface, rng), harm, rng)
    light = Light(
        float(rng.choice(profile.contrasts)),
        int(rng.choice(profile.motions)),
        float(rng.choice(profile.wrinkles)),
    )
    shown = np.array([corner for item in printed.items for corner in _corners(item.box)])
    pose = pick_pose(shown, light.wrinkle, profile.turn_degrees, rng)
    under = surfaces.ground(str(rng.choice(profile.grounds)), rng)
    picture = photograph(face, under, pose, light, rng)
    names = {item.name for item in printed.items}
    truth = {
        "file": f"{profile.prefix}_{plan.index:05d}.jpg",
        "kind": plan.kind,
        "damage": plan.level or 0,
        "on_asn": plan.on_asn,
        "critical": [name for name in CRITICAL if name in names],
        "fields": {
            "gtin": lot.product.gtin,
            "batch": lot.batch,
            "expiry": lot.expiry.isoformat(),
        },
        "mfg": lot.made.isoformat(),
        "product": [lot.product.name_cn, lot.product.name_en],
        **printed.said,
        "surface": surface,
        "damage_kinds": sorted(harm.masks),
        "coverage": round(harm.coverage, 3),
        "contrast": light.contrast,
        "motion": light.motion,
        "wrinkle": light.wrinkle,
        "label_quad": _rounded(pose.to_camera(np.array(_corners(printed.box)))),
        "items": [
            {
                "kind": item.kind,
                "name": item.name,
                "text": item.text,
                "quad": _rounded(pose.to_camera(np.array(_corners(item.box)))),
                "destroyed": round(damage.destroyed(printed.ink, harm.gone, item.box), 3),
            }
            for item in printed.items
        ],
    }
    return picture, truth


def _kinds(profile: Profile, level: float, rng: np.random.Generator) -> tuple[str, ...]:
    if not level:
        return ()
    count = int(rng.choice((1, 2, 3), p=(0.35, 0.45, 0.2)))
    return tuple(str(k) for k in rng.choice(profile.damages, count, replace=False))


def _label(face: Picture, lot: Lot, profile: Profile, pool: Pool, rng: np.random.Generator) -> Print:  # fmt: skip
    copy = write_copy(lot, profile, rng, chinese=bool(pool.chinese))
    sheet, layout = draw_label(copy, profile, pool, rng)
    height, width = face.shape[:2]
    left = int(rng.integers(20, width - sheet.width - 19))
    top = int(rng.integers(20, height - sheet.height - 19))
    window = (slice(top, top + sheet.height), slice(left, left + sheet.width))
    paper = face[window]
    white = float(rng.uniform(228, 250))
    fibre = cv2.resize(
        rng.normal(0, 1.4, (sheet.height // 3 + 1, sheet.width // 3 + 1)).astype(np.float32),
        (sheet.width, sheet.height),
    )
    sheen = np.clip(white + fibre, 0, 255).astype(np.uint8)
    warm = np.full_like(sheen, int(rng.integers(0, 4)))
    paper[:] = cv2.merge([sheen, sheen, cv2.add(sheen, warm)])
    cv2.rectangle(face, (left - 1, top - 1), (left + sheet.width, top + sheet.height), (150, 155, 158), 1)  # fmt: skip
    blank = face.copy()
    flat = sheet.ink()
    ink = np.zeros(face.shape[:2], dtype=np.uint8)
    ink[window] = flat
    dark = float(rng.uniform(18, 60))
    _lay(face, window, flat, (dark, dark, dark), 1.0)
    items = tuple(
        Item(item.kind, item.name, item.text, _moved(item.box, left, top)) for item in sheet.items
    )
    said = {
        "symbology": copy.symbology,
        "layout": layout,
        "sku": copy.values["sku"],
        "qty": copy.values["qty"],
        "blank": blank,
    }
    return Print(ink, items, (left, top, left + sheet.width, top + sheet.height), said)


def _inkjet(face: Picture, lot: Lot, profile: Profile, pool: Pool, rng: np.random.Generator) -> Print:  # fmt: skip
    del pool
    code: Code = draw_code(lot, profile, face.shape[:2], rng)
    blank = face.copy()
    everywhere = (slice(0, face.shape[0]), slice(0, face.shape[1]))
    _lay(face, everywhere, code.soaked, code.colour, code.strength)
    return Print(code.ink, code.items, code.box, {"head": code.head, "blank": blank})


def _lay(face: Picture, window: tuple[slice, slice], ink: Ink, colour: tuple[float, float, float], strength: float) -> None:  # fmt: skip
    """Ink over what is there, in place; only where there is ink."""
    x, y, width, height = cv2.boundingRect(ink)
    inner = (slice(y, y + height), slice(x, x + width))
    part = face[window][inner]
    weight = cv2.merge([ink[inner].astype(np.float32) * (strength / 255)] * 3)
    under = part.astype(np.float32)
    part[:] = (under + (np.array(colour, dtype=np.float32) - under) * weight).astype(np.uint8)


def _edges(face: Picture) -> None:
    height, width = face.shape[:2]
    cv2.rectangle(face, (0, 0), (width - 1, height - 1), (70, 84, 96), 3)
    cv2.line(face, (3, 3), (width - 4, 3), (150, 176, 196), 2)


def _corners(box: Box) -> tuple[tuple[float, float], ...]:
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _moved(box: Box, right: float, down: float) -> Box:
    return box[0] + right, box[1] + down, box[2] + right, box[3] + down


def _rounded(points: NDArray[np.float64]) -> list[list[float]]:
    return [[round(float(x), 1), round(float(y), 1)] for x, y in points]
