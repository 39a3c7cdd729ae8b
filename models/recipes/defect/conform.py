"""Prove a defect backbone on other engines, and write the proofs into its manifest.

    python models/recipes/defect/conform.py SET_FOLDER VARIANT... [--data TEST_DATA]

The golden pictures (appliance/golden.py) are judged on onnxruntime-cpu and on each VARIANT under
the same profiles; 99.5 % of the verdicts must agree (ota/proof.py has the limits). With `--data`,
cookies are ranked on each engine too, split by photo, and the loss of AUROC stands in the proof.
The manifest, and with it the digest, changes only where every proof holds. Run from the repository
root with an environment that has the engines (sh scripts/extra.sh openvino).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import cv2
import numpy as np

from appliance.bench.facts import median
from appliance.golden import PICTURES, golden_pictures
from ota.model_set import MANIFEST, open_model_set
from ota.proof import Proof
from vision.defects.inspector import DefectInspector
from vision.defects.parity import compare
from vision.engine import CPU
from vision.frames import decode_frame

COOKIES = "defects/cookies/cookie-dataset/dataset-files/training-images"
ENROLLED = 10
SPLITS = 3


def auroc(good: Sequence[float], bad: Sequence[float]) -> float:
    """Ties count half."""
    wins = sum((b > g) + 0.5 * (b == g) for g in good for b in bad)
    return wins / (len(good) * len(bad))


def ranked(inspectors: dict[str, DefectInspector], data: Path) -> dict[str, float]:
    """Mean AUROC on cookies of every engine; the profiles come from the usual one."""
    photos = {
        kind: [
            decode_frame(path.read_bytes(), name=path.name)
            for path in sorted((data / COOKIES).glob(f"{kind}-*.jpg"))
        ]
        for kind in ("normal", "anomaly")
    }
    found: dict[str, list[float]] = {name: [] for name in inspectors}
    for seed in range(SPLITS):
        order = np.random.default_rng(seed).permutation(len(photos["normal"]))
        enrolled, held = (
            [photos["normal"][n] for n in part] for part in (order[:ENROLLED], order[ENROLLED:])
        )
        profile = inspectors[CPU].enrol(enrolled, product="cookie")
        for name, inspector in inspectors.items():
            scores = [
                [inspector.inspect(one, profile, name="").inspection.score for one in part]
                for part in (held, photos["anomaly"])
            ]
            found[name].append(auroc(*scores))
    return {name: sum(values) / len(values) for name, values in found.items()}


def timed(inspector: DefectInspector) -> float:
    """Median processor time of the network on a picture, in milliseconds."""
    image = np.random.default_rng(0).integers(0, 256, (512, 512, 3)).astype(np.uint8)
    times = []
    for _ in range(20):
        began = time.process_time()
        inspector.backbone.patches(image, (256, 256))
        times.append(1000 * (time.process_time() - began))
    return median(times)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path)
    options.add_argument("variants", nargs="+")
    options.add_argument("--data", type=Path)
    options.add_argument("--pictures", type=int, default=PICTURES)
    given = options.parse_args()
    cv2.setNumThreads(1)
    digest = open_model_set(given.folder).digest
    inspectors = {
        name: DefectInspector.load(given.folder, model_set=digest, variant=name)
        for name in (CPU, *given.variants)
    }
    usual = inspectors[CPU]
    others = {name: inspectors[name] for name in given.variants}
    found = compare(usual, others, golden_pictures(usual, given.pictures))
    curves = ranked(inspectors, given.data) if given.data else {}
    proofs: dict[str, Proof] = {}
    for name, parity in found.items():
        cost = round(max(0.0, curves[CPU] - curves[name]), 4) if curves else None
        proofs[name] = Proof(parity.pictures, parity.alike, cost)
        print(
            f"{name}: {parity.alike} of {parity.pictures} alike ({100 * parity.share:.2f} %), "
            f"a score at most {parity.farthest:.2f} apart, AUROC {curves.get(name, 0):.4f} "
            f"({CPU} {curves.get(CPU, 0):.4f}), network {timed(inspectors[name]):.1f} ms "
            f"({CPU} {timed(usual):.1f} ms)"
        )
        print("   ", *parity.differing)
    if not all(proof.holds for proof in proofs.values()):
        return 1
    path = given.folder / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["variants"] = sorted({*manifest["variants"], *proofs})
    manifest["parity"] = manifest.get("parity", {}) | {
        name: {k: v for k, v in dataclasses.asdict(proof).items() if v is not None}
        for name, proof in proofs.items()
    }
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    print(open_model_set(given.folder).digest)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
