"""A film of a shelf, with where every code stands in every frame.

    film = Film(Plan(goods(12, seed=1), columns=4, rows=3, motion=MOTIONS["walk"]))
    film.picture(7)   # grey, (720, 1280)
    film.truth(7)     # what a perfect reader would find in it

A plane with labels is drawn once at twice the picture's scale; a frame is that plane under a
homography, box-filtered down, blurred by lens and exposure, with noise and the frame's number.
All coordinates are canvas coordinates in pixels: the first pixel covers 0..1, y points down. A
quad's corners are top left, top right, bottom right, bottom left as the code is read, of the dark
modules without the quiet zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.bench.shelf.film import number as frame_number
from appliance.bench.shelf.film.codes import Code
from appliance.bench.shelf.film.motion import STILL, Motion, pose, through
from appliance.bench.shelf.film.plane import MARGIN, SCALE, Grid, Plane

Picture = NDArray[np.uint8]
"""(height, width), grey"""

WIDTH, HEIGHT = 1280, 720
_HIDDEN_FRAMES = 6
"""Before and after goods change their place: somebody's hand is in front of them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a film shows. The same plan gives the same film."""

    acts: tuple[tuple[Code, ...], ...]
    """What lies in the places, row by row; a later act puts other codes there."""
    columns: int = 4
    rows: int = 3
    module_px: float = 2.0
    motion: Motion = STILL
    frames: int = 300
    fps: int = 30
    blur_px: float = 0.35
    """Standard deviation of the lens."""
    exposure_s: float = 0.006
    noise: float = 3.0
    """Standard deviation, of 255."""
    light: float = 0.15
    """By how much the light differs over the picture and the time, of one."""
    spoilt: frozenset[int] = field(default_factory=frozenset)
    """Places whose code nobody can read any more."""
    seed: int = 1
    size: tuple[int, int] = (WIDTH, HEIGHT)
    """Of the picture: (width, height) in pixels. A phone held upright gives upright frames."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One code in one frame. `whole`: all of it and its quiet zone are in the picture, and nothing
    covers it. `readable`: it is not spoilt. `hidden`: a hand is in front of it.
    """

    place: int
    code: Code
    quad: NDArray[np.float64]
    """(4, 2)"""
    whole: bool
    readable: bool = True
    hidden: bool = False

    @property
    def anchor(self) -> NDArray[np.float64]:
        """The mean of its corners, (2,)."""
        middle: NDArray[np.float64] = self.quad.mean(axis=0)
        return middle


class Film:
    """Frames on demand, in any order."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        grid = Grid(plan.columns, plan.rows, plan.size)
        self._planes = [
            Plane(act, grid, plan.module_px, plan.spoilt, plan.seed) for act in plan.acts
        ]
        random = np.random.default_rng(plan.seed)
        width, height = plan.size
        field_of = random.normal(0, plan.noise, (height + 64, width + 64))
        self._brighter = np.clip(field_of, 0, 255).astype(np.uint8)
        self._darker = np.clip(-field_of, 0, 255).astype(np.uint8)

    def __len__(self) -> int:
        return self.plan.frames

    @property
    def seconds(self) -> float:
        return self.plan.frames / self.plan.fps

    def homography(self, number: int, *, later_s: float = 0.0) -> NDArray[np.float64]:
        """Plane to picture in that frame, (3, 3)."""
        at = number / self.plan.fps + later_s
        return pose(
            self.plan.motion,
            at,
            seconds=self.seconds,
            size=self.plan.size,
            seed=self.plan.seed,
        )

    def picture(self, number: int) -> Picture:
        """The frame as a camera gives it, with its number."""
        plan, plane = self.plan, self._planes[self._act(number)]
        to_picture = _samples(self.homography(number), 2.0, (0.0, 0.0))
        doubled = cv2.warpPerspective(
            plane.picture,
            to_picture @ np.linalg.inv(_samples(np.eye(3), SCALE, MARGIN)),
            (2 * plan.size[0], 2 * plan.size[1]),
            borderMode=cv2.BORDER_REPLICATE,
        )
        grey = cast("Picture", cv2.resize(doubled, plan.size, interpolation=cv2.INTER_AREA))
        self._hide(grey, number)
        if plan.blur_px:
            grey = cast("Picture", cv2.GaussianBlur(grey, (0, 0), plan.blur_px))
        grey = self._exposed(grey, number)
        picture = self._noisy(self._lit(grey, number), number)
        frame_number.write(picture, number)
        return picture

    def truth(self, number: int) -> list[Seen]:
        """Every code of which something is in the picture."""
        plane, homography = self._planes[self._act(number)], self.homography(number)
        hidden = self._hidden(number)
        found = []
        for place, label in enumerate(plane.labels):
            quad = through(homography, label.quad)
            zone = through(homography, label.zone)
            if not _inside(quad, self.plan.size).any():
                continue
            whole = bool(_inside(zone, self.plan.size).all()) and place not in hidden
            readable = place not in self.plan.spoilt
            found.append(Seen(place, label.code, quad, whole, readable, place in hidden))
        return found

    def _act(self, number: int) -> int:
        return number * len(self._planes) // len(self)

    def _hidden(self, number: int) -> frozenset[int]:
        """Places where goods are just being changed."""
        now = self._act(number)
        hidden: set[int] = set()
        for away in (-_HIDDEN_FRAMES, _HIDDEN_FRAMES):
            other = self._act((number + away) % len(self))
            if other != now:
                pairs = zip(self._planes[now].labels, self._planes[other].labels, strict=True)
                hidden |= {at for at, (one, two) in enumerate(pairs) if one.code != two.code}
        return frozenset(hidden)

    def _hide(self, grey: Picture, number: int) -> None:
        homography = self.homography(number)
        for place in self._hidden(number):
            card = through(homography, self._planes[self._act(number)].labels[place].card)
            cv2.fillConvexPoly(grey, np.round(card).astype(np.int32), 140)

    def _exposed(self, grey: Picture, number: int) -> Picture:
        """Blurred along the way that the middle goes while the shutter is open."""
        half = self.plan.exposure_s / 2
        middle = np.array([self.plan.size]) / 2
        way = (
            through(self.homography(number, later_s=half), middle)
            - through(self.homography(number, later_s=-half), middle)
        )[0]
        length = float(np.hypot(*way))
        if length < 0.5:  # noqa: PLR2004 -- pixels; less than the lens blurs
            return grey
        return cast("Picture", cv2.filter2D(grey, -1, _line(way)))

    def _lit(self, grey: Picture, number: int) -> Picture:
        swing = np.sin(2 * np.pi * number / len(self))
        gain = 1 - self.plan.light * (0.5 + 0.5 * swing)
        return cast("Picture", cv2.convertScaleAbs(grey, alpha=gain))

    def _noisy(self, grey: Picture, number: int) -> Picture:
        if not self.plan.noise:
            return grey
        y, x = (
            int(each) for each in np.random.default_rng((self.plan.seed, number)).integers(0, 64, 2)
        )
        height, width = grey.shape
        part = np.s_[y : y + height, x : x + width]
        lighter = cv2.add(grey, self._brighter[part])
        return cast("Picture", cv2.subtract(lighter, self._darker[part]))


def truth_of(film: Film) -> dict[str, Any]:
    """All of a film's truth as JSON: `frames[n]` lists `[place, text, format, gtin, whole,
    readable, x0, y0, ... x3, y3]`.
    """
    return {
        "width": film.plan.size[0],
        "height": film.plan.size[1],
        "fps": film.plan.fps,
        "frames": [[_listed(seen) for seen in film.truth(at)] for at in range(len(film))],
    }


def speed_px_s(film: Film) -> list[float]:
    """How fast the picture's middle moves from frame to frame."""
    middle = np.array([film.plan.size]) / 2
    points = [through(film.homography(at), middle)[0] for at in range(len(film))]
    return [float(np.hypot(*(two - one))) * film.plan.fps for one, two in pairwise(points)]


def _listed(seen: Seen) -> list[Any]:
    code = seen.code
    corners = [round(float(each), 3) for each in seen.quad.ravel()]
    return [seen.place, code.text, code.format, code.gtin, seen.whole, seen.readable, *corners]


def _inside(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    x, y = points[:, 0], points[:, 1]
    return (x >= 0) & (x <= size[0]) & (y >= 0) & (y <= size[1])


def _samples(
    homography: NDArray[np.float64], scale: float, offset: tuple[float, float]
) -> NDArray[np.float64]:
    """From canvas coordinates to indices of pixels, whose middles are whole numbers (OpenCV)."""
    dx, dy = offset
    indices = np.array([[scale, 0, scale * dx - 0.5], [0, scale, scale * dy - 0.5], [0, 0, 1]])
    mapped: NDArray[np.float64] = indices @ homography
    return mapped


def _line(way: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float32]:
    """A kernel that averages along a short way through its middle."""
    reach = int(np.ceil(max(abs(way[0]), abs(way[1])) / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for part in np.linspace(-0.5, 0.5, 4 * reach + 1):
        x, y = reach + part * way[0], reach + part * way[1]
        left, top = int(np.floor(x)), int(np.floor(y))
        for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
            weight = max(0.0, 1 - abs(x - column)) * max(0.0, 1 - abs(y - row))
            if weight:
                kernel[row, column] += weight
    summed: NDArray[np.float32] = kernel / kernel.sum()
    return summed
