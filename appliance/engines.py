"""The engines of a station: which sets, on what, and who reads the lines (I3, I5).

Opening is one thing; what a person should know about it goes into the first entry of the boot and
onto the health page as notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from appliance.config import ReaderConfig
from appliance.foreign_reader import check_python, paddle_lines
from appliance.model_sets import BACKBONE, READER, newest_that_runs
from contracts.errors import ArtefactRefusedError, BadInputError
from contracts.reason import Reason
from ota.model_set import ModelSet
from vision.defects.inspector import DefectInspector
from vision.engine import PADDLE, VARIANTS
from vision.reading.reader import LabelReader

READER_KIND = "label-reader"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Engines:
    reader: LabelReader
    inspector: DefectInspector
    notes: tuple[Reason, ...]
    paddle_models: Path | None
    """Where the networks of PaddleOCR stand, when its process is to be started."""


def load_engines(
    threads: int,
    reading: ReaderConfig,
    *,
    socket: Path | None = None,
    models: Path | None = None,
) -> Engines:
    """Both engines from the newest sets that hold, every file checked.

    `socket` is where PaddleOCR's process will answer, if it is the one to read; `models` holds the
    sets, ours where none is named. Raises ArtefactRefusedError where no set of a kind runs,
    BadInputError for an engine that nobody knows, UnavailableError for one that is not installed.
    """
    if reading.engine not in (*VARIANTS, PADDLE):
        raise BadInputError(
            f"reader.engine is {reading.engine!r}",
            mend=f"Choose from {', '.join((*VARIANTS, PADDLE))}",
        )
    if reading.engine == PADDLE:
        check_python(reading.paddle_python)

    def reader(model_set: ModelSet, variant: str) -> LabelReader:
        return open_reader(model_set, variant, threads=threads, socket=socket)

    def inspector(model_set: ModelSet, _: str) -> DefectInspector:
        return DefectInspector.load(model_set.folder, model_set=model_set.digest, threads=threads)

    wanted = Path(reading.models) if reading.models else None
    read = newest_that_runs(READER, reader, variant=reading.engine, before=wanted, root=models)
    looked = newest_that_runs(BACKBONE, inspector, root=models)
    notes = (*read.notes, *looked.notes)
    for note in notes:
        log.warning(note.code, **note.params)
    return Engines(
        read.made,
        looked.made,
        notes,
        read.model_set.folder if read.variant == PADDLE else None,
    )


def open_reader(
    model_set: ModelSet, variant: str, *, threads: int, socket: Path | None = None
) -> LabelReader:
    """The reader of an opened set on an engine; `socket` is PaddleOCR's."""
    if model_set.kind != READER_KIND:
        raise ArtefactRefusedError(
            f"{model_set.folder} is a {model_set.kind}, not a label reader",
            mend="Name the folder of a label reader",
        )
    foreign = None
    if variant == PADDLE and socket is not None:
        foreign = paddle_lines(socket, model_set.folder)
    return LabelReader.load(
        model_set.folder,
        model_set=model_set.digest,
        threads=threads,
        variant=variant,
        line_reader=foreign,
    )
