"""What must not be kept any longer, and must not come back: erasures outlive what they erased.

An erasure names a carton, or every carton settled in a span of time. It is remembered, so that an
example that is still on its way from a box, or is made again after a crash, is erased as well.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.durable import write_atomic
from appliance.learning.example import ExampleName
from contracts.errors import BadInputError


@dataclass(frozen=True, slots=True)
class Erasure:
    """One carton by its key (appliance.learning.example.carton_key), or all that was settled from
    `from_us` up to `until_us` (microseconds since 1970, the end not included). `device` narrows it to
    one device's examples (by device_key); empty: of all.
    """

    carton: str = ""
    from_us: int = 0
    until_us: int = 0
    device: str = ""

    def covers(self, name: ExampleName) -> bool:
        if self.device and name.device != self.device:
            return False
        if self.carton:
            return name.carton == self.carton
        return self.from_us <= name.at_us < self.until_us


@dataclass(frozen=True, slots=True)
class Erasures:
    all: tuple[Erasure, ...] = ()

    def cover(self, name: ExampleName) -> bool:
        return any(erasure.covers(name) for erasure in self.all)

    def with_more(self, *more: Erasure) -> Erasures:
        return Erasures(tuple(dict.fromkeys((*self.all, *more))))

    def of(self, device: str) -> Erasures:
        """What concerns one device, by its key."""
        return Erasures(tuple(each for each in self.all if each.device in {"", device}))

    def etag(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:32]


def checked(erasure: Erasure) -> Erasure:
    """Raises BadInputError for one that would erase nothing."""
    if not erasure.carton and erasure.until_us <= erasure.from_us:
        raise BadInputError(
            "nothing is named to erase", mend="Name a carton, or a start before an end"
        )
    return erasure


def read_erasures(path: Path) -> Erasures:
    """None at all where there is no file. Raises BadInputError for a file that is damaged: to go on
    would bring back what was erased.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Erasures)
    except FileNotFoundError:
        return Erasures()
    except msgspec.MsgspecError as error:
        raise BadInputError(f"{path} is damaged: {error}", mend="Restore it from backup") from error


def write_erasures(path: Path, erasures: Erasures) -> None:
    write_atomic(path, msgspec.json.encode(erasures), mode=0o600)
