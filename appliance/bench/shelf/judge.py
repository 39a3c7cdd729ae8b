"""What an overlay showed, held to the film's truth. Pure.

A shown product is *wrong* where it stands on the code of another product, or where no such product
is in the film at all. It is *adrift* where its anchor stands on no code, such as on a hand that
covers it. The anchor is the mean of a quad's corners.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot
from typing import Any

import numpy as np

from appliance.bench.facts import percentile
from appliance.bench.shelf.film.film import Seen

_ROOM_PX = 10.0
"""So far beside a code's edge an anchor still stands on it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One sighting as it was drawn. `corners`: x0, y0 ... x3, y3 in pixels of the frame."""

    id: int
    state: str
    text: str
    gtin: str
    corners: tuple[float, ...]

    @property
    def anchor(self) -> tuple[float, float]:
        return sum(self.corners[0::2]) / 4, sum(self.corners[1::2]) / 4


def shown_of(row: Sequence[Any]) -> Shown:
    """A sighting as page and Node write it: id, state, text, gtin, and eight numbers."""
    number, state, text, gtin, *corners = row
    return Shown(int(number), state, text, gtin, tuple(corners))


@dataclass
class Account:
    """Adds up frame after frame."""

    known: frozenset[str]
    """Every product (GTIN, 14 digits) that is somewhere in the film."""
    frames: int = 0
    right: int = 0
    wrong: list[dict[str, object]] = field(default_factory=list)
    adrift: int = 0
    missing: int = 0
    """Whole, readable codes of the list over which nothing stood."""
    phantoms: int = 0
    """Believed texts of no product that no code in the film says."""
    errors_px: list[float] = field(default_factory=list)
    first_ms: dict[str, float] = field(default_factory=dict)
    """By product, when it was first shown."""
    _tracks: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, number: int, at_ms: float, shown: Sequence[Shown], truth: Sequence[Seen]) -> None:
        """One drawn frame of the film and what stood over it."""
        self.frames += 1
        covered = set()
        for each in shown:
            if each.state == "off_list":
                self.phantoms += all(each.text != seen.code.text for seen in truth)
            if each.state != "confirmed":
                continue
            seen = _under(each.anchor, truth, each.gtin)
            if seen is not None and seen.code.gtin == each.gtin:
                self._hit(each, seen, at_ms)
                covered.add(seen.place)
            elif each.gtin not in self.known or (seen is not None and not seen.hidden):
                self.wrong.append(
                    {
                        "frame": number,
                        "shown": each.text,
                        "stands_on": seen.code.text if seen else "",
                        "at": [round(value, 1) for value in each.anchor],
                    }
                )
            else:
                self.adrift += 1
        self.missing += sum(
            each.whole and each.readable and bool(each.code.gtin) and each.place not in covered
            for each in truth
        )

    def _hit(self, shown: Shown, seen: Seen, at_ms: float) -> None:
        self.right += 1
        self.first_ms.setdefault(shown.gtin, at_ms)
        if seen.whole:
            x, y = shown.anchor
            self.errors_px.append(hypot(x - seen.anchor[0], y - seen.anchor[1]))
            self._tracks[shown.id].append((x - seen.anchor[0], y - seen.anchor[1]))

    @property
    def p50_px(self) -> float:
        return round(percentile(self.errors_px, 50), 2)

    @property
    def p95_px(self) -> float:
        return round(percentile(self.errors_px, 95), 2)

    @property
    def jitter_px(self) -> float:
        """How far anchors swing about their own mean offset from the truth, root mean square. Of a
        phone that lies still this is the shaking that a person sees.
        """
        swings = []
        for track in self._tracks.values():
            points = np.array(track)
            swings.append(((points - points.mean(axis=0)) ** 2).sum(axis=1))
        if not swings:
            return 0.0
        return round(float(np.sqrt(np.concatenate(swings).mean())), 3)

    @property
    def settled_ms(self) -> list[float]:
        """When each product was first shown, in order."""
        return sorted(self.first_ms.values())


def held_errors(held: Sequence[tuple[str, Sequence[float]]], truth: Sequence[Seen]) -> list[float]:
    """The peer: quads of the last detection by text, drawn where they were then. Pixels."""
    anchors = {each.code.text: each.anchor for each in truth if each.whole}
    return [
        hypot(sum(quad[0::2]) / 4 - anchors[text][0], sum(quad[1::2]) / 4 - anchors[text][1])
        for text, quad in held
        if text in anchors
    ]


def _under(anchor: tuple[float, float], truth: Sequence[Seen], gtin: str) -> Seen | None:
    """The code that an anchor stands on, its own one first."""
    under = [each for each in truth if _inside(anchor, each)]
    return next((each for each in under if each.code.gtin == gtin), under[0] if under else None)


def _inside(anchor: tuple[float, float], seen: Seen) -> bool:
    """Within the code's quad, grown by _ROOM_PX on each side."""
    left, top = seen.quad.min(axis=0) - _ROOM_PX
    right, bottom = seen.quad.max(axis=0) + _ROOM_PX
    if not (left <= anchor[0] <= right and top <= anchor[1] <= bottom):
        return False
    corners = [(float(x), float(y)) for x, y in seen.quad]
    around = list(zip(corners, corners[1:] + corners[:1], strict=True))
    # Twice the area: its sign tells which way round the corners go.
    turn = sum(one[0] * two[1] - one[1] * two[0] for one, two in around)
    for one, two in around:
        x, y = two[0] - one[0], two[1] - one[1]
        away = (x * (anchor[1] - one[1]) - y * (anchor[0] - one[0])) / hypot(x, y)
        if (away if turn > 0 else -away) < -_ROOM_PX:
            return False
    return True
