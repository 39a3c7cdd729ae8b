"""Everything the demo needs before a station can judge it: pictures, notice, product profiles.

What is there from an earlier start is kept, so the second start is quick. The delivery keeps the
day of the first start: a lot's expiry date does not move from one day to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from appliance.demo.samples import VERSION, SampleDelivery, write_samples
from appliance.durable import write_atomic
from appliance.model_sets import BACKBONE, CRACKS, carried
from appliance.profiles import ProfileFolder
from appliance.teaching.signing import ProfileSignature, signature_path, write_signed
from appliance.teaching.trust import TrustedKeys
from ota.model_set import ModelSet
from vision.engine import CPU

if TYPE_CHECKING:
    from vision.defects.profile import Profile

_SAME_DELIVERY = timedelta(days=150)


@dataclass(frozen=True, slots=True)
class _Enrolled:
    samples: int
    backbone: str
    cracks: str


def prepare(
    folder: Path, profiles: ProfileFolder, trust: TrustedKeys, *, today: date
) -> SampleDelivery:
    """Write or find the sample delivery, and enrol its products where no profile is there. They are
    signed with keys that only this machine trusts: no quality lead has seen them (I5).
    """
    delivery = write_samples(folder, today=delivery_day(folder, today))
    backbone, cracks = carried(BACKBONE), carried(CRACKS)
    wanted = msgspec.json.encode(_Enrolled(VERSION, backbone.digest, cracks.digest))
    stamp = folder / "enrolled.json"
    known = stamp.exists() and stamp.read_bytes() == wanted
    missing = [g for g in delivery.enrol if not known or not _is_signed(profiles.path(g))]
    for gtin, profile in _enrolled(delivery, missing, backbone, cracks):
        data = profile.to_bytes()
        said = ProfileSignature(
            gtin=gtin,
            digest=profile.digest,
            file=hashlib.sha256(data).hexdigest(),
            station="",
            serial=0,
            signed_by="demonstration",
            at_us=int(datetime.combine(today, time(), UTC).timestamp()) * 1_000_000,
            reason="sample delivery",
        )
        write_signed(profiles.path(gtin), data, trust.sign_here(said))
    if missing:
        write_atomic(stamp, wanted)
    return delivery


def _is_signed(path: Path) -> bool:
    return path.exists() and signature_path(path).exists()


def _enrolled(
    delivery: SampleDelivery, gtins: list[str], backbone: ModelSet, cracks: ModelSet
) -> Iterator[tuple[str, Profile]]:
    if not gtins:
        return
    from appliance.inspectors import open_inspector
    from vision.frames import decode_frame

    inspector = open_inspector(backbone, cracks, variant=CPU, threads=2)
    for gtin in gtins:
        pictures = [decode_frame(p.read_bytes(), name=p.name) for p in delivery.enrol[gtin]]
        items = [path.name for path in delivery.enrol[gtin]]
        yield gtin, inspector.enrol(pictures, product=gtin, items=items)


def delivery_day(folder: Path, today: date) -> date:
    """The day that the delivery in `folder` was made for; `today` where there is none yet."""
    file = folder / "day.txt"
    if file.exists():
        first = date.fromisoformat(file.read_text(encoding="ascii").strip())
        if timedelta(0) <= today - first < _SAME_DELIVERY:
            return first
    write_atomic(file, today.isoformat().encode())
    return today
