"""The model sets of an edge box: composition of what opens, follows, tells and tries them (I3, I5)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.config import Config
from appliance.edge.box import EdgeBox
from appliance.engines import EngineRoom
from appliance.journal.stamp import to_us
from appliance.layout import Layout
from appliance.pinning.desk import PinDesk
from appliance.pinning.rejudging import Rejudger
from appliance.serving import Serving
from appliance.sets.follow import (
    SetFollower,
    first_word,
    open_at_start,
    stopped_before,
    wanted_of,
)
from appliance.sets.running import RunningSets
from appliance.sets.telling import Teller, Word
from appliance.shadow.runner import ShadowRunner
from contracts.clock import Clock
from contracts.errors import BadInputError
from contracts.reason import Reason
from ota.agent.files import RealFiles
from ota.agent.handover import Active, Running, read_running, write_running


@dataclass(frozen=True, slots=True)
class Several:
    """The opened sets, and what they were opened by."""

    room: EngineRoom
    files: RealFiles
    active: Active
    sets: RunningSets
    word: Word
    paddle_models: Path | None
    notes: tuple[Reason, ...]
    told_before: Running | None
    """What the run before this one said last."""


def open_several(config: Config, layout: Layout, socket: Path | None, clock: Clock) -> Several:
    """Open what is to run; blocks. What is loaded is told before, so that the agent knows a set that
    kills this process. Raises as EngineRoom.open where nothing runs.
    """
    files = RealFiles(layout.sets)
    active, before = first_word(files), _told_before(files)
    word = Word(boot=secrets.token_hex(8), change=active.change)
    room = EngineRoom(
        config.edge.threads,
        config.reader,
        config.inspector,
        socket=socket,
        agent=layout.sets,
        mm_per_px=config.edge.inspect_mm_per_px,
    )
    if wanted_of(active):
        now_us = to_us(clock.now())
        # Its pins too: while it loads, the agent makes room by what stands here.
        loading = Running(now_us, boot=word.boot, loading=active.change)
        if before is not None:
            loading = replace(loading, shadow=before.shadow, open_pins=before.open_pins)
        write_running(files, loading)
    engines, word.refused = open_at_start(room, active)
    sets = RunningSets(engines, room.reader_of, now_us=to_us(clock.now()))
    sets.stopped = stopped_before(layout.stopped_sets) - set(engines.digests.values())
    return Several(room, files, active, sets, word, engines.paddle_models, engines.notes, before)


async def serve_several(
    serving: Serving,
    several: Several,
    box: EdgeBox,
    *,
    layout: Layout,
    pins: PinDesk,
    clock: Clock,
) -> None:
    """What runs is told before the first carton; the rest are jobs."""
    parts, sets = box.parts, several.sets
    config = parts.config
    shadow = ShadowRunner(
        several.room,
        sets,
        parts.journal,
        station=config.edge.station,
        budget_ms=config.edge.lane_deadline_ms,
        idle=box.idle,
        cartons=lambda: box.station.begun,
    )
    if several.told_before is not None:
        shadow.tallies.take_over(several.told_before.shadow)
    box.station.judged = shadow.offer

    def open_sets() -> tuple[str, ...]:
        pins.learn(parts.uplink.expectations)
        return pins.open_sets()

    teller = Teller(
        several.files,
        sets,
        parts.journal,
        station=config.edge.station,
        word=several.word,
        now_us=lambda: to_us(clock.now()),
        open_sets=open_sets,
        shadow=shadow.reports,
        shadow_refused=lambda: shadow.refused,
    )
    follower = SetFollower(
        several.files,
        several.room,
        sets,
        box.station,
        teller,
        active=several.active,
        now_us=lambda: to_us(clock.now()),
        stopped=layout.stopped_sets,
        shadows=shadow.follow,
    )
    box.refused = lambda: (*several.word.refused.values(), *shadow.refused.values())
    await follower.begin()
    rejudger = Rejudger(
        config.edge.station,
        box.station.here,
        parts.journal,
        parts.evidence,
        expectations=lambda: parts.uplink.expectations,
        idle=box.idle,
    )
    serving.side_job("model sets", follower.run)
    serving.side_job("candidates", shadow.run)
    serving.side_job("judging again", rejudger.run)
    serving.side_job("pins", pins.settle)


def _told_before(files: RealFiles) -> Running | None:
    try:
        return read_running(files)
    except (BadInputError, OSError):
        return None
