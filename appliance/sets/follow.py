"""The edge follows what the agent says is to run (I3, I5).

Rules: a set is loaded beside the running one and switched to between two cartons; what cannot be
loaded changes nothing and is told with why; before loading it is told what is loaded, so an edge
that dies of a set is found out; what says nothing is not followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

from appliance.durable import write_atomic
from appliance.engines import GOODS_LANES, EngineRoom, Engines
from appliance.sets.running import RunningSets
from appliance.sets.telling import START, Teller, why_of
from appliance.station import Station
from contracts.errors import ArtefactRefusedError, BadInputError, TallymanError
from contracts.ota import Shadow
from contracts.reason import Reason
from ota.agent.files import Files
from ota.agent.handover import ACTIVE, BEAT_S, Active, read_active

LANES = ("read", *GOODS_LANES)
"""What a station loads; rules and templates are others'."""
_LOOK_EVERY_S = 0.25
_TOLD = 300
log = structlog.get_logger()


def wanted_of(active: Active) -> dict[str, str]:
    """By lane, what a station is to load; lanes that run the installation's are not named."""
    named = {lane: active.digest(lane) for lane in LANES}
    return {lane: digest for lane, digest in named.items() if digest}


def first_word(files: Files) -> Active:
    """What is to run at the start. What says nothing is told, and the installation's sets run."""
    try:
        return read_active(files)
    except (BadInputError, OSError) as error:
        log.warning("assignment not read", why=str(error))
        return Active()


def stopped_before(path: Path) -> frozenset[str]:
    """Sets that were stopped here before this start, and judge nothing until assigned again."""
    try:
        return frozenset(msgspec.json.decode(path.read_bytes(), type=list[str]))
    except FileNotFoundError:
        return frozenset()
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("stopped sets not known any more", why=str(error))
        return frozenset()


def open_at_start(room: EngineRoom, active: Active) -> tuple[Engines, dict[str, Reason]]:
    """Engines for what is to run, and the digests that could not be had with why: such a lane runs
    what it ran before, else the installation's set. Blocks; raises as EngineRoom.open where not even
    that runs.
    """
    wanted = wanted_of(active)
    try:
        return room.open(wanted), {}
    except (TallymanError, OSError):
        pass
    refused: dict[str, Reason] = {}
    engines = room.open({})
    for lane, digest in wanted.items():
        for each in (digest, active.lanes[lane].previous):
            try:
                engines = room.open({**engines.wanted, lane: each}, engines)
                break
            except (TallymanError, OSError) as error:
                refused[each] = _refused(lane, error)
    return engines, refused


class SetFollower:
    """Start `run` as a job; `begin` before the first carton. `stopped` is the file that remembers
    what was stopped here.
    """

    def __init__(
        self,
        files: Files,
        room: EngineRoom,
        sets: RunningSets,
        station: Station,
        teller: Teller,
        *,
        active: Active,
        now_us: Callable[[], int],
        stopped: Path,
        shadows: Callable[[tuple[Shadow, ...]], None] = lambda _: None,
    ) -> None:
        self._files = files
        self._room = room
        self._sets = sets
        self._station = station
        self._teller = teller
        self._active = active
        self._now_us = now_us
        self._stopped = stopped
        self._shadows = shadows
        self._stamp: object = None

    async def begin(self) -> None:
        """Tell what runs from this start on."""
        self._teller.word.change = self._active.change
        self._teller.word.loading = 0
        self._shadows(self._active.shadow)
        await self._teller.record({}, self._active, why=START)
        await self._teller.tell()

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time() + BEAT_S
        path = Path(self._files.where(ACTIVE))
        while True:
            stamp = await asyncio.to_thread(_stamp, path)
            if stamp != self._stamp:
                self._stamp = stamp
                await self.look()
                due = loop.time() + BEAT_S
            if loop.time() >= due:
                await self._teller.tell()
                due = loop.time() + BEAT_S
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self) -> None:
        """Follow what the file says now."""
        try:
            active = await asyncio.to_thread(read_active, self._files)
        except (BadInputError, OSError) as error:
            log.warning("assignment not read", why=str(error))
            return
        if active.change == self._active.change:
            return
        await self._follow(active)

    async def _follow(self, active: Active) -> None:
        teller, before = self._teller, self._sets.engines
        wanted = wanted_of(active)
        teller.word.refused = {}
        if wanted != before.wanted:
            teller.word.loading = active.change
            await teller.tell()
            engines = await self._load(wanted, before)
            why = why_of(active)
            gone = set(before.digests.values()) - set(engines.digests.values())
            stopped = gone if why != "assignment" else set()
            await self._station.between_cartons(
                lambda: _ignored(self._sets.switch(engines, now_us=self._now_us(), stopped=stopped))
            )
            await asyncio.to_thread(self._keep_stopped)
            log.info("model sets switched", why=why, **engines.digests)
            if engines.digests != before.digests or teller.word.refused:
                await teller.record(before.digests, active, why=why)
        self._active = active
        teller.word.loading, teller.word.change = 0, active.change
        self._shadows(active.shadow)
        await teller.tell()

    def _keep_stopped(self) -> None:
        named = sorted(self._sets.stopped)
        if not named and not self._stopped.exists():
            return
        try:
            write_atomic(self._stopped, msgspec.json.encode(named))
        except OSError as error:
            log.warning("stopped sets not kept", why=str(error))

    async def _load(self, wanted: Mapping[str, str], running: Engines) -> Engines:
        """All lanes at once; where that fails, each that can be had."""
        try:
            return await asyncio.to_thread(self._room.open, wanted, running)
        except Exception:
            log.warning("model sets not loaded together", exc_info=True)
        engines = running
        for lane in LANES:
            digest = wanted.get(lane, "")
            if digest == engines.wanted.get(lane, ""):
                continue
            named = {**engines.wanted, lane: digest}
            try:
                engines = await asyncio.to_thread(self._room.open, named, engines)
            except Exception as error:  # whatever a set does to its engine, the others run
                log.warning("model set refused", lane=lane, model_set=digest, exc_info=True)
                self._teller.word.refused[digest] = _refused(lane, error)
        return engines


def _refused(lane: str, error: Exception) -> Reason:
    known = error.message if isinstance(error, ArtefactRefusedError) else str(error)
    return Reason("set_not_loaded", {"lane": lane, "why": (known or type(error).__name__)[:_TOLD]})


def _ignored(_: object) -> None:
    """Who switches knows already what ran before."""


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        seen = path.stat()
    except OSError:
        return ()
    return seen.st_mtime_ns, seen.st_ino, seen.st_size
