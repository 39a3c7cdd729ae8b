"""Model sets and their rollouts at the hub: what is there, what each box shall run, who asked (I5)."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import structlog

from appliance.config import Config
from appliance.hub.doors import DevicePort
from appliance.identity.registry import DeviceRegistry, DeviceState
from appliance.identity.site_ca import SiteCa
from appliance.layout import Layout
from appliance.ota import director_port, pins_port
from appliance.ota.desk.db import RolloutsDb
from appliance.ota.desk.desk import Rollouts
from appliance.ota.desk.engine import Around, DeskPolicy, Engine
from appliance.ota.evidence import CoreEvidence
from appliance.ota.registry import port as registry_port
from appliance.ota.registry.desk import RegistryDesk
from appliance.ota.registry.opening import keep_signed, open_registry
from appliance.ota.taken_back import parts_taken_back
from appliance.ota.wake import WakeUps
from appliance.serving import Serving
from contracts.clock import Clock
from contracts.errors import UnavailableError
from contracts.ports import MessageBus
from erp_link.service.core import Core
from erp_link.service.judging.answers import answers_to
from erp_link.service.judging.desk import Judging
from ota.director.dsse import Director
from ota.registry.records import SetState

DIRECTOR = "director"
_AT_MOST_S = 5.0
"""Between two looks where nobody asked for one: windows open, boxes fall silent."""
_AT_LEAST_S = 0.2
_PINS_S = 10.0
_WITHDRAWN_S = 1.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HubOta:
    """`registry` is the desk of model sets, `rollouts` that of rollouts."""

    registry: RegistryDesk
    rollouts: Rollouts
    engine: Engine
    judging: Judging
    wakes: WakeUps
    pulse: Pulse
    director_pem: str

    def attach(self, devices: DevicePort, known: DeviceRegistry, clock: Clock) -> None:
        """Its routes on the device port."""
        polled = director_port.assignment_answer(self.engine, registry=known, clock=clock)
        devices.quick(director_port.ASSIGNMENT, polled)
        devices.add(
            director_port.router(
                self.engine, director_pem=self.director_pem, registry=known, clock=clock
            ),
            registry_port.router(self.registry.registry, registry=known, clock=clock),
            pins_port.router(self.judging, registry=known, clock=clock),
        )

    def serve(self, serving: Serving, clock: Clock) -> None:
        """Its work beside the dock's."""
        serving.side_job("rollouts", self.pulse.run, again_s=_AT_MOST_S)
        serving.side_job("wake-ups of boxes", self.wakes.run)
        serving.side_job(
            "signatures of model sets",
            lambda: keep_signed(self.registry, clock=clock, changed=self.pulse.soon),
        )


class Pulse:
    """Ticks when somebody asks, and now and then by itself."""

    def __init__(self) -> None:
        self._tick: Callable[[], bool] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = asyncio.Event()

    def follow(self, tick: Callable[[], bool]) -> None:
        self._tick = tick

    def soon(self) -> None:
        """From any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._asked.set)

    async def run(self) -> None:
        """Until cancelled. Raises what a tick raises; then it is begun again."""
        self._loop = asyncio.get_running_loop()
        while self._tick is not None:
            self._asked.clear()
            await asyncio.to_thread(self._tick)
            try:
                async with asyncio.timeout(_AT_MOST_S):
                    await self._asked.wait()
            except TimeoutError:
                continue
            # Twenty boxes that report within one moment are one look.
            await asyncio.sleep(_AT_LEAST_S)


@contextmanager
def open_ota(
    config: Config,
    core: Core,
    devices: DeviceRegistry,
    ca: SiteCa,
    bus: MessageBus | None,
    clock: Clock,
) -> Iterator[HubOta]:
    """Open until the end. Raises ForbiddenError for a key file that others can read."""
    with ExitStack() as stack:
        sets = stack.enter_context(open_registry(config, clock))
        store = RolloutsDb(Layout(config.data).hub_ota / "rollouts.db")
        stack.callback(store.close)
        key, pem = ca.service_signer(DIRECTOR)
        judging = Judging(core)
        wakes, pulse = WakeUps(bus), Pulse()
        engine = Engine(
            store,
            Director(key),
            CoreEvidence(judging.shadow_tallies, lambda rollout: answers_to(core, rollout)),
            around(sets, devices, judging, wakes, pulse.soon),
            clock=clock,
            policy=policy_of(config),
        )
        pulse.follow(engine.tick)
        yield HubOta(sets, Rollouts(engine), engine, judging, wakes, pulse, pem)


def policy_of(config: Config) -> DeskPolicy:
    return DeskPolicy(
        second_person=config.ota.second_person,
        live_s=config.ota.live_s,
        days=config.ota.assignment_days,
        site=config.site.name,
    )


def around(
    sets: RegistryDesk,
    devices: DeviceRegistry,
    judging: Judging,
    wakes: WakeUps,
    soon: Callable[[], None],
) -> Around:
    """What the rollouts ask of the rest of the hub."""

    def admitted() -> Collection[str]:
        return {each.device for each in devices.devices() if each.state is DeviceState.ACTIVE}

    def withdrawn() -> frozenset[str]:
        return frozenset(x.digest for x in sets.registry.sets(state=SetState.WITHDRAWN))

    def reopen(bad: Mapping[str, str], by: str, why: str) -> int:
        parts = parts_taken_back(sets.registry, bad)
        return len(judging.replace(parts, by=by, why=why).pins)

    return Around(
        admitted=admitted,
        assignable=sets.registry.assignable,
        snapshot=lambda: sets.registry.snapshot_version,
        pinned=_NowAndThen(judging.pinned_sets, _PINS_S),
        withdrawn=_NowAndThen(withdrawn, _WITHDRAWN_S),
        reopen=reopen,
        issued=wakes.tell,
        changed=soon,
    )


class _NowAndThen:
    """The same answer for some seconds, and while whoever knows is away: each look at the rollouts
    wants to know which sets open batches are pinned to, and which were withdrawn.
    """

    def __init__(self, ask: Callable[[], frozenset[str]], every_s: float) -> None:
        self._ask = ask
        self._every_s = every_s
        self._asked_s = -math.inf
        self._known: frozenset[str] = frozenset()

    def __call__(self) -> frozenset[str]:
        if time.monotonic() - self._asked_s > self._every_s:
            self._asked_s = time.monotonic()
            try:
                self._known = self._ask()
            except UnavailableError as error:
                log.warning(
                    "what is known of model sets is asked for again later", error=str(error)
                )
        return self._known
