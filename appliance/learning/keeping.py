"""Which settled cartons are kept to learn from, and how much of their pictures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from appliance.learning.example import SeenLine, Truth
from appliance.learning.locate import Place, best_places
from contracts.events import CartonJudged, CartonSettled
from contracts.reading import LabelFields, ReadDecision
from contracts.verdict import Decision
from vision.reading.captions import find_captions


class Privacy(StrEnum):
    """How much of a picture may leave the record: nothing, the lines that hold one of the three
    fields, the label with every other line painted over, or the frame as it was judged.
    """

    OFF = "off"
    CROPS = "crops"
    LABEL = "label"
    FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Keeping:
    """What to keep of a carton's lines. `places` are by line; `open_lines` are those that a label
    picture may show (fields and plain captions), the others are painted over.
    """

    places: dict[int, tuple[Place, ...]]
    open_lines: frozenset[int]


def why_not(judged: CartonJudged, settled: CartonSettled, privacy: Privacy) -> str:
    """Why nothing is learnt from this carton; empty where something is."""
    if privacy is Privacy.OFF:
        return "off"
    if settled.how not in {"candidate", "keyed"}:
        return "refused"
    if judged.verdict.decision is not Decision.REVIEW or judged.carton_id != settled.carton_id:
        return "no_review"
    if judged.reading is None:
        return "not_read"
    if judged.reading.decision is ReadDecision.ACCEPT and _says(judged.reading.fields, settled):
        # It was read rightly and waited for something else (goods, clock, remaining life).
        return "was_right"
    return ""


def truth_of(settled: CartonSettled) -> Truth:
    return Truth(settled.gtin, settled.batch, settled.expiry)


def what_to_keep(truth: Truth, lines: Sequence[SeenLine]) -> Keeping:
    """Lines in which no field was found are names, addresses and the like: they are not kept."""
    places = best_places(truth, lines)
    captioned = {index for index, line in enumerate(lines) if find_captions(line.text)}
    return Keeping(places, frozenset(places) | frozenset(captioned))


def _says(fields: LabelFields, settled: CartonSettled) -> bool:
    read = [each.value if each else "" for each in (fields.gtin, fields.batch, fields.expiry)]
    return read == [settled.gtin, settled.batch, settled.expiry]
