"""Do two engines judge alike? The same golden pictures under the same profiles on both (I3).

Alike means the same decision for the same reasons. A profile comes from the engine that a set is
made on, because that is how it travels: enrolled once, judged on whatever a station has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.inspection import Inspection
from vision.defects.inspector import DefectInspector
from vision.defects.profile import Profile


@dataclass(frozen=True, slots=True)
class Golden:
    """A picture (h, w, 3) BGR to be judged under a profile."""

    name: str
    image: NDArray[np.uint8]
    profile: Profile


@dataclass(frozen=True, slots=True)
class Parity:
    """Of `pictures`, `alike` were judged as on the usual engine; `differing` are the others.
    `farthest` is the greatest difference of a score, in its deviations.
    """

    pictures: int
    alike: int
    farthest: float
    differing: tuple[str, ...]

    @property
    def share(self) -> float:
        return self.alike / self.pictures if self.pictures else 0.0


def compare(
    usual: DefectInspector, these: dict[str, DefectInspector], goldens: Iterable[Golden]
) -> dict[str, Parity]:
    """Every engine of `these` against `usual`, each picture decoded and judged once on each."""
    pictures = 0
    farthest = dict.fromkeys(these, 0.0)
    differing: dict[str, list[str]] = {name: [] for name in these}
    for golden in goldens:
        pictures += 1
        wanted = usual.inspect(golden.image, golden.profile, name=golden.name).inspection
        for name, inspector in these.items():
            given = inspector.inspect(golden.image, golden.profile, name=golden.name).inspection
            farthest[name] = max(farthest[name], abs(given.score - wanted.score))
            if _verdict(given) != _verdict(wanted):
                differing[name].append(golden.name)
    return {
        name: Parity(
            pictures, pictures - len(differing[name]), farthest[name], tuple(differing[name])
        )
        for name in these
    }


def _verdict(inspection: Inspection) -> tuple[object, ...]:
    return inspection.decision, tuple(reason.code for reason in inspection.reasons)
