"""What judges now, and every other set that open batches and sessions are pinned to (I3, I5).

A carton takes what runs once, at its beginning; `switch` is called between two cartons. What ran
before stays open for what began under it, and goes when nothing asks for it any more.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import structlog
from numpy.typing import NDArray

from appliance.detectors import WithDetectors
from appliance.engines import Engines
from appliance.inspectors import Inspectors
from appliance.station_parts import NO_WORK
from contracts.errors import ArtefactRefusedError
from ota.agent.handover import LaneRunning
from vision.defects.profile import Profile
from vision.reading.reader import LabelReader

_MOST_READERS = 2
"""Kept open beside the running one: a site has few receiving sessions at a time."""
SLOWER = 1.25
"""Times the work of the set before: below it, the new one is not what makes cartons late."""
_ENOUGH = 5
"""Cartons that tell how much work a set is."""
_LANE_OF_USE = {
    "read": "read",
    "inspect": "inspect",
    "cracks": "cracks",
    "detector": "detectors",
    "profile": "profiles",
}
log = structlog.get_logger()


class RunningSets:
    """Implements station_parts.Sets. `reader_of` opens a reader by its digest. Safe to call from
    several threads.
    """

    def __init__(
        self, engines: Engines, reader_of: Callable[[str], LabelReader], *, now_us: int
    ) -> None:
        self.engines = engines
        self.stopped: frozenset[str] = frozenset()
        """Sets that an emergency stop or a failed probation took from here: they judge nothing."""
        self._open_reader = reader_of
        self._readers: OrderedDict[str, LabelReader] = OrderedDict()
        self._opening, self._lock = threading.Lock(), threading.Lock()
        self._lanes = _lanes(engines, {}, now_us)
        self._work = {lane: Work() for lane in self._lanes}

    @property
    def reader(self) -> LabelReader:
        return self.engines.reader

    @property
    def inspector(self) -> Inspectors | WithDetectors:
        return self.engines.judging

    def reader_of(self, model_set: str) -> LabelReader:
        """Blocks while it is opened. Raises ArtefactRefusedError where it is not here, was stopped,
        or does not hold.
        """
        if model_set in self.stopped:
            raise ArtefactRefusedError(
                f"{model_set} was stopped", mend="Close the session and open another"
            )
        running = self.reader
        if model_set == running.model_set:
            return running
        # A switch waits for no reader that is being opened: it is made in the event loop.
        with self._opening:
            with self._lock:
                known = self._readers.get(model_set)
            if known is None:
                known = self._open_reader(model_set)
                log.info("older reader opened", read=model_set)
            with self._lock:
                self._remember(known)
            return known

    def has(self, digest: str) -> bool:
        return digest not in self.stopped and self.inspector.knows(digest)

    def counted(
        self,
        model_sets: Mapping[str, str],
        *,
        failed: Collection[str],
        late: bool,
        cpu_ms: Mapping[str, float] = NO_WORK,
    ) -> None:
        """A carton counts for a lane where its running set judged it. It was late because of that
        set where that took clearly more work than the set before; a machine that is as slow with
        every set sends none of them back.
        """
        for use, digest in model_sets.items():
            lane = _LANE_OF_USE.get(use, "")
            known = self._lanes.get(lane)
            if known is None or (lane != "detectors" and known.model_set != digest):
                continue
            work = cpu_ms.get("read" if lane == "read" else "inspect", 0.0)
            its_doing = self._work[lane].is_more(work)
            failing = use in failed or (use in {"cracks", "detector"} and "inspect" in failed)
            self._lanes[lane] = replace(
                known,
                cartons=known.cartons + 1,
                errors=known.errors + failing,
                late=known.late + (late and its_doing),
            )

    def lanes(self) -> dict[str, LaneRunning]:
        """What really runs, lane by lane, and how it went since it runs."""
        return dict(self._lanes)

    def switch(
        self, engines: Engines, *, now_us: int, stopped: Collection[str] = ()
    ) -> dict[str, str]:
        """Judge what begins from now on by `engines`; what ran before, by lane. Between two cartons
        only.
        """
        before = self.engines
        with self._lock:
            self.stopped = (self.stopped | frozenset(stopped)) - set(engines.digests.values())
            if before.reader.model_set != engines.reader.model_set:
                self._remember(before.reader)
            self.engines = engines
            lanes = _lanes(engines, self._lanes, now_us)
            self._work = {
                lane: self._work[lane]
                if self._lanes.get(lane) is each
                else self._work.get(lane, Work()).followed()
                for lane, each in lanes.items()
            }
            self._lanes = lanes
        return before.digests

    def _remember(self, reader: LabelReader) -> None:
        self._readers[reader.model_set] = reader
        self._readers.move_to_end(reader.model_set)
        while len(self._readers) > _MOST_READERS:
            self._readers.popitem(last=False)


@dataclass(slots=True)
class Work:
    """Processor time a carton under the set that runs in a lane, and under the one before it, ms."""

    before: float = 0.0
    total: float = 0.0
    cartons: int = 0

    def is_more(self, cpu_ms: float) -> bool:
        """Count a carton; whether it took clearly more than cartons did under the set before, or
        nobody knows.
        """
        self.total += cpu_ms
        self.cartons += 1
        return not self.before or not cpu_ms or cpu_ms > SLOWER * self.before

    def followed(self) -> Work:
        """For the set that follows."""
        known = self.cartons >= _ENOUGH
        return Work(before=self.total / self.cartons if known else self.before)


def _lanes(
    engines: Engines, before: Mapping[str, LaneRunning], now_us: int
) -> dict[str, LaneRunning]:
    """Counts go on for a set that stays."""
    variants = engines.variants
    found: dict[str, LaneRunning] = {}
    for lane, digest in engines.digests.items():
        known = before.get(lane)
        stays = known is not None and known.model_set == digest
        found[lane] = (
            known if stays and known else LaneRunning(digest, variants[lane], since_us=now_us)
        )
    return found


@dataclass(frozen=True, slots=True)
class RunningInspector:
    """Enrols under what runs now; teaches and accepts a profile under its own networks (I5)."""

    sets: RunningSets

    def enrol(
        self,
        images: Sequence[NDArray[np.uint8]],
        *,
        product: str,
        items: Sequence[str] | None = None,
        camera: str = "",
        at: str = "",
        leave_out_odd: bool = False,
    ) -> Profile:
        """As DefectInspector.enrol."""
        return self.sets.engines.inspector.enrol(
            images, product=product, items=items, camera=camera, at=at, leave_out_odd=leave_out_odd
        )

    def teach(
        self,
        profile: Profile,
        image: NDArray[np.uint8],
        *,
        kind: Literal["miss", "false_alarm"],
        defect: str = "",
        picture: str = "",
    ) -> Profile:
        """As DefectInspector.teach."""
        inspectors = self.sets.engines.inspectors
        own = inspectors.of(inspectors.parts(profile))
        return own.teach(profile, image, kind=kind, defect=defect, picture=picture)

    def accept(self, profile: Profile) -> None:
        """Raises ArtefactRefusedError for a profile whose networks are not on this box."""
        inspectors = self.sets.engines.inspectors
        inspectors.of(inspectors.parts(profile)).accept(profile)
