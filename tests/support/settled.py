"""Settled cartons whose lines the reader doubted, and the page of their queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from fastapi import FastAPI

from appliance.learning.cutting import png
from appliance.learning.dataset import Dataset
from appliance.learning.example import Example, Glyph, KeptLine, SeenLine, Truth, us_of
from appliance.learning.labels.book import LabelBook
from appliance.learning.labels.desk import LabelDesk, label_book
from appliance.learning.retention import Limits
from appliance.web.app import create_app
from appliance.web.labelling import labelling_router
from contracts.clock import FixedClock
from contracts.reason import Reason
from tests.support.pages import NOW, FakeGate

GTIN = "09521100410014"


def print_of(text: str, *, smudge: bool = False) -> np.ndarray:
    """A line as a label shows it; (64, w, 3)."""
    picture = np.full((64, 24 * len(text), 3), 228, np.uint8)
    cv2.putText(picture, text, (8, 48), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (18, 18, 18), 3)
    if smudge:
        cv2.ellipse(picture, (60, 36), (30, 14), 8.0, 0, 360, (120, 120, 130), -1)
    return picture


def carton(number: int, *, read: str = "", sure: float = 0.5, at: datetime = NOW) -> Example:
    """A carton whose batch B1000 + number stands in one kept line; `read` is what the reader made
    of it, `sure` how sure it was of each character.
    """
    truth = Truth(GTIN, f"B{1000 + number}", "2027-12-03")
    text = read or truth.batch
    glyphs = tuple(Glyph((n + 0.5) / len(text), ((letter, sure),)) for n, letter in enumerate(text))
    right = 12.0 * len(text)
    seen = SeenLine(0, ((0.0, 0.0), (right, 0.0), (right, 20.0), (0.0, 20.0)), text, 0.9, glyphs)
    crop = print_of(truth.batch, smudge=text != truth.batch)
    return Example(
        device="edge-01",
        station="dock-1",
        carton_id=f"c-{number}",
        session="s-1",
        at_us=us_of(at),
        model_set="sha256:" + "a" * 64,
        seen_by="sha256:" + "b" * 64,
        camera="label",
        decision="review",
        confidence=0.6,
        reasons=(Reason("batch_unreadable"),),
        candidates=(),
        truth=truth,
        how="keyed",
        asn_line=None,
        privacy="crops",
        lines=(KeptLine(seen, ("batch",), png(crop)),),
    )


@dataclass
class Queue:
    """A hub's queue of doubtful lines and its page."""

    dataset: Dataset
    book: LabelBook
    desk: LabelDesk
    gate: FakeGate = field(default_factory=FakeGate)
    app: FastAPI = field(default_factory=FastAPI)

    def take_in(self, *cartons: Example) -> None:
        for each in cartons:
            self.dataset.add(each, now_us=us_of(NOW))


@contextmanager
def a_queue(folder: Path, *, next_run: datetime | None = None) -> Iterator[Queue]:
    dataset = Dataset(folder / "learning", Limits(1 << 30, 90))
    book = label_book(dataset.folder)
    try:
        desk = LabelDesk(dataset, book, clock=FixedClock(NOW), next_run=lambda: next_run)
        queue = Queue(dataset, book, desk)
        queue.app = create_app("Tallyman", station="dock-1")
        queue.app.include_router(labelling_router(desk, queue.gate))
        yield queue
    finally:
        book.close()
