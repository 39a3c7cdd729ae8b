"""One carton as the cameras saw it: what the station judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from appliance.cameras.frame import Frame
from contracts.reason import Reason


@dataclass(frozen=True, slots=True)
class CartonView:
    """A carton that has left, with the frames taken while it was there.

    `frames` has an entry for every camera of the station, sharpest frame first, empty where it took
    no picture: the judge then says review. `opened_by` is `trigger`, `presence` or `replay`.
    `faults` are reasons against trusting the view: a missing close, a picture that could not be
    decoded, a camera that was dark. `name` is the replayed stem, empty for a live carton.
    """

    carton_id: str
    opened_at: datetime
    opened_by: str
    frames: dict[str, tuple[Frame, ...]]
    closed_at: datetime
    faults: tuple[Reason, ...] = field(default=())
    name: str = ""


def carton_ids(station: str) -> Callable[[datetime], str]:
    """Ids that no restart repeats: station, time of opening in microseconds, a count.

    Letters, digits and hyphens only where the station's name has them, so an id fits a VDA 5050
    load id and an MQTT topic level.
    """
    count = 0

    def next_id(opened_at: datetime) -> str:
        nonlocal count
        count += 1
        return f"{station}-{opened_at:%Y%m%dT%H%M%S%f}-{count:04d}"

    return next_id
