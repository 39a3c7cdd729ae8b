"""Everything the demo needs before a station can judge it: pictures, notice, product profiles.

What is there from an earlier start is kept, so the second start is quick. The delivery keeps the
day of the first start: a lot's expiry date does not move from one day to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import msgspec

from appliance.demo.samples import VERSION, SampleDelivery, write_samples
from appliance.durable import write_atomic
from appliance.model_sets import BACKBONE, carried
from appliance.profiles import ProfileFolder
from ota.model_set import ModelSet

_SAME_DELIVERY = timedelta(days=150)


@dataclass(frozen=True, slots=True)
class _Enrolled:
    samples: int
    backbone: str


def prepare(folder: Path, profiles: ProfileFolder, *, today: date) -> SampleDelivery:
    """Write or find the sample delivery, and enrol its products where no profile is there."""
    delivery = write_samples(folder, today=delivery_day(folder, today))
    backbone = carried(BACKBONE)
    wanted = msgspec.json.encode(_Enrolled(VERSION, backbone.digest))
    stamp = folder / "enrolled.json"
    known = stamp.exists() and stamp.read_bytes() == wanted
    missing = [g for g in delivery.enrol if not known or not profiles.path(g).exists()]
    if missing:
        _enrol(delivery, missing, profiles, backbone)
        write_atomic(stamp, wanted)
    return delivery


def _enrol(
    delivery: SampleDelivery, gtins: list[str], profiles: ProfileFolder, backbone: ModelSet
) -> None:
    from vision.defects.inspector import DefectInspector
    from vision.frames import decode_frame

    inspector = DefectInspector.load(backbone.folder, model_set=backbone.digest, threads=2)
    profiles.folder.mkdir(parents=True, exist_ok=True)
    for gtin in gtins:
        pictures = [decode_frame(p.read_bytes(), name=p.name) for p in delivery.enrol[gtin]]
        profile = inspector.enrol(
            pictures, product=gtin, items=[path.name for path in delivery.enrol[gtin]]
        )
        profile.save(profiles.path(gtin))


def delivery_day(folder: Path, today: date) -> date:
    """The day that the delivery in `folder` was made for; `today` where there is none yet."""
    file = folder / "day.txt"
    if file.exists():
        first = date.fromisoformat(file.read_text(encoding="ascii").strip())
        if timedelta(0) <= today - first < _SAME_DELIVERY:
            return first
    write_atomic(file, today.isoformat().encode())
    return today
