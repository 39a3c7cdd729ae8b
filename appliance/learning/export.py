"""Examples as plain files: one folder each, pictures beside what is known of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec

from appliance.learning.dataset import Dataset
from appliance.learning.example import decode_example


def write_out(dataset: Dataset, folder: Path, *, carton: str = "") -> int:
    """Write the examples (of one `carton`, or all) below `folder`; how many."""
    written = 0
    for name in dataset.names():
        data = dataset.read(name)
        if data is None:
            continue
        example = decode_example(data)
        if carton and example.carton_id != carton:
            continue
        target = folder / f"{name.at_us}-{name.carton}"
        target.mkdir(parents=True)
        for number, line in enumerate(example.lines):
            (target / f"line-{number}.png").write_bytes(line.crop)
        for number, picture in enumerate(example.pictures):
            ending = picture.media_type.rpartition("/")[2]
            (target / f"{picture.kind}-{number}.{ending}").write_bytes(picture.data)
        told = replace(
            example,
            lines=tuple(replace(line, crop=b"") for line in example.lines),
            pictures=tuple(replace(picture, data=b"") for picture in example.pictures),
        )
        text = msgspec.json.format(msgspec.json.encode(told), indent=1)
        (target / "example.json").write_bytes(text + b"\n")
        written += 1
    return written
