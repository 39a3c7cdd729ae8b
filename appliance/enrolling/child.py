"""The process that learns cracks: `python -m appliance.enrolling.child ORDER.json`.

Started by process.py, which says in the order what to learn from and where to put the profile.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import msgspec

from appliance.enrolling.process import Order, Word
from appliance.inspectors import open_inspector
from appliance.model_sets import BACKBONE, CRACKS, carried
from appliance.sets.shelf import SetShelf
from contracts.errors import TallymanError
from contracts.reason import Reason
from ota.model_set import ModelSet
from vision.defects.profile import Profile
from vision.engine import CPU
from vision.frames import decode_frame

_LOW = 10
"""Below the dock's own work, and still done within minutes on a busy station."""


Say = Callable[[Word], None]


def main(file: str, *, say: Say, stop: Callable[[], bool]) -> int:
    """Exit code 0 when the profile stands, 1 when it said why not."""
    order = msgspec.json.decode(Path(file).read_bytes(), type=Order)
    try:
        refined = _refined(order, say=say, stop=stop)
    except TallymanError as error:
        say(Word(trouble=Reason("enrol_failed", {"why": error.message})))
        return 1
    refined.save(Path(order.out))
    return 0


def _refined(order: Order, *, say: Say, stop: Callable[[], bool]) -> Profile:
    base = Profile.load(Path(order.base))
    shelf = SetShelf(agent=Path(order.agent) if order.agent else None)
    lines = base.facts.cracks.network if base.facts.cracks else ""
    inspector = open_inspector(
        _set(shelf, BACKBONE, base.facts.backbone),
        _set(shelf, CRACKS, lines),
        variant=CPU,
        threads=1,
    )
    images = [
        decode_frame(Path(shot.path).read_bytes(), name=Path(shot.path).name)
        for shot in order.shots
    ]
    return inspector.refine(
        base,
        images,
        items=[shot.item for shot in order.shots],
        seconds=order.seconds,
        progress=lambda share: say(Word(share=round(float(share), 4))),
        stop=stop,
    )


def _set(shelf: SetShelf, kind: str, digest: str) -> ModelSet:
    """The set that a profile names, also where an update brought a newer one meanwhile (I3); the
    newest for one that names none.
    """
    if digest:
        with contextlib.suppress(TallymanError, OSError):
            return shelf.find(kind, digest)
    return carried(kind)


def _stop_asked() -> Callable[[], bool]:
    asked = False

    def ask(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    signal.signal(signal.SIGTERM, ask)
    return lambda: asked


def _print(word: Word) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    os.nice(_LOW)
    raise SystemExit(main(sys.argv[1], say=_print, stop=_stop_asked()))
