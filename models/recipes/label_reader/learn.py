r"""From settled cartons to a candidate model set with its verdict; `tallyman learn run` starts it.

    python learn.py --dataset DIR --current SET --candidates DIR --work DIR \
        --kit DIR --python TRAINING_PYTHON --minutes 60

Runs in the appliance's own environment; training itself runs in TRAINING_PYTHON. KIT holds `fonts/`
(fonts.py), `released.onnx` and `dictionary.txt` (what train.py starts from), and where they are
there `checkpoint.pt` (of the set in force), `calibration/` and `judged/` (two rendered sets with
truth, of fonts that training does not know). Leaves CANDIDATES/VERSION-RUN/{set/, verdict.json,
checkpoint.pt} and WORK/result.json. Publishes and activates nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT))

import cv2
import msgspec

from appliance.durable import write_atomic
from appliance.learning.candidate import Measured, judge_candidate
from appliance.learning.dataset import Dataset
from appliance.learning.example import ExampleName, decode_example
from appliance.learning.judging import measured, read_frames, read_lines
from appliance.learning.labels.desk import label_book
from appliance.learning.labels.teaching import corrected
from appliance.learning.lines import TeachingLine, teaching_lines
from appliance.learning.retention import Limits
from appliance.learning.split import Ledger, is_held_out, read_ledger, write_ledger
from ota.model_set import ModelSet, open_model_set, write_manifest
from vision.reading.reader import LabelReader

LEAST_LINES = 20
"""Fewer lines teach nothing that the drawn ones do not."""
LAUNCHER = ROOT / "appliance" / "services" / "child.py"


def split_lines(
    dataset: Dataset,
) -> tuple[list[TeachingLine], list[TeachingLine], list[ExampleName]]:
    """Lines that teach, lines that judge, and the examples that the latter are of; each as people
    saw it, where they did (appliance.learning.labels).
    """
    with closing(label_book(dataset.folder)) as book:
        answers = book.answers()
    teach: list[TeachingLine] = []
    judge: list[TeachingLine] = []
    names: list[ExampleName] = []
    for name in dataset.names():
        data = dataset.read(name)
        if data is None:
            continue
        example = decode_example(data)
        lines = corrected(teaching_lines(example), name.sha256, answers)
        if is_held_out(example.truth):
            judge += lines
            names.append(name)
        else:
            teach += lines
    return teach, judge, names


def freeze(path: Path, names: Sequence[ExampleName]) -> Ledger:
    """Enter what judges into the hold-out's ledger, which only grows."""
    before = read_ledger(path.read_bytes()) if path.exists() else Ledger()
    after = before.with_more(names)
    if after != before:
        write_atomic(path, write_ledger(after))
    return after


def write_lines(lines: Sequence[TeachingLine], folder: Path) -> None:
    """PNG crops and lines.jsonl, as train.py --extra wants them."""
    folder.mkdir(parents=True)
    rows = []
    for number, line in enumerate(lines):
        file = f"{number:06d}.png"
        assert cv2.imwrite(str(folder / file), line.crop())
        seen = [s for c, s in zip(line.text, line.seen, strict=True) if c != " "]
        rows.append(json.dumps({"file": file, "text": line.text, "seen": seen}, ensure_ascii=False))
    (folder / "lines.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


def tied(*command: object) -> list[str]:
    """A step in another interpreter, which ends with us."""
    return [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *map(str, command)]


def run(python: Path | str, *command: object) -> None:
    done = subprocess.run(tied(python, *command), check=False)  # noqa: S603 -- the site's own interpreter and our scripts
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}")


def minutes_spent(python: Path, checkpoint: Path) -> float:
    look = (
        "import sys, torch; print(torch.load(sys.argv[1], map_location='cpu')['state']['spent_s'])"
    )
    said = subprocess.run(  # noqa: S603 -- as above
        tied(python, "-c", look, checkpoint), stdout=subprocess.PIPE, text=True, check=True
    )
    return float(said.stdout) / 60


def train(given: argparse.Namespace, extra: Path, out: Path) -> None:
    """rec.onnx and charset.txt into `out`, fine-tuned from the set in force."""
    kit, trained = given.kit, given.work / "trained"
    trained.mkdir()
    checkpoint = trained / "checkpoint.pt"
    minutes = given.minutes
    if (kit / "checkpoint.pt").exists():
        shutil.copy(kit / "checkpoint.pt", checkpoint)
        # train.py goes on from a checkpoint up to the minutes of the whole run.
        minutes += minutes_spent(given.python, checkpoint)
    start = ("--init", kit / "released.onnx", "--keep", kit / "dictionary.txt")
    run(
        *(given.python, HERE / "train.py", "--fonts", kit / "fonts" / "train", *start),
        *("--out", trained, "--extra", extra, "--minutes", minutes),
    )
    run(given.python, HERE / "export.py", *start, "--checkpoint", checkpoint, "--out", out)


def assemble(given: argparse.Namespace, current: ModelSet, network: Path, lines: int) -> ModelSet:
    """The set in force with the new network, its confidence fitted anew where frames are there."""
    folder = given.work / "set"
    shutil.copytree(current.folder, folder)
    (folder / "quality.toml").unlink(missing_ok=True)
    for file in ("rec.onnx", "charset.txt"):
        shutil.copy(network / file, folder / file)
    version = next_version(current.version, given.candidates)
    if (given.kit / "calibration" / "truth.json").exists():
        run(sys.executable, HERE / "finish.py", folder, version, given.kit / "calibration")
    else:
        # Nobody measured how sure it is: it accepts nothing, and is not publishable.
        numbers = json.loads((folder / "reader.json").read_text(encoding="utf-8"))
        text = json.dumps(numbers | {"calibrated": False}, indent=1, sort_keys=True) + "\n"
        (folder / "reader.json").write_text(text, encoding="utf-8")
    manifest = json.loads((current.folder / "manifest.json").read_text(encoding="utf-8"))
    source = f"{manifest['source']}; fine-tuned from {current.digest} on {lines} settled lines of one site"
    card = folder / "MODEL_CARD.md"
    if card.exists():
        told = f"\n\n## Candidate {version}\nFine-tuned from {current.version} by `learn.py` on {lines} settled lines.\n"
        card.write_text(card.read_text(encoding="utf-8").rstrip() + told, encoding="utf-8")
    return write_manifest(
        folder,
        name=current.name,
        version=version,
        kind=current.kind,
        licence=manifest["licence"],
        source=source,
        recipe=manifest["recipe"],
    )


def next_version(version: str, candidates: Path) -> str:
    """1.2.0 -> 1.2.1, or what follows the newest candidate of that line: a registry takes each
    version once.
    """
    *front, last = version.split(".")
    taken = [int(last)]
    for place in candidates.glob("*/"):
        *head, tail = place.name.partition("-")[0].split(".")
        if head == front and tail.isdecimal():
            taken.append(int(tail))
    return ".".join([*front, str(max(taken) + 1)])


def measure(
    given: argparse.Namespace, current: ModelSet, candidate: ModelSet, lines: list[TeachingLine]
) -> tuple[Measured | None, Measured | None]:
    """Both sets on the hold-out, and on the rendered frames where they are there."""
    readers = [LabelReader.load(s.folder, model_set=s.digest) for s in (current, candidate)]
    held = (
        measured(*(read_lines(r.line_reader.recogniser, lines) for r in readers)) if lines else None
    )
    frames = given.kit / "judged"
    rendered = None
    if (frames / "truth.json").exists():
        rendered = measured(*(read_frames(reader, frames) for reader in readers))
    return held, rendered


def end(given: argparse.Namespace, outcome: str, detail: str, until_us: int) -> None:
    result = {"outcome": outcome, "detail": detail, "learnt_until_us": until_us}
    write_atomic(given.work / "result.json", json.dumps(result).encode())
    print(f"{outcome}: {detail}", flush=True)


def main(given: argparse.Namespace) -> None:
    os.nice(15)
    # Reading only: limits are the hub's.
    dataset = Dataset(given.dataset, Limits(sys.maxsize, 10**6))
    until_us = max((name.at_us for name in dataset.names()), default=0)
    teach, judge, names = split_lines(dataset)
    print(f"{len(teach)} lines teach, {len(judge)} lines judge", flush=True)
    if len(teach) < LEAST_LINES:
        end(given, "nothing", f"{len(teach)} lines to learn from", until_us)
        return
    ledger = freeze(given.dataset / "holdout.jsonl", names)
    current = open_model_set(given.current)
    extra = given.work / "lines"
    write_lines(teach, extra)
    try:
        train(given, extra, given.work / "network")
    finally:
        # Copies of examples: an erasure would not find them here.
        shutil.rmtree(extra)
    candidate = assemble(given, current, given.work / "network", len(teach))
    held, rendered = measure(given, current, candidate, judge)
    verdict = judge_candidate(held, rendered)
    place = given.candidates / f"{candidate.version}-{given.work.name}"
    place.mkdir(parents=True)
    told = {
        "candidate": candidate.digest,
        "current": current.digest,
        "version": candidate.version,
        "lines_taught": len(teach),
        "hold_out": {"digest": ledger.digest, "examples": len(names), "lines": len(judge)},
        "measured": {"hold_out": held and asdict(held), "rendered": rendered and asdict(rendered)},
        "publishable": verdict.publishable,
        "reasons": msgspec.to_builtins(verdict.reasons),
    }
    shutil.move(given.work / "set", place / "set")
    shutil.copy(given.work / "trained" / "checkpoint.pt", place / "checkpoint.pt")
    # Last, and whole: a candidate without a verdict is none.
    write_atomic(
        place / "verdict.json", json.dumps(told, indent=1, sort_keys=True).encode() + b"\n"
    )
    shutil.rmtree(given.work / "trained")
    why = "publishable" if verdict.publishable else "not publishable: "
    end(given, "candidate", why + ", ".join(r.code for r in verdict.reasons), until_us)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("dataset", "current", "candidates", "work", "kit", "python"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60.0)
    main(parser.parse_args())
