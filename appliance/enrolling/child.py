"""The process that learns cracks: `python -m appliance.enrolling.child ORDER.json`.

Started by process.py, which says in the order what to learn from and where to put the profile.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import msgspec

from appliance.enrolling.process import Order, Word
from contracts.errors import TallymanError
from contracts.reason import Reason
from vision.defects.profile import Profile
from vision.frames import decode_frame

_LOWEST = 19


Say = Callable[[Word], None]


def main(file: str, *, say: Say) -> int:
    """Exit code 0 when the profile stands, 1 when it said why not."""
    os.nice(_LOWEST)
    order = msgspec.json.decode(Path(file).read_bytes(), type=Order)
    stopped = _stop_asked()
    try:
        refined = _refined(order, say=say, stop=stopped)
    except TallymanError as error:
        say(Word(trouble=Reason("enrol_failed", {"why": error.message})))
        return 1
    refined.save(order.out)
    return 0


def _refined(order: Order, *, say: Say, stop: Callable[[], bool]) -> Profile:
    from appliance.cli.inspect import open_inspector

    inspector = open_inspector(None, threads=1)
    base = Profile.load(order.base)
    images = [decode_frame(shot.path.read_bytes(), name=shot.path.name) for shot in order.shots]
    return inspector.refine(
        base,
        images,
        items=[shot.item for shot in order.shots],
        seconds=order.seconds,
        progress=lambda share: say(Word(share=round(float(share), 4))),
        stop=stop,
    )


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
    raise SystemExit(main(sys.argv[1], say=_print))
