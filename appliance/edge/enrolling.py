"""Enrolling on an edge box: composition of its parts."""

from __future__ import annotations

from appliance.edge.box import EdgeBox, EdgeParts
from appliance.enrolling.candidates import EnrolledCandidates
from appliance.enrolling.collecting import Camera
from appliance.enrolling.drafts import Drafts
from appliance.enrolling.ports import Enroller
from appliance.enrolling.process import LearningProcess
from appliance.enrolling.recent import Recent
from appliance.enrolling.service import Enrolling
from appliance.layout import Layout
from appliance.station_pictures import INSPECT
from appliance.teaching.teacher import Teacher
from contracts.clock import Clock
from contracts.reason import Reason

TOPIC = "product"


def open_enrolling(
    parts: EdgeParts, box: EdgeBox, inspector: Enroller, teacher: Teacher, *, clock: Clock
) -> Enrolling:
    """Nothing is begun before its side job runs."""
    layout = Layout(parts.config.data)
    station = parts.config.edge.station

    def expected() -> tuple[tuple[str, str], ...]:
        lines = parts.uplink.expectations.lines
        return tuple((one.line.gtin, one.line.description) for one in lines)

    def drift(gtin: str) -> tuple[Reason, ...]:
        judging = parts.profiles.get(gtin)
        return parts.memory.watches.reasons(judging.digest) if judging else ()

    async def publish(gtin: str) -> None:
        await parts.live.publish(TOPIC, {"station": station, "gtin": gtin})

    return Enrolling(
        Drafts(layout.enrolling),
        inspector,
        EnrolledCandidates(
            parts.profiles, parts.evidence, station=station, record=teacher.take_enrolled
        ),
        LearningProcess(layout.enrolling / ".work", agent=layout.sets),
        Camera(
            INSPECT,
            frame=box.desk.live_jpeg,
            picture=parts.evidence.get,
            cartons=Recent(parts.journal, has=parts.evidence.has),
        ),
        keep=parts.evidence.put,
        clock=clock,
        expected=expected,
        publish=publish,
        drift=drift,
    )
