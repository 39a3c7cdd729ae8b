"""One candidate and one carton: what it would have said. Blocks; runs in the shadow's own thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from appliance.engines import Engines
from appliance.shadow.comparing import (
    Compared,
    compare_goods,
    compare_reading,
    is_late,
    would_take_ms,
)
from appliance.station import LABEL_FRAMES, READ, Judged
from appliance.station_pictures import INSPECT, LABEL
from contracts.events import ShadowJudged
from contracts.ota import Shadow

_USE_OF_LANE = {
    "read": READ,
    "inspect": "inspect",
    "cracks": "cracks",
    "detectors": "detector",
    "profiles": "profile",
}
_TOLD = 200
log = structlog.get_logger()


class Opens(Protocol):
    """appliance.engines.EngineRoom."""

    def open(self, wanted: dict[str, str], running: Engines | None = None) -> Engines: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A shadow with its engines open: those that run, but for its own lane."""

    shadow: Shadow
    engines: Engines

    def look(
        self, judged: Judged, *, station: str, budget_ms: float, disturbed: Callable[[], bool]
    ) -> ShadowJudged | None:
        """None where the candidate has nothing to say about this carton: no frame of its stage, a
        reading or look that did not happen, or a judge that it would not change.

        `disturbed`: whether a carton was judged meanwhile, so that the time taken says nothing.
        """
        shadow, body = self.shadow, judged.body
        stage = self._read if shadow.lane == READ else self._inspect
        began = time.process_time()
        error, found = "", None
        try:
            found = stage(judged)
            if found is None:
                return None
        except Exception as problem:  # noqa: BLE001 -- however it breaks: that is what is asked
            error = f"{type(problem).__name__}: {problem}"[:_TOLD]
            log.warning("candidate failed", lane=shadow.lane, error=error)
        said_cpu_ms = 1000 * (time.process_time() - began)
        stood, stood_ms, stood_cpu_ms = _stood(shadow.lane, judged)
        said_ms = would_take_ms(
            said_cpu_ms=0.0 if disturbed() else said_cpu_ms,
            stood_cpu_ms=stood_cpu_ms,
            stood_ms=stood_ms,
        )
        late = is_late(
            said_ms=said_ms, stood_ms=stood_ms, carton_ms=judged.elapsed_ms, budget_ms=budget_ms
        )
        use = _USE_OF_LANE[shadow.lane]
        profile = body.inspection.profile if body.inspection and use == "profile" else ""
        return ShadowJudged(
            station=station,
            carton_id=body.carton_id,
            rollout=shadow.rollout,
            lane=shadow.lane,
            model_set=shadow.model_set,
            running=profile or body.model_sets.get(use, ""),
            said=found.said if found else "",
            stood=stood,
            harmful=found is not None and found.harmful,
            late=late and found is not None,
            error=error,
            elapsed_ms=round(said_ms, 1),
        )

    def _read(self, judged: Judged) -> Compared | None:
        frames = judged.view.frames.get(LABEL, ())[:LABEL_FRAMES]
        stood = judged.body.reading
        if not frames or stood is None:
            return None
        images = [frame.image for frame in frames]
        lines = judged.expectations.lines
        said = self.engines.reader.read(images, lines, name=frames[0].name)
        return compare_reading(said, stood)

    def _inspect(self, judged: Judged) -> Compared | None:
        frames, looked = judged.view.frames.get(INSPECT, ())[:1], judged.looked
        stood, profile = looked.inspection, looked.profile
        if not frames or stood is None or profile is None:
            return None
        gtin = profile.product if judged.body.verdict.batch is None else ""
        gtin = judged.body.verdict.batch.gtin if judged.body.verdict.batch else gtin
        if self.shadow.lane == "profiles":
            other = self.engines.profiles.by_gtin.get(gtin)
            if other is None or other.digest == profile.digest:
                return None
            profile = other
        parts = self.engines.judging.parts(profile, gtin)
        changes = {**parts, "profile": profile.digest} != dict(looked.parts)
        if not changes:
            return None
        frame = frames[0]
        said = self.engines.judging.inspect(
            frame.image, profile, name=frame.name, gtin=gtin, under=parts
        )
        return compare_goods(said.inspection, stood)


def _stood(lane: str, judged: Judged) -> tuple[str, float, float]:
    """What the running set said at this stage, how long it took and how much work it was, ms."""
    reads = lane == READ
    answer = judged.body.reading if reads else judged.body.inspection
    cpu_ms = judged.read_cpu_ms if reads else judged.looked.cpu_ms
    return (str(answer.decision), answer.elapsed_ms, cpu_ms) if answer else ("", 0.0, 0.0)
