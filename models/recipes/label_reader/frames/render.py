"""Render frames of labelled and coded cartons with their truth, like a camera over a belt.

    python models/recipes/label_reader/frames/render.py
        --profile calibration|second --count N --seed S --out DIR --fonts FONTS
        [--start I] [--jobs J]

FONTS is a folder that ../fonts.py filled. DIR gets frames (JPEG, 1280 x 960), truth.json and
asn.csv in the form that `tallyman bench read` takes, and DONE at the end. A frame depends on
profile, seed and number only: the same arguments give the same bytes, and a long campaign may be
cut into pieces with --start. Run it with the appliance's development environment.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))

import cv2
import numpy as np

from models.recipes.label_reader.frames.faces import Pool
from models.recipes.label_reader.frames.frame import Plan, render
from models.recipes.label_reader.frames.goods import Delivery, delivery
from models.recipes.label_reader.frames.profiles import PROFILES, Profile


def write_frame(
    index: int, *, profile: str, goods: Delivery, pool: Pool, seed: int, out: Path
) -> dict[str, Any]:
    """Render and store one frame; gives its truth."""
    cv2.setNumThreads(1)
    picture, truth = render(Plan.of(index), PROFILES[profile], goods, pool, seed)
    quality = int(np.random.default_rng([seed, 3, index]).integers(80, 96))
    done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f"the JPEG encoder refused frame {index}")
    (out / truth["file"]).write_bytes(encoded.tobytes())
    return truth


def render_set(
    profile: Profile, pool: Pool, *, count: int, seed: int, out: Path, start: int = 0, jobs: int = 1
) -> list[dict[str, Any]]:
    """Frames `start` to `start + count` of the endless series of `profile` and `seed` in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    goods = delivery(profile, seed)
    write = partial(write_frame, profile=profile.name, goods=goods, pool=pool, seed=seed, out=out)
    frames = []
    for truth in _each(write, range(start, start + count), jobs):
        frames.append(truth)
        if len(frames) % 50 == 0 or len(frames) == count:
            print(f"{len(frames)}/{count}", flush=True)
    lines = [
        {"gtin": lot.product.gtin, "batch": lot.batch, "expiry": lot.expiry.isoformat()}
        for lot in goods.announced
    ]
    with (out / "asn.csv").open("w", encoding="utf-8", newline="") as table:
        writer = csv.DictWriter(table, ("gtin", "batch", "expiry"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    whole = {"profile": profile.name, "seed": seed, "frames": frames, "asn": lines}
    text = json.dumps(whole, ensure_ascii=False)
    (out / "truth.json").write_text(text + "\n", encoding="utf-8")
    (out / "DONE").touch()
    return frames


def _each(write: Any, indices: range, jobs: int) -> Iterator[dict[str, Any]]:
    if jobs == 1:
        yield from map(write, indices)
        return
    with multiprocessing.get_context("spawn").Pool(jobs) as workers:
        yield from workers.imap(write, indices, chunksize=8)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--profile", choices=sorted(PROFILES), required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fonts", type=Path, required=True, help="folder filled by ../fonts.py")
    parser.add_argument("--start", type=int, default=0, help="number of the first frame")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    chosen = parser.parse_args()
    render_set(
        PROFILES[chosen.profile],
        Pool.read(chosen.fonts, chosen.profile),
        count=chosen.count,
        seed=chosen.seed,
        out=chosen.out,
        start=chosen.start,
        jobs=chosen.jobs,
    )


if __name__ == "__main__":
    main()
