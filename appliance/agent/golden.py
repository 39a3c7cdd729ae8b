"""Does a set judge on this machine as it must? Run in a process of its own (appliance.agent.prover).

A set that brings golden frames (`golden/golden.json`) is held to them, to the letter. Every set is
loaded by the very way the edge loads it; readers and networks for goods are held to frames that each
installation can draw, whose truth is known: nothing wrong may be read, no spoilt goods may pass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from appliance.config import Config
from appliance.demo.goods import goods_frame
from appliance.demo.scene import label_frame, scenery
from appliance.demo.story import Damage, Defect, Goods, SampleCarton, tell
from appliance.engines import EngineRoom
from appliance.layout import Layout
from contracts.inspection import InspectDecision
from contracts.reading import LabelReading
from contracts.reason import Reason
from vision.defects.inspector import DefectInspector
from vision.reading.reader import LabelReader

GOLDEN = "golden/golden.json"
_DAY = date(2026, 6, 1)
_SEED = 20261122
_LABELS, _ENROLLED, _GOODS = 6, 12, 4
_LEAST_READ = 5
"""Of the drawn labels: one may be missed, none may be misread."""


@dataclass(frozen=True, slots=True)
class GoldenFrame:
    """A frame of a set's own: `file` below its folder and what must be read from it, empty for a
    field that must not be read at all.
    """

    file: str
    gtin: str = ""
    batch: str = ""
    expiry: str = ""


def prove(config: Config, lane: str, digest: str) -> Reason | None:
    """Why the held set must not run here; None where it proved itself.

    Raises what opening raises: the caller makes a reason of it.
    """
    room = EngineRoom(
        config.edge.threads,
        config.reader,
        config.inspector,
        agent=Layout(config.data).sets,
    )
    engines = room.open({lane: digest})
    match lane:
        case "read":
            held = room.shelf.held(digest)
            own = _read_own(engines.reader, held.folder) if held else None
            return own or read_drawn(engines.reader)
        case "inspect" | "cracks":
            return judge_drawn(engines.inspector)
        case _:
            return None


def read_drawn(reader: LabelReader) -> Reason | None:
    """Labels that every installation can draw, half of them without a symbol."""
    right = 0
    for number, (carton, frame) in enumerate(_drawn_labels()):
        truth = (carton.product.gtin, carton.batch, carton.expiry.isoformat())
        said = _values(reader.read([frame], [], name=f"golden-{number}"))
        if any(value not in ("", true) for value, true in zip(said, truth, strict=True)):
            return Reason("ota_golden_misread", {"frame": number, "read": " ".join(said)[:120]})
        right += said == truth
    if right < _LEAST_READ:
        return Reason("ota_golden_unread", {"right": right, "frames": _LABELS})
    return None


def judge_drawn(inspector: DefectInspector) -> Reason | None:
    """Goods that every installation can draw, sound and plainly broken."""
    good = [_goods(Goods.BISCUITS, seed) for seed in range(_ENROLLED)]
    profile = inspector.enrol(good, product="golden")
    for number in range(_GOODS):
        for defect in (Defect.NONE, Defect.BROKEN):
            picture = _goods(Goods.BISCUITS, _ENROLLED + number, defect)
            said = inspector.inspect(picture, profile, name=f"golden-{number}").inspection.decision
            wrong = InspectDecision.DEFECT if defect is Defect.NONE else InspectDecision.PASS
            if said is wrong:
                return Reason("ota_golden_misjudged", {"frame": number, "said": said.value})
    return None


def _read_own(reader: LabelReader, folder: Path) -> Reason | None:
    """The frames that a set brings, files of its manifest like all others."""
    file = folder / GOLDEN
    if not file.is_file():
        return None
    for each in msgspec.json.decode(file.read_bytes(), type=list[GoldenFrame]):
        place = (folder / each.file).resolve()
        image = cv2.imread(str(place)) if place.is_relative_to(folder.resolve()) else None
        if image is None:
            return Reason("ota_golden_unreadable", {"frame": each.file})
        said = _values(reader.read([image.astype(np.uint8)], [], name=each.file))
        if said != (each.gtin, each.batch, each.expiry):
            return Reason("ota_golden_misread", {"frame": each.file, "read": " ".join(said)[:120]})
    return None


def _values(reading: LabelReading) -> tuple[str, str, str]:
    fields = reading.fields
    gtin, batch, expiry = (
        each.value if each else "" for each in (fields.gtin, fields.batch, fields.expiry)
    )
    return gtin, batch, expiry


def _drawn_labels() -> Iterator[tuple[SampleCarton, NDArray[np.uint8]]]:
    around = scenery(np.random.default_rng((_SEED, 0)))
    sound = [each for each in tell(_DAY).cartons if each.damage is Damage.NONE]
    for number, carton in enumerate(sound[:_LABELS]):
        printed = dataclasses.replace(carton, printing="dots") if number % 2 else carton
        frame, _ = label_frame(printed, np.random.default_rng((_SEED, 1, number)), around)
        yield printed, frame


def _goods(goods: Goods, seed: int, defect: Defect = Defect.NONE) -> NDArray[np.uint8]:
    return goods_frame(goods, np.random.default_rng((_SEED, seed)), defect)
