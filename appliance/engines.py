"""The engines of a station: which sets, on what, and who reads the lines (I3, I5).

Opening is one thing; what a person should know about it goes into the first entry of the boot and
onto the health page as notes. `EngineRoom` opens what an assignment wants beside what runs, and
keeps every part that does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from appliance.config import InspectorConfig, ReaderConfig
from appliance.detectors import WithDetectors
from appliance.foreign_reader import check_python, paddle_lines
from appliance.inspectors import Inspectors, open_inspector
from appliance.model_sets import BACKBONE, CRACKS, READER, Running, engine_for, newest_that_runs
from appliance.sets.fleet_profiles import FleetProfiles
from appliance.sets.shelf import SetShelf, loaded_whole
from contracts.errors import ArtefactRefusedError, BadInputError
from contracts.reason import Reason
from ota.model_set import ModelSet
from vision.defects.inspector import DefectInspector
from vision.engine import CPU, INSPECT_VARIANTS, PADDLE, VARIANTS
from vision.reading.reader import LabelReader

READER_KIND = "label-reader"
GOODS_LANES = ("inspect", "cracks", "detectors", "profiles")
T = TypeVar("T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Engines:
    """`wanted` is what each lane was asked for; a lane that is not named runs the installation's."""

    reader: LabelReader
    inspectors: Inspectors
    notes: tuple[Reason, ...]
    paddle_models: Path | None
    """Where the networks of PaddleOCR stand, when its process is to be started."""
    detectors: WithDetectors | None = None
    profiles: FleetProfiles = field(default_factory=FleetProfiles)
    wanted: Mapping[str, str] = field(default_factory=dict)

    @property
    def judging(self) -> Inspectors | WithDetectors:
        """What looks at cartons."""
        return self.detectors or self.inspectors

    @property
    def inspector(self) -> DefectInspector:
        """The newest, which enrols and teaches."""
        return self.inspectors.newest

    @property
    def digests(self) -> dict[str, str]:
        """By lane: the sets whose files were checked when they were loaded."""
        cracks = self.inspector.cracks
        named = {
            "read": self.reader.model_set,
            "inspect": self.inspectors.model_set,
            "cracks": cracks.model_set if cracks else "",
            "detectors": self.wanted.get("detectors", ""),
            "profiles": self.profiles.model_set,
        }
        return {lane: digest for lane, digest in named.items() if digest}

    @property
    def variants(self) -> dict[str, str]:
        """By lane: the engine that it runs on."""
        known = {"read": self.reader.variant, "inspect": self.inspectors.variant}
        return {lane: known.get(lane, CPU) for lane in self.digests}


def load_engines(
    threads: int,
    reading: ReaderConfig,
    inspecting: InspectorConfig | None = None,
    *,
    socket: Path | None = None,
    models: Path | None = None,
    mm_per_px: float = 0.0,
) -> Engines:
    """The engines of the newest sets of the installation that hold, every file checked.

    `socket` is where PaddleOCR's process will answer, if it is the one to read; `models` holds the
    sets, ours where none is named; `mm_per_px` is the inspect camera's scale, 0 where nobody
    measured it. Raises ArtefactRefusedError where no set of a kind runs,
    BadInputError for an engine that nobody knows, UnavailableError for one that is not installed.
    """
    room = EngineRoom(
        threads,
        reading,
        inspecting or InspectorConfig(),
        socket=socket,
        models=models,
        mm_per_px=mm_per_px,
    )
    return room.open({})


@dataclass(frozen=True, slots=True)
class EngineRoom:
    """How engines are opened on this box. Methods block."""

    threads: int
    reading: ReaderConfig
    inspecting: InspectorConfig = field(default_factory=InspectorConfig)
    socket: Path | None = None
    models: Path | None = None
    agent: Path | None = None
    """The agent's folder, with the sets that it fetched."""
    mm_per_px: float = 0.0

    @property
    def shelf(self) -> SetShelf:
        return SetShelf(installed=self.models, agent=self.agent)

    def open(self, wanted: Mapping[str, str], running: Engines | None = None) -> Engines:
        """Engines for `wanted` (lane to digest; the installation's where a lane is not named).
        Lanes that `running` has already are taken over from it, loaded as they are.

        Raises as `load_engines`; what runs is left as it is.
        """
        named = {lane: digest for lane, digest in wanted.items() if digest}
        more: tuple[Reason, ...] = ()
        if running is not None and _same(named, running.wanted, ("read",)):
            read, notes, paddle = running.reader, more, running.paddle_models
        else:
            read, notes, paddle = self._reader(named.get("read", ""))
        if running is not None and _same(named, running.wanted, GOODS_LANES):
            looks, detectors, profiles = running.inspectors, running.detectors, running.profiles
        else:
            looks, detectors, profiles, more = self._goods(named, running)
        for note in (*notes, *more):
            log.warning(note.code, **note.params)
        return Engines(read, looks, (*notes, *more), paddle, detectors, profiles, named)

    def reader_of(self, digest: str) -> LabelReader:
        """The reader of a set by its digest. Raises ArtefactRefusedError, UnavailableError."""
        if self.reading.engine == PADDLE:
            raise _one_paddle()
        found = self.shelf.find(READER, digest)
        return self._open_reader(found, engine_for(found, self.reading.engine))

    def _reader(self, wanted: str) -> tuple[LabelReader, tuple[Reason, ...], Path | None]:
        engine = self.reading.engine
        _check_engine(engine, (*VARIANTS, PADDLE), "reader.engine")
        if engine == PADDLE:
            check_python(self.reading.paddle_python)
        if engine == PADDLE and wanted:
            raise _one_paddle()
        before = Path(self.reading.models) if self.reading.models else None
        read = self._one(READER, wanted, self._open_reader, engine, before=before)
        return read.made, read.notes, read.model_set.folder if read.variant == PADDLE else None

    def _open_reader(self, model_set: ModelSet, variant: str) -> LabelReader:
        return open_reader(model_set, variant, threads=self.threads, socket=self.socket)

    def _goods(
        self, named: Mapping[str, str], running: Engines | None
    ) -> tuple[Inspectors, WithDetectors | None, FleetProfiles, tuple[Reason, ...]]:
        _check_engine(self.inspecting.engine, INSPECT_VARIANTS, "inspector.engine")
        looks, notes = self._inspectors(named)
        if running is not None:
            looks.keep_of(running.inspectors)
        shelf, wanted = self.shelf, named.get("detectors", "")
        detectors = None
        if self.inspecting.detectors or wanted:
            detectors = WithDetectors(
                looks,
                Path(self.inspecting.detectors) if self.inspecting.detectors else None,
                assigned=shelf.of_lane("detectors", wanted) if wanted else None,
                shelf=shelf,
                threads=self.threads,
                mm_per_px=self.mm_per_px or None,
            )
        fleet = named.get("profiles", "")
        profiles = FleetProfiles.of(shelf.of_lane("profiles", fleet)) if fleet else FleetProfiles()
        return looks, detectors, profiles, notes

    def _inspectors(self, named: Mapping[str, str]) -> tuple[Inspectors, tuple[Reason, ...]]:
        lines: ModelSet | None = None
        notes: tuple[Reason, ...] = ()
        wanted = named.get("cracks", "")
        try:
            found = self._one(CRACKS, wanted, lambda model_set, _: model_set, CPU)
            lines, notes = found.model_set, found.notes
        except ArtefactRefusedError as error:
            if wanted:
                raise
            notes = (Reason("no_crack_network", {"why": error.message}),)

        def inspectors(model_set: ModelSet, variant: str) -> Inspectors:
            newest = open_inspector(model_set, lines, variant=variant, threads=self.threads)
            # What began under another set goes on where that set was made to run.
            older = partial(open_inspector, variant=CPU, threads=self.threads)
            return Inspectors(
                newest, open_sets=older, shelf=self.shelf, mm_per_px=self.mm_per_px or None
            )

        wanted = named.get("inspect", "")
        looks = self._one(BACKBONE, wanted, inspectors, self.inspecting.engine)
        return looks.made, (*looks.notes, *notes)

    def _one(
        self,
        kind: str,
        wanted: str,
        make: Callable[[ModelSet, str], T],
        engine: str,
        *,
        before: Path | None = None,
    ) -> Running[T]:
        """Of the set that is wanted, and of no other; else of the newest that runs."""
        if not wanted:
            return newest_that_runs(kind, make, variant=engine, before=before, root=self.models)
        found = self.shelf.find(kind, wanted)
        runs_on = engine_for(found, engine)
        notes: tuple[Reason, ...] = ()
        if runs_on != engine:
            said: dict[str, str | int | float] = {"set": kind, "wanted": engine, "running": runs_on}
            notes = (Reason("variant_unproven", said),)
        return Running(make(found, runs_on), found, runs_on, notes)


def _one_paddle() -> ArtefactRefusedError:
    return ArtefactRefusedError(
        "PaddleOCR's process reads the installation's set only",
        mend="Choose another reader.engine where readers are rolled out",
    )


def _same(one: Mapping[str, str], other: Mapping[str, str], lanes: tuple[str, ...]) -> bool:
    return all(one.get(lane) == other.get(lane) for lane in lanes)


def _check_engine(engine: str, known: tuple[str, ...], where: str) -> None:
    if engine not in known:
        raise BadInputError(f"{where} is {engine!r}", mend=f"Choose from {', '.join(known)}")


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
    return loaded_whole(
        model_set,
        lambda found: LabelReader.load(
            found.folder,
            model_set=found.digest,
            threads=threads,
            variant=variant,
            line_reader=foreign,
        ),
    )
