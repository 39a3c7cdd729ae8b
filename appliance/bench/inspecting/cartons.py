"""Made cartons on a belt, whole and damaged, as a label camera above sees them.

Drawn from numbers, not photographed: a brown board with its supplier's print and tape, a label that
is another one on each carton, another place, turn and light for each. What is done to them is
drawn on the side before it is laid on the belt, except what changes its outline.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

DAMAGES = ("crushed", "torn", "wet", "opened", "changed")
SIDE_PX = (720, 540)
LABEL_PX = (430, 300, 230, 190)
"""x, y, width, height of the label on the side."""
Picture = NDArray[np.uint8]
Plane = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Print:
    """A supplier's own print: `seed` draws it; a `plain` board has tape and label only."""

    seed: int
    plain: bool = False


def side_of(supplier: Print, seed: int, *, damage: str = "") -> tuple[Picture, Picture]:
    """The side (h, w, 3) BGR and its silhouette (h, w) u8 of carton `seed`."""
    random = np.random.default_rng((supplier.seed, seed))
    width, height = SIDE_PX
    board = _board(random, width, height)
    if not supplier.plain:
        _print(board, np.random.default_rng(supplier.seed))
    _tape(board, random)
    _label(board, random)
    solid = np.full((height, width), 255, np.uint8)
    draw = {"torn": _torn, "wet": _wet, "opened": _retaped, "changed": _written}
    if damage == "crushed":
        _crushed(board, solid, random)
    elif damage:
        draw[damage](board, random)
    return np.clip(board, 0, 255).astype(np.uint8), solid


def on_belt(
    side: Picture, solid: Picture, seed: int, *, size: tuple[int, int] = (1280, 960)
) -> Picture:
    """The camera's frame (h, w, 3): the side laid somewhere near the middle, lit its own way."""
    random = np.random.default_rng((7, seed))
    width, height = size
    scale = width / 1280 * random.uniform(0.97, 1.03)
    turn = random.uniform(-6, 6)
    high, wide = side.shape[:2]
    centre = (
        width / 2 + random.uniform(-0.05, 0.05) * width,
        height / 2 + random.uniform(-0.05, 0.05) * height,
    )
    matrix = np.vstack([cv2.getRotationMatrix2D((wide / 2, high / 2), turn, scale), [0, 0, 1]])
    matrix[:2, 2] += np.array(centre) - (wide / 2, high / 2)
    matrix[2, :2] = random.uniform(-4e-5, 4e-5, 2)
    belt = 52 + random.normal(0, 4, (height, width, 1)) + np.zeros((1, 1, 3))
    flags = cv2.INTER_AREA
    carton = cv2.warpPerspective(side, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    there = cv2.warpPerspective(solid, matrix, size, flags=cv2.INTER_LINEAR)[:, :, None] / 255.0
    shadow = cv2.GaussianBlur(np.asarray(there[:, :, 0], np.float64), (0, 0), 14)[:, :, None]
    frame = carton * there + belt * (1 - 0.35 * shadow) * (1 - there)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = random.uniform(0.9, 1.1) * (
        1 + random.uniform(-0.08, 0.08) * x + random.uniform(-0.08, 0.08) * y
    )
    lit = np.asarray(frame * light[:, :, None], np.float64)
    soft = cv2.GaussianBlur(lit, (0, 0), random.uniform(0.5, 0.9))
    frame = soft + random.normal(0, 2.5, frame.shape)
    return np.asarray(np.clip(frame, 0, 255), np.uint8)


def frame_of(
    supplier: Print, seed: int, *, damage: str = "", size: tuple[int, int] = (1280, 960)
) -> Picture:
    """A carton of the supplier on the belt."""
    return on_belt(*side_of(supplier, seed, damage=damage), seed, size=size)


def _board(random: np.random.Generator, width: int, height: int) -> Plane:
    """Corrugated brown board with its own clouds and flutes."""
    clouds = cv2.GaussianBlur(random.normal(0, 1, (height, width)), (0, 0), 18)
    clouds *= 3.0 / clouds.std()
    flutes = 1.5 * np.sin(np.arange(width) * 2 * np.pi / 9 + random.uniform(0, 6))[None, :]
    grain = random.normal(0, 5, (height, width))
    tone = clouds + flutes + grain
    return np.array([105.0, 150.0, 188.0]) + tone[:, :, None] + random.normal(0, 2, 3)


def _write(
    board: Plane, text: str, at: tuple[int, int], size: float, ink: tuple[float, ...], thick: int
) -> None:
    drawn = np.zeros(board.shape[:2], np.uint8)
    cv2.putText(drawn, text, at, cv2.FONT_HERSHEY_DUPLEX, size, 255, thick, cv2.LINE_AA)
    share = drawn[:, :, None] / 255.0
    board[:] = board * (1 - share) + np.array(ink) * share


def _print(board: Plane, random: np.random.Generator) -> None:
    ink = tuple(float(v) for v in random.choice([(60, 60, 160), (70, 60, 50), (60, 110, 50)]))
    words = ["FRAGILE", "ACME FOODS", "KEEP DRY", "24 x 500 ML", "THIS SIDE UP"]
    for n, word in enumerate(random.permutation(words)[:4]):
        at = (int(random.integers(20, 120)), 80 + 120 * n)
        _write(board, str(word), at, 1.4, ink, 4)
    for n in range(3):
        cv2.rectangle(board, (540 + 50 * n, 40), (575 + 50 * n, 95), ink, 4, cv2.LINE_AA)
        cv2.line(board, (557 + 50 * n, 85), (557 + 50 * n, 55), ink, 3, cv2.LINE_AA)


def _tape(board: Plane, random: np.random.Generator) -> None:
    """Along the middle, over the flaps' line, a little aside on each carton."""
    height = board.shape[0]
    y = height // 2 + int(random.integers(-4, 5))
    board[y - 1 : y + 1] *= 0.6
    top, bottom = y - 28, y + 28
    board[top:bottom] = board[top:bottom] * 0.7 + np.array([150.0, 178.0, 196.0]) * 0.3
    board[top : top + 2] *= 0.9
    board[bottom - 2 : bottom] *= 0.9


def _label(board: Plane, random: np.random.Generator) -> None:
    x, y, width, height = LABEL_PX
    x, y = x + int(random.integers(-6, 7)), y + int(random.integers(-6, 7))
    board[y : y + height, x : x + width] = 232 + random.normal(0, 2, (height, width, 1))
    for n in range(4):
        text = "".join(random.choice(list("0123456789ABCDEF"), 11))
        at = (x + 10, y + 30 + 28 * n)
        _write(board, text, at, 0.8, (30.0, 30.0, 30.0), 2)
    at_x = x + 12
    while at_x < x + width - 16:
        bar = int(random.integers(2, 6))
        board[y + 130 : y + 180, at_x : at_x + bar] = 30
        at_x += bar + int(random.integers(2, 6))


def _free_place(random: np.random.Generator) -> tuple[int, int]:
    """Somewhere beside the label."""
    width, height = SIDE_PX
    while True:
        x, y = int(random.integers(90, width - 90)), int(random.integers(80, height - 80))
        left, top, wide, high = LABEL_PX
        if not (left - 60 < x < left + wide + 60 and top - 60 < y < top + high + 60):
            return x, y


def _blob(
    random: np.random.Generator, shape: tuple[int, int], radius: float, rough: float
) -> Plane:
    """(h, w) in 0..1: a ragged patch at a free place."""
    x, y = _free_place(random)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    reach = radius * np.clip(1 + rough * random.normal(0, 1, len(angles)), 0.3, 2.0)
    points = np.stack([x + reach * np.cos(angles), y + 0.7 * reach * np.sin(angles)], axis=1)
    mask = np.zeros(shape, np.float64)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1.0, cv2.LINE_AA)
    return mask


def _torn(board: Plane, random: np.random.Generator) -> None:
    """A hole into the dark, with the pale core of the board along its edge."""
    shape = board.shape[:2]
    hole = _blob(random, shape, random.uniform(22, 40), 0.35)
    edge = cv2.dilate(hole, np.ones((9, 9), np.uint8)) - hole
    board[:] = board * (1 - edge[:, :, None]) + np.array([150.0, 185.0, 210.0]) * edge[:, :, None]
    board[:] = board * (1 - hole[:, :, None]) + 28.0 * hole[:, :, None]


def _wet(board: Plane, random: np.random.Generator) -> None:
    """A soft dark stain; the print shows through."""
    stain = _blob(random, board.shape[:2], random.uniform(70, 120), 0.12)
    stain = np.asarray(cv2.GaussianBlur(stain, (0, 0), 10), np.float64)
    board *= 1 - random.uniform(0.22, 0.4) * stain[:, :, None]


def _retaped(board: Plane, random: np.random.Generator) -> None:
    """Another strip of tape over the board, or the first one gone and the flaps apart."""
    height, width = board.shape[:2]
    if random.integers(2):
        y = height // 2 + int(random.integers(-4, 5))
        gap = int(random.integers(5, 12))
        board[y - gap : y + gap] = 35
        return
    x, y = _free_place(random)
    box = cv2.boxPoints(
        (
            (float(x), float(y)),
            (float(random.uniform(230, 330)), 52.0),
            float(random.uniform(0, 180)),
        )
    )
    strip = np.zeros((height, width), np.float64)
    cv2.fillPoly(strip, [np.rint(box).astype(np.int32)], 1.0, cv2.LINE_AA)
    tape = np.array(random.choice([(165, 190, 205), (70, 110, 150)]), np.float64)
    board[:] = board * (1 - 0.6 * strip[:, :, None]) + tape * 0.6 * strip[:, :, None]


def _written(board: Plane, random: np.random.Generator) -> None:
    """Somebody's pen."""
    x, y = _free_place(random)
    steps = np.cumsum(random.normal(0, 14, (14, 2)) + np.array([6.0, 0.0]), axis=0)
    points = np.rint(steps + np.array([x - 40, y])).astype(np.int32)
    cv2.polylines(
        board, [points], isClosed=False, color=(140, 60, 40), thickness=5, lineType=cv2.LINE_AA
    )


def _crushed(board: Plane, solid: Picture, random: np.random.Generator) -> None:
    """A corner or an edge pushed in, with creases running from it."""
    height, width = solid.shape
    deep = int(random.integers(45, 90))
    if random.integers(2):
        corner = np.array([(0, 0), (deep * 2, 0), (0, deep * 2)])
        flip = random.integers(0, 2, 2)
        points = np.abs(corner - flip * (width - 1, height - 1))
        tip = points[1:].mean(axis=0)
    else:
        middle = int(random.integers(width // 4, 3 * width // 4))
        low = (height - 1) * int(random.integers(0, 2))
        inside = abs(low - deep)
        points = np.array([(middle - 2 * deep, low), (middle + 2 * deep, low), (middle, inside)])
        tip = points[2].astype(np.float64)
    cv2.fillPoly(solid, [points.astype(np.int32)], 0)
    for _ in range(3):
        towards = (
            tip
            + (np.array([width / 2, height / 2]) - tip) * random.uniform(0.2, 0.5)
            + random.normal(0, 40, 2)
        )
        ends = [tuple(int(v) for v in point) for point in (tip, towards)]
        crease = np.zeros((height, width), np.float64)
        cv2.line(crease, ends[0], ends[1], 1.0, 5, cv2.LINE_AA)
        soft = cv2.GaussianBlur(crease, (0, 0), 3)
        board *= 1 - 0.35 * soft[:, :, None]
