"""The engines of a station: which sets, on what, and who reads the lines (I3, I5).

Opening is one thing; what a person should know about it goes into the first entry of the boot and
onto the health page as notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from appliance.config import InspectorConfig, ReaderConfig
from appliance.detectors import WithDetectors
from appliance.foreign_reader import check_python, paddle_lines
from appliance.inspectors import Inspectors, open_inspector
from appliance.model_sets import BACKBONE, CRACKS, READER, Running, newest_that_runs
from contracts.errors import ArtefactRefusedError, BadInputError
from contracts.reason import Reason
from ota.model_set import ModelSet
from vision.defects.inspector import DefectInspector
from vision.engine import CPU, INSPECT_VARIANTS, PADDLE, VARIANTS
from vision.reading.reader import LabelReader

READER_KIND = "label-reader"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Engines:
    reader: LabelReader
    inspectors: Inspectors
    notes: tuple[Reason, ...]
    paddle_models: Path | None
    """Where the networks of PaddleOCR stand, when its process is to be started."""
    detectors: WithDetectors | None = None

    @property
    def judging(self) -> Inspectors | WithDetectors:
        """What looks at cartons."""
        return self.detectors or self.inspectors

    @property
    def inspector(self) -> DefectInspector:
        """The newest, which enrols and teaches."""
        return self.inspectors.newest


def load_engines(
    threads: int,
    reading: ReaderConfig,
    inspecting: InspectorConfig | None = None,
    *,
    socket: Path | None = None,
    models: Path | None = None,
    mm_per_px: float = 0.0,
) -> Engines:
    """Both engines from the newest sets that hold, every file checked.

    `socket` is where PaddleOCR's process will answer, if it is the one to read; `models` holds the
    sets, ours where none is named; `mm_per_px` is the inspect camera's scale, 0 where nobody
    measured it. Raises ArtefactRefusedError where no set of a kind runs,
    BadInputError for an engine that nobody knows, UnavailableError for one that is not installed.
    """
    inspecting = inspecting or InspectorConfig()
    wanted_look = inspecting.engine
    _check_engine(reading.engine, (*VARIANTS, PADDLE), "reader.engine")
    _check_engine(wanted_look, INSPECT_VARIANTS, "inspector.engine")
    if reading.engine == PADDLE:
        check_python(reading.paddle_python)

    def reader(model_set: ModelSet, variant: str) -> LabelReader:
        return open_reader(model_set, variant, threads=threads, socket=socket)

    wanted = Path(reading.models) if reading.models else None
    read = newest_that_runs(READER, reader, variant=reading.engine, before=wanted, root=models)
    looks, more = _inspectors(wanted_look, threads=threads, models=models, mm_per_px=mm_per_px)
    notes = (*read.notes, *looks.notes, *more)
    for note in notes:
        log.warning(note.code, **note.params)
    detectors = None
    if inspecting.detectors:
        folder, scale = Path(inspecting.detectors), mm_per_px or None
        detectors = WithDetectors(looks.made, folder, threads=threads, mm_per_px=scale)
    return Engines(
        read.made,
        looks.made,
        notes,
        read.model_set.folder if read.variant == PADDLE else None,
        detectors,
    )


def _check_engine(engine: str, known: tuple[str, ...], where: str) -> None:
    if engine not in known:
        raise BadInputError(f"{where} is {engine!r}", mend=f"Choose from {', '.join(known)}")


def _inspectors(
    wanted: str, *, threads: int, models: Path | None, mm_per_px: float
) -> tuple[Running[Inspectors], tuple[Reason, ...]]:
    lines: ModelSet | None = None
    notes: tuple[Reason, ...] = ()
    try:
        running = newest_that_runs(CRACKS, lambda model_set, _: model_set, root=models)
        lines, notes = running.model_set, running.notes
    except ArtefactRefusedError as error:
        notes = (Reason("no_crack_network", {"why": error.message}),)

    def inspectors(model_set: ModelSet, variant: str) -> Inspectors:
        newest = open_inspector(model_set, lines, variant=variant, threads=threads)
        # What began under another set goes on where that set was made to run.
        older = partial(open_inspector, variant=CPU, threads=threads)
        return Inspectors(newest, open_sets=older, root=models, mm_per_px=mm_per_px or None)

    return newest_that_runs(BACKBONE, inspectors, variant=wanted, root=models), notes


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
