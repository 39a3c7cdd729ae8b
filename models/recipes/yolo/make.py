"""A labelled folder -> a detector's model set, with Ultralytics in a process of its own.

    sh scripts/extra.sh yolo                      # once: the environment, and its Python
    python models/recipes/yolo/make.py LABELLED OUT --python build/extras/yolo/bin/python

Run from the repository root with the appliance's own environment. What comes out is under
AGPL-3.0, as its manifest says: it is for the site that made it, it never enters this repository or
an image, and publishing it needs a recorded decision (ota/publishing.py).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import msgspec
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from contracts.errors import TallymanError, UnavailableError
from models.recipes.yolo.labelled import Labelled, lay_out, read_folder, split
from ota.model_set import ModelSet, write_manifest
from vision.detecting.detector import Detector
from vision.detecting.facts import FILE, FORMAT, KIND, STEM, DetectorFacts
from vision.frames import decode_frame

LICENCE = "AGPL-3.0"
PROGRAM = Path(__file__).with_name("program.py")
# Nothing else of ours goes into its environment: no credentials, no proxies.
_HANDED_ON = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "TMPDIR")


def trained(python: Path, settings: dict[str, object], log: Path) -> Path:
    """Runs the training and shows how far it is; answers the ONNX file.

    Raises UnavailableError with the end of its output when it fails.
    """
    work = Path(str(settings["work"]))
    (work / "settings.json").write_text(json.dumps(settings))
    env = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    made = ""
    with (
        log.open("wb") as errors,
        Progress(
            TextColumn("learning"),
            BarColumn(),
            TextColumn("{task.percentage:.0f} %"),
            TimeRemainingColumn(),
            transient=not sys.stdout.isatty(),
        ) as bars,
    ):
        bar = bars.add_task("", total=float(str(settings["epochs"])))
        with subprocess.Popen(  # noqa: S603 -- the Python that the person named, our own program
            [str(python), "-I", str(PROGRAM), str(work / "settings.json")],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=env,
            text=True,
        ) as process:
            for line in process.stdout or ():
                said = json.loads(line)
                made = said.get("onnx", made)
                bars.update(bar, completed=said.get("epoch"))
    if process.returncode or not made:
        tail = log.read_text(errors="replace").splitlines()[-5:]
        raise UnavailableError(
            f"The training ended with {process.returncode}: {' | '.join(tail)}",
            mend=f"Its whole output is in {log}",
        )
    return Path(made)


def scores(detector: Detector, held: Sequence[Labelled]) -> tuple[list[float], list[float]]:
    """Of good and of defective items held out, the surest box: of an item's pictures the surest
    where it is good, the least sure where it is defective.
    """
    best: dict[tuple[bool, str], list[float]] = {}
    for each in held:
        image = decode_frame(each.picture.read_bytes(), name=each.picture.name)
        score = max((box.score for box in detector.find(image)), default=0.0)
        best.setdefault((bool(each.boxes), each.item), []).append(score)
    good = [max(found) for (bad, _), found in best.items() if not bad]
    return good, [min(found) for (bad, _), found in best.items() if bad]


def make(given: argparse.Namespace) -> ModelSet:
    found, classes = read_folder(given.labelled, given.item_pattern)
    parts = split(found, given.seed)
    told = {side: len({each.item for each in held}) for side, held in parts.items()}
    print(f"{len(found)} pictures, items by side: {told}, classes: {', '.join(classes)}")
    given.out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        settings = {
            "data": str(lay_out(parts, classes, work / "data")),
            "work": str(work),
            "start_from": str(given.start_from),
            "epochs": given.epochs,
            "side_px": given.side_px,
            "batch": given.batch,
            "seed": given.seed,
            "threads": given.threads,
            "device": given.device,
        }
        log = given.out.parent / f"{given.out.name}.log"
        shutil.copyfile(trained(given.python, settings, log), given.out / f"{STEM}.onnx")
    facts = DetectorFacts(format=FORMAT, classes=classes, side_px=given.side_px)
    _write(facts, given.out)
    good, bad = scores(Detector.load(given.out), parts["calibrate"])
    facts = msgspec.structs.replace(facts, good_scores=tuple(good), bad_scores=tuple(bad))
    _write(facts, given.out)
    print(
        f"held out: {len(good)} good and {len(bad)} defective items; limit {facts.limit} at "
        f"{facts.bound_percent} %, sound below {facts.sound} at {facts.missed_percent} %"
    )
    return write_manifest(
        given.out,
        name="defect_detector",
        version=given.version,
        kind=KIND,
        licence=LICENCE,
        source=f"the site's own pictures; trained with Ultralytics from {given.start_from.name}",
        recipe="models/recipes/yolo",
    )


def _write(facts: DetectorFacts, folder: Path) -> None:
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=1) + b"\n")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("labelled", type=Path)
    options.add_argument("out", type=Path, help="A folder that does not exist yet.")
    options.add_argument("--python", type=Path, required=True, help="Of requirements/yolo.lock.")
    options.add_argument("--item-pattern", default=r"^(.+)\.[^.]+$")
    options.add_argument("--start-from", type=Path, default=Path("yolo11n.yaml"))
    options.add_argument("--epochs", type=int, default=100)
    options.add_argument("--side-px", type=int, default=320)
    options.add_argument("--batch", type=int, default=8)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--device", default="cpu")
    options.add_argument("--version", default="1.0.0")
    try:
        made = make(options.parse_args())
    except TallymanError as error:
        print(f"yolo: {error}", file=sys.stderr)
        return 2
    print(made.digest)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
