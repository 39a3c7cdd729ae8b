"""What is really printed on the frames of a measurement, and when an answer counts as right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from contracts.errors import BadInputError
from contracts.reading import LabelFields
from vision.reading.expected import ExpectedIndex
from vision.reading.fusion import Fused
from vision.reading.plain import PlainReading

FIELDS = ("gtin", "batch", "expiry")
Answer = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Truth:
    """One frame. `critical` are the fields that are printed on it and must all be right;
    `damage` is the share of the code area that was destroyed, 0..1.
    """

    file: str
    fields: dict[str, str]
    critical: tuple[str, ...]
    kind: str = "label"
    damage: float = 0.0
    on_asn: bool = True


def read_truth(folder: Path, *, limit: int | None = None) -> tuple[Truth, ...]:
    """The frames of truth.json in `folder`; with `limit`, that many spread over all of them.

    Raises BadInputError where the file is absent or not of that shape.
    """
    path = folder / "truth.json"
    try:
        whole: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        frames = msgspec.convert(whole["frames"], tuple[Truth, ...])
    except FileNotFoundError:
        raise BadInputError(
            f"{path} does not exist", mend="Name a folder with truth.json, asn.csv and frames"
        ) from None
    except (msgspec.MsgspecError, KeyError) as error:
        raise BadInputError(
            f"{path} is not a truth file: {error}", mend="See appliance/bench/label_truth.py"
        ) from error
    if limit is None or limit >= len(frames):
        return frames
    return tuple(frames[i * len(frames) // limit] for i in range(limit))


def is_right(truth: Truth, answer: Answer) -> bool:
    """Every critical field equals the truth."""
    return all(answer.get(name) == truth.fields[name] for name in truth.critical)


def listed_answer(fused: Fused, index: ExpectedIndex) -> Answer:
    """The best announced line, taken at its word."""
    line = index.lines[fused.best]
    return {"gtin": line.gtin, "batch": line.batch, "expiry": line.expiry.isoformat()}


def plain_answer(plain: PlainReading) -> Answer:
    return fields_answer(plain.fields)


def fields_answer(fields: LabelFields) -> Answer:
    return {
        "gtin": fields.gtin.value if fields.gtin else None,
        "batch": fields.batch.value if fields.batch else None,
        "expiry": fields.expiry.value if fields.expiry else None,
    }
