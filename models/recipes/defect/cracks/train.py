"""Train the crack network's base weights: made grounds, drawn cracks, hard negatives.

    PYTHONPATH=. python -m models.recipes.defect.cracks.train OUT --steps 20000 [--photos FOLDER]

Goes on from OUT/checkpoint.pt where one lies. Uses a GPU where one is there.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import queue
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.recipes.defect.cracks.network import CrackNet
from models.recipes.defect.cracks.textures import Grey, ground
from vision.defects.cracks.channels import channels, texture_sigma
from vision.defects.cracks.drawing import crack, distraction

SIDE_PX = 160
BATCH = 8
RATE = 2e-3
_MARGIN_PX = 16
"""What is kept around a drawn picture for filters to reach into, and cut away again."""


def sample(photos: list[Grey], draw: np.random.Generator) -> tuple[Grey, NDArray[np.bool_]]:
    """(3, s, s) channels of a made picture and (s / 2, s / 2) where a crack is."""
    side = SIDE_PX + 2 * _MARGIN_PX
    grey = ground(side, photos, draw)
    sigma = texture_sigma(grey)
    mask = np.zeros(grey.shape, np.bool_)
    for _ in range(int(draw.integers(0, 3))):
        grey = distraction(grey, sigma, draw)
    if draw.random() < 0.75:
        for _ in range(int(draw.integers(1, 3))):
            grey, found = crack(grey, sigma, draw)
            mask |= found
    if draw.random() < 0.4:
        grey = distraction(grey, sigma, draw)
    if draw.random() < 0.3:
        _, coded = cv2.imencode(
            ".jpg", grey.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(draw.integers(60, 96))]
        )
        grey = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    keep = slice(_MARGIN_PX, _MARGIN_PX + SIDE_PX)
    # Half of the pictures end where the crop ends, as a camera's frame does.
    if draw.random() < 0.5:
        seen = channels(np.ascontiguousarray(grey[keep, keep]))
    else:
        seen = np.ascontiguousarray(channels(grey)[:, keep, keep])
    mask = mask[keep, keep]
    half = mask.reshape(SIDE_PX // 2, 2, SIDE_PX // 2, 2).any(axis=(1, 3))
    return seen, half


def supply(out: mp.Queue, photos: list[Grey], seed: int) -> None:
    cv2.setNumThreads(1)
    draw = np.random.default_rng(seed)
    while True:
        made = [sample(photos, draw) for _ in range(BATCH)]
        out.put((np.stack([m[0] for m in made]), np.stack([m[1] for m in made])))


def loss_of(logits: Tensor, wanted: Tensor) -> Tensor:
    """Focal (Lin et al., arXiv 1708.02002) and soft dice over the batch."""
    plain = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    sure = torch.exp(-plain)
    weight = 0.75 * wanted + 0.25 * (1 - wanted)
    focal = (weight * (1 - sure) ** 2 * plain).sum() / (wanted.sum() + 500)
    share = torch.sigmoid(logits)
    dice = 1 - (2 * (share * wanted).sum() + 50) / (share.sum() + wanted.sum() + 50)
    return focal + dice


def batches(photos: list[Grey], workers: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    shelf: mp.Queue = mp.Queue(8)
    for number in range(workers):
        mp.Process(target=supply, args=(shelf, photos, seed + number), daemon=True).start()
    while True:
        try:
            seen, wanted = shelf.get(timeout=60)
        except queue.Empty:
            sys.exit("No picture came for a minute: the drawing process has ended")
        yield torch.from_numpy(seen), torch.from_numpy(wanted).float()[:, None]


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("out", type=Path)
    ask.add_argument("--steps", type=int, default=20000)
    ask.add_argument("--photos", type=Path)
    ask.add_argument("--start", type=Path, help="a checkpoint to take the first weights from")
    ask.add_argument("--seed", type=int, default=20261122)
    ask.add_argument("--threads", type=int, default=1)
    ask.add_argument("--workers", type=int, default=1)
    given = ask.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    photos = (
        [
            cv2.imread(str(path), cv2.IMREAD_GRAYSCALE).astype(np.float32)
            for path in sorted(given.photos.glob("*"))
        ]
        if given.photos
        else []
    )
    net = CrackNet().to(device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=given.steps)
    done = 0
    checkpoint = given.out / "checkpoint.pt"
    if checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device)
        net.load_state_dict(kept["net"])
        optimiser.load_state_dict(kept["optimiser"])
        schedule.load_state_dict(kept["schedule"])
        done = kept["done"]
    elif given.start:
        net.load_state_dict(torch.load(given.start, map_location=device)["net"])
    started, mean = time.monotonic(), 0.0
    for seen, wanted in batches(photos, given.workers, given.seed + done):
        net.train()
        loss = loss_of(net(seen.to(device)), wanted.to(device))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        done += 1
        mean += (loss.item() - mean) / min(done, 200)
        if done % 100 == 0:
            pace = (time.monotonic() - started) / 100
            started = time.monotonic()
            print(f"step {done} of {given.steps}  loss {mean:.3f}  {pace:.2f} s a step", flush=True)
        if done % 500 == 0 or done == given.steps:
            torch.save(
                {
                    "net": net.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict(),
                    "done": done,
                },
                checkpoint,
            )
        if done >= given.steps:
            break


if __name__ == "__main__":
    main()
