"""What the label camera says of the carton itself: crushed, torn, wet, opened (I5, I7).

A product's reference sides lie as `<GTIN>.condition` beside its profile. Whatever they say adds a
review; a hold takes the site's word (`policy.condition`), a signature beside the file, and a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.cameras.frame import Frame
from appliance.newest import Newest
from contracts.condition import CartonCondition
from contracts.errors import ArtefactRefusedError
from contracts.geometry import Quad, Region
from contracts.reading import LabelReading
from contracts.reason import Reason
from vision.condition.inspector import ConditionInspector
from vision.condition.profile import ConditionProfile

SUFFIX = ".condition"

Check = Callable[[str, Path, bytes, ConditionProfile], None]
"""GTIN, file, its bytes, what they are: raises ArtefactRefusedError where nobody signed them."""


@dataclass(frozen=True, slots=True)
class Known:
    profile: ConditionProfile
    signed: bool


@dataclass(frozen=True, slots=True)
class Outside:
    """`may_hold`: a damaged carton is held, else reviewed. `faults` send it to review."""

    condition: CartonCondition | None = None
    may_hold: bool = False
    faults: tuple[Reason, ...] = ()

    @property
    def regions(self) -> tuple[Region, ...]:
        """Where the carton differs, in pixels of the frame."""
        found = self.condition.findings if self.condition else ()
        return tuple(each.region for each in found if each.region is not None)


class ConditionFolder:
    """A refused file is told once, and what was loaded before it goes on."""

    def __init__(self, folder: Path, *, check: Check | None = None) -> None:
        self.folder = folder
        self._check = check
        self._newest = Newest(self._known)

    def path(self, gtin: str) -> Path:
        return self.folder / f"{gtin}{SUFFIX}"

    def get(self, gtin: str) -> Known | None:
        return self._newest.get(self.path(gtin))

    def refused(self, gtin: str) -> bool:
        """Whether there is a file that nothing could ever be made of."""
        return bool(self._newest.trouble(self.path(gtin)))

    def _known(self, path: Path, data: bytes) -> Known:
        profile = ConditionProfile.from_bytes(data, name=str(path))
        return Known(profile, self._signed(path, data, profile))

    def _signed(self, path: Path, data: bytes, profile: ConditionProfile) -> bool:
        if self._check is None:
            return False
        try:
            self._check(path.name.removesuffix(SUFFIX), path, data, profile)
        except ArtefactRefusedError:
            return False
        return True


class OutsideJudge:
    """`wanted` is `off`, `review` or `hold`."""

    def __init__(self, folder: ConditionFolder, *, wanted: str) -> None:
        self._folder = folder
        self._wanted = wanted
        self._inspector = ConditionInspector()

    def look(self, frame: Frame, *, gtin: str | None, reading: LabelReading | None) -> Outside:
        """Nothing where the product's reference sides are not enrolled. Blocks."""
        if self._wanted == "off" or gtin is None:
            return Outside()
        known = self._folder.get(gtin)
        if known is None:
            refused = Reason("condition_refused", {"product": gtin})
            return Outside(faults=(refused,) if self._folder.refused(gtin) else ())
        condition = self._inspector.check(frame.image, known.profile, labels=_printed(reading))
        may_hold = self._wanted == "hold" and known.signed
        return Outside(condition, may_hold=may_hold)


def _printed(reading: LabelReading | None) -> tuple[Quad, ...]:
    """Label and print as they were read: what differs from carton to carton by nature."""
    if reading is None:
        return ()
    return (*(each.quad for each in reading.symbols), *(each.quad for each in reading.lines))
