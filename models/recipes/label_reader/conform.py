"""Prove a label reader on another engine, and name the engine in its manifest.

    python conform.py SET_FOLDER FRAMES_FOLDER VARIANT

FRAMES_FOLDER holds golden frames: truth.json, asn.csv and the pictures. Every frame must be
decided as on onnxruntime-cpu, with the list and without it: the same line, the same fields, the
same decision, the confidence within one hundredth. Prints what differs, and times as processor
time in one run. The manifest, and with it the digest, changes only where nothing differs. Run from
the repository root with an environment that has the engine (sh scripts/extra.sh openvino).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from appliance.bench.facts import median
from appliance.bench.label_truth import read_truth
from contracts.asn import ExpectedLine
from contracts.reading import LabelReading
from erp_link.asn.files import read_asn
from ota.model_set import MANIFEST, open_model_set
from vision.engine import CPU
from vision.frames import decode_frame
from vision.reading.reader import LabelReader

CLOSE = 0.01


def main(folder: Path, data: Path, variant: str) -> int:
    digest = open_model_set(folder).digest
    readers = {
        each: LabelReader.load(folder, model_set=digest, variant=each) for each in (CPU, variant)
    }
    expected = [ExpectedLine(line) for line in read_asn(data / "asn.csv").lines]
    times: dict[str, list[float]] = {each: [] for each in readers}
    frames = differing = texts = 0
    for truth in read_truth(data):
        frame = decode_frame((data / truth.file).read_bytes(), name=truth.file)
        frames += 1
        for announced in (expected, []):
            said: dict[str, LabelReading] = {}
            for each, reader in readers.items():
                began = time.process_time()
                said[each] = reader.read([frame], announced, name=truth.file)
                times[each].append(1000 * (time.process_time() - began))
            wanted, given = said[CPU], said[variant]
            texts += [a.text for a in wanted.lines] != [b.text for b in given.lines]
            if (
                _decided(wanted) != _decided(given)
                or abs(wanted.confidence - given.confidence) > CLOSE
            ):
                differing += 1
                print(f"{truth.file}: {_decided(wanted)} {wanted.confidence}")
                print(f"{'':>{len(truth.file)}}  {_decided(given)} {given.confidence}")
    usual, this = (median(times[each]) for each in readers)
    print(
        f"{frames} frames, {differing} readings differ, {texts} have another text in some line; "
        f"{usual:.0f} ms of processor time on {CPU}, {this:.0f} ms on {variant}"
    )
    if differing or not frames:
        return 1
    path = folder / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["variants"] = sorted({*manifest["variants"], variant})
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
    print(open_model_set(folder).digest)
    return 0


def _decided(reading: LabelReading) -> tuple[object, ...]:
    fields = (reading.fields.gtin, reading.fields.batch, reading.fields.expiry)
    codes = tuple(each.code for each in reading.reasons)
    return (
        str(reading.decision),
        reading.asn_line,
        *(each.value if each else None for each in fields),
        codes,
    )


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
