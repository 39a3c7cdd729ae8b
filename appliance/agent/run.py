"""`tallyman agent`: composition of the updater of a box. It ends, and the station judges on (I6)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import structlog

from appliance.agent.hub import DeviceHub
from appliance.agent.prover import ChildProver
from appliance.agent.trust import TrustFolder
from appliance.config import Config
from appliance.identity.device import DeviceIdentity
from appliance.identity.upkeep.renewal import Renewal
from appliance.layout import Layout
from appliance.model_sets import versions
from appliance.ota.wake import topic
from appliance.paths import SETS, models_root
from appliance.services.datalock import hold
from appliance.services.mqtt import MqttBus, broker_trust
from appliance.serving import stop_signal
from contracts.clock import Clock, SystemClock
from contracts.errors import TallymanError, UnavailableError
from contracts.ports import MessageBus
from ota.agent.agent import Agent
from ota.agent.files import RealFiles
from ota.agent.ports import Prover
from ota.agent.sets.shelf import Base
from ota.agent.settings import AgentSettings, Trust
from ota.model_set import open_model_set

_UNENROLLED_S = 2.0
_UPKEEP_S = 60.0
_TRUST_S, _NO_ROOT_S = 3600.0, 300.0
"""Between two questions for what is trusted: the director's key seldom changes, and a site's first
root comes once.
"""
log = structlog.get_logger()


async def run_agent(
    config: Config,
    *,
    config_file: Path | None = None,
    prover: Prover | None = None,
    settings: AgentSettings | None = None,
    clock: Clock | None = None,
) -> None:
    """Run until SIGTERM. Raises AlreadyRunningError, BadInputError."""
    clock = clock or SystemClock()
    layout = Layout(config.data)
    stopping = stop_signal()
    with hold(layout.sets):
        identity = await _enrolled(config, layout, stopping)
        if identity is None:
            return
        async with contextlib.AsyncExitStack() as stack:
            hub = await stack.enter_async_context(DeviceHub(config.edge.hub_url, identity, clock))
            runner = Runner(
                config,
                hub,
                identity,
                prover=prover or ChildProver.of_this_software(config_file),
                settings=settings or settings_of(config),
                clock=clock,
            )
            if config.broker.url:
                bus = MqttBus(
                    config.broker.url,
                    client_id=f"tallyman-agent-{config.edge.device}",
                    tls_context=broker_trust(config.broker.authority),
                )
                await stack.enter_async_context(bus)
                waking = asyncio.create_task(runner.listen(bus))
                stack.push_async_callback(_ended, waking)
            await runner.run(stopping)


def settings_of(config: Config) -> AgentSettings:
    """From the [ota] section."""
    ota = config.ota
    return AgentSettings(
        poll_s=float(ota.poll_s),
        budget_mb=ota.keep_mb,
        probation_cartons=ota.probation_cartons,
        probation_s=float(ota.probation_s),
    )


def installed_sets(models: Path | None = None) -> tuple[dict[str, str], dict[str, Base]]:
    """The installation's newest sets that hold: digest by lane, and where each stands."""
    digests: dict[str, str] = {}
    bases: dict[str, Base] = {}
    root = models or models_root()
    for lane, kind in SETS.items():
        for folder in versions(root / kind):
            try:
                found = open_model_set(folder)
            except (TallymanError, OSError) as error:
                log.warning("model set refused", set=folder.name, error=str(error))
                continue
            digests.setdefault(lane, found.digest)
            bases[found.digest] = Base(RealFiles(folder.parent), folder.name)
    return digests, bases


class Runner:
    """The agent in a thread, its connection, its trust and its certificate beside it."""

    def __init__(
        self,
        config: Config,
        hub: DeviceHub,
        identity: DeviceIdentity,
        *,
        prover: Prover,
        settings: AgentSettings,
        clock: Clock,
    ) -> None:
        self._config, self._hub, self._identity = config, hub, identity
        self._prover, self._settings, self._clock = prover, settings, clock
        self._files = RealFiles(Layout(config.data).sets)
        self._renewal = Renewal(identity, config.edge.hub_url, clock)
        self._installed: Mapping[str, str] = {}
        self._bases: Mapping[str, Base] = {}
        self._agent: Agent | None = None
        self._woken = asyncio.Event()
        self._trust_at = float("-inf")

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`: then what goes on is broken off, as a power cut would."""
        self._installed, self._bases = await asyncio.to_thread(installed_sets)
        await self._look_after()
        upkeep = asyncio.create_task(self._upkeep())
        ended = asyncio.create_task(stopping.wait())
        ended.add_done_callback(lambda _: self._break_off())
        try:
            while not stopping.is_set():
                agent = self._agent
                if agent is None:
                    agent = await asyncio.to_thread(self._start)
                wait = await asyncio.to_thread(agent.step)
                if not wait:
                    continue
                woken = asyncio.create_task(self._woken.wait())
                await asyncio.wait(
                    {woken, ended}, timeout=wait, return_when=asyncio.FIRST_COMPLETED
                )
                await _ended(woken)
                self._woken.clear()
        finally:
            await _ended(upkeep)
            await _ended(ended)

    def _break_off(self) -> None:
        self._hub.stop()
        if isinstance(self._prover, ChildProver):
            self._prover.stop()

    async def listen(self, bus: MessageBus) -> None:
        """Wake-ups by the broker: a reason to ask, never to believe anything."""
        while True:
            try:
                async with bus.subscribe(topic(self._config.edge.device), qos=1) as messages:
                    async for _ in messages:
                        self.wake()
            except TallymanError as error:
                log.info("no wake-ups now, the hub is polled", why=str(error))
            await asyncio.sleep(_UPKEEP_S)

    def wake(self) -> None:
        """Ask the hub now."""
        if self._agent is not None:
            self._agent.wake()
        self._woken.set()

    def _start(self) -> Agent:
        """An agent that goes on where the last one was, under what is trusted now."""
        self._agent = Agent(
            device=self._config.edge.device,
            version=version("tallyman-appliance"),
            files=self._files,
            hub=self._hub,
            prover=self._prover,
            clock=self._clock,
            trust=self._trust.read(),
            installed=self._installed,
            bases=self._bases,
            settings=self._settings,
        )
        return self._agent

    @property
    def _trust(self) -> TrustFolder:
        return TrustFolder(self._files, self._identity.ca_pem or "")

    async def _upkeep(self) -> None:
        """Trust and certificate are looked after now and then, whatever the sets do."""
        while True:
            await asyncio.sleep(min(_UPKEEP_S, self._settings.poll_s))
            await self._look_after()

    async def _look_after(self) -> None:
        try:
            await self._renewal.keep(self._hub)
            trust = await asyncio.to_thread(self._trust.read)
            due = time.monotonic() - self._trust_at >= (_TRUST_S if trust.root else _NO_ROOT_S)
            if not due:
                return
            self._trust_at = time.monotonic()
            if await self._trust.fetch(self._hub):
                # Between two steps: the next one begins under the new trust.
                self._agent = None
                self._woken.set()
        except TallymanError as error:
            if not await self._renewal.after(error) and not isinstance(error, UnavailableError):
                log.warning("agent is not let in", why=str(error))
        except OSError as error:
            # A full disk for one: looked after again, or the certificate would run out unseen.
            log.warning("trust and certificate are not looked after", why=str(error))


async def _enrolled(
    config: Config, layout: Layout, stopping: asyncio.Event
) -> DeviceIdentity | None:
    """The box's identity, once the edge has enrolled it; None where the end came first."""
    edge = config.edge
    while not stopping.is_set():
        identity = await asyncio.to_thread(
            DeviceIdentity.open_or_create, layout.identity, edge.device, serial=edge.serial
        )
        if identity.is_enrolled:
            return identity
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_UNENROLLED_S):
                await stopping.wait()
    return None


async def _ended(task: asyncio.Task[object]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


__all__ = ["Runner", "Trust", "installed_sets", "run_agent", "settings_of"]
