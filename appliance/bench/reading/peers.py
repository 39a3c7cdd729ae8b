"""Open readers beside ours: the same frames, the same field grammar, the same list.

They give texts with a score each. Without a list those texts go through our plain grammar; with
one, the line whose values fit them with the fewest edits is taken (semi-global, captions of
production dates respected), which is what a careful user would build on top of such a reader.
None of them is a dependency: what is not installed is left out.
"""

from __future__ import annotations

import csv
import io
import logging
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.bench.facts import median, percentile
from appliance.bench.label_truth import Answer, Truth, is_right, plain_answer
from appliance.bench.reading.measure import load
from appliance.bench.reading.scoring import percent
from contracts.asn import ExpectedLine
from vision.reading.align import AlignSettings, Stream
from vision.reading.captions import Role, find_captions
from vision.reading.ctc import FOLD, Charset
from vision.reading.expected import ExpectedIndex
from vision.reading.plain import PlainLine, read_plainly

_EDITS = AlignSettings(missing=1.0, extra=1.0, space=0.0)
_DATE_MARKS = "-/.,:; 年月日"
_WORD = "5"
"""The level of tesseract's table at which single words stand."""


class Peer(Protocol):
    name: str

    def texts(self, frame: NDArray[np.uint8]) -> list[PlainLine]:
        """The lines of text in a frame (h, w, 3) BGR."""
        ...


class RapidOcr:
    """The installed `rapidocr` with its own defaults. Raises ImportError where absent."""

    name = "rapidocr"

    def __init__(self) -> None:
        import rapidocr

        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        self._engine: Any = rapidocr.RapidOCR()
        logging.getLogger("RapidOCR").setLevel(logging.ERROR)

    def texts(self, frame: NDArray[np.uint8]) -> list[PlainLine]:
        said = self._engine(frame)
        if said.txts is None:
            return []
        return [PlainLine(t, float(s)) for t, s in zip(said.txts, said.scores, strict=True)]


class Tesseract:
    """The installed program, English and simplified Chinese where it has them, sparse text: of its
    page modes 3, 6, 11 and 12 the one that read most of the development set. Raises ImportError
    where absent.
    """

    name = "tesseract"

    def __init__(self) -> None:
        program = shutil.which("tesseract")
        if program is None:
            raise ImportError("tesseract is not installed")
        listed = subprocess.run(  # noqa: S603 -- the program found by its name, no shell
            [program, "--list-langs"], capture_output=True, text=True, check=False
        ).stdout.split()
        languages = "+".join(each for each in ("eng", "chi_sim") if each in listed) or "eng"
        self._command = [program, "-", "-", "-l", languages, "--psm", "11", "tsv"]

    def texts(self, frame: NDArray[np.uint8]) -> list[PlainLine]:
        _, data = cv2.imencode(".bmp", frame)
        done = subprocess.run(  # noqa: S603 -- as above; the frame goes in as bytes
            self._command,
            input=data.tobytes(),
            capture_output=True,
            check=False,
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
        )
        return tesseract_lines(done.stdout.decode("utf-8", "replace"))


def tesseract_lines(table: str) -> list[PlainLine]:
    """Lines from tesseract's tab-separated table: words of one line joined, their mean score."""
    lines: dict[tuple[str, str, str], list[tuple[str, float]]] = {}
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] == _WORD and row["text"].strip():
            at = (row["block_num"], row["par_num"], row["line_num"])
            lines.setdefault(at, []).append((row["text"], float(row["conf"]) / 100))
    return [
        PlainLine(" ".join(word for word, _ in words), sum(s for _, s in words) / len(words))
        for words in lines.values()
    ]


def installed() -> list[Peer]:
    """The peers that this machine has."""
    found: list[Peer] = []
    for kind in (RapidOcr, Tesseract):
        try:
            found.append(kind())
        except ImportError:
            continue
    return found


def compare(
    peer: Peer,
    folder: Path,
    truths: Iterable[Truth],
    expected: Sequence[ExpectedLine],
    charset: Charset,
) -> dict[str, Any]:
    """One peer's figures over `truths`: percent of frames right with and without the list, in all
    and by kind and damage, and its times.
    """
    index = ExpectedIndex.build([each.line for each in expected], charset)
    rights: dict[str, dict[str, list[bool]]] = {"with_list": {}, "without_list": {}}
    times = []
    for truth in truths:
        frame = load(folder, truth)
        start = time.perf_counter()
        lines = peer.texts(frame)
        times.append(1000 * (time.perf_counter() - start))
        answers = {"without_list": without_list(lines)}
        if expected:
            answers["with_list"] = with_list(lines, index, charset)
        damage = f"damage_{10 * round(10 * truth.damage)}"
        for way, answer in answers.items():
            right = is_right(truth, answer)
            for name in ("all", truth.kind, damage, f"{truth.kind}_{damage}"):
                rights[way].setdefault(name, []).append(right)
    return {
        "frames": len(times),
        **{
            f"right_{way}_percent": {name: percent(flags) for name, flags in sorted(of.items())}
            for way, of in rights.items()
        },
        "p50_ms": round(median(times), 1),
        "p95_ms": round(percentile(times, 95), 1),
    }


def without_list(lines: Sequence[PlainLine]) -> Answer:
    return plain_answer(read_plainly(lines, ()))


def with_list(lines: Sequence[PlainLine], index: ExpectedIndex, charset: Charset) -> Answer:
    """The announced line whose values fit the texts with the fewest edits."""
    stream = edits(lines, charset)
    production = np.array(
        [any(role is Role.PRODUCTION for role, _, _ in find_captions(line.text)) for line in lines]
        or [False]
    )
    best = np.zeros(len(index.lines))
    for values, of_line, dates in (
        (index.gtins, index.gtin, False),
        (index.batches, index.batch, False),
        (index.dates, index.expiry, True),
    ):
        score = np.maximum(values.fit(stream, _EDITS), 0.0)
        if dates:
            score = np.where(production, 0.0, score)
        best += score.max(axis=1)[of_line]
    line = index.lines[int(best.argmax())]
    return {"gtin": line.gtin, "batch": line.batch, "expiry": line.expiry.isoformat()}


def edits(lines: Sequence[PlainLine], charset: Charset) -> Stream:
    """Texts as a stream in which a matching letter earns 1 and any other costs 1."""
    size = len(charset.letters)
    columns: list[NDArray[np.float32]] = []
    extra: list[float] = []
    starts = []
    for line in lines or [PlainLine("", 0.0)]:
        starts.append(len(columns))
        columns.append(np.full(size + 1, -200.0, dtype=np.float32))
        extra.append(200.0)
        for letter in line.text.translate(FOLD):
            column = np.full(size + 1, -1.0, dtype=np.float32)
            if letter in charset.index:
                column[charset.index[letter]] = 1.0
            if letter in _DATE_MARKS:
                column[size] = 0.0
            columns.append(column)
            extra.append(0.0 if letter == " " else 1.0)
    return Stream(
        np.ascontiguousarray(np.array(columns).T),
        np.array(extra, dtype=np.float32),
        np.zeros(len(extra), dtype=np.float32),
        np.array(starts, dtype=np.intp),
        max(1, len(columns) - len(starts)),
    )
