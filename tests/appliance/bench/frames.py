"""A small set of frames with truth, in the form of a rendered one: the sample delivery's cartons,
announced and not.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np

from appliance.demo.samples import asn_csv
from appliance.demo.scene import label_frame, scenery
from appliance.demo.story import Damage, Story, tell
from appliance.demo.texture import jpeg

TODAY = date(2026, 11, 21)


def write_set(folder: Path, *, cartons: int, listed: bool = True) -> Story:
    """The first `cartons` of the delivery into `folder`; `listed` writes the list beside them."""
    story = tell(TODAY)
    rng = np.random.default_rng(5)
    around = scenery(rng)
    frames = []
    for carton in story.cartons[:cartons]:
        picture, gone = label_frame(carton, rng, around)
        file = f"{carton.stem}.jpg"
        (folder / file).write_bytes(jpeg(picture))
        frames.append(
            {
                "file": file,
                "kind": "inkjet" if carton.printing == "dots" else "label",
                "damage": 0.1 * round(10 * gone) if carton.damage is not Damage.NONE else 0,
                "on_asn": carton.line is not None,
                "critical": ["gtin", "batch", "expiry"],
                "fields": {
                    "gtin": carton.product.gtin,
                    "batch": carton.batch,
                    "expiry": carton.expiry.isoformat(),
                },
            }
        )
    (folder / "truth.json").write_text(json.dumps({"frames": frames}), encoding="utf-8")
    if listed:
        (folder / "asn.csv").write_text(asn_csv(story.asn), encoding="utf-8")
    return story
