"""One box: the real agent and a light station beside it, in one process that may be killed.

python -m appliance.bench.rollout.plant.box CONFIG PLAN
"""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from appliance.agent.hub import DeviceHub
from appliance.agent.prover import ChildProver
from appliance.agent.run import Runner
from appliance.bench.rollout.plant.station import LightStation
from appliance.config import Config, load_config
from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.identity.introduce import introduce
from appliance.journal.journal import Journal
from appliance.layout import Layout
from appliance.pinning.desk import PinDesk
from appliance.pinning.kept import KeptPins
from appliance.serving import stop_signal
from appliance.uplink.sender import Uplink
from contracts.clock import SystemClock
from ota.agent.files import RealFiles
from ota.agent.settings import AgentSettings


@dataclass(frozen=True, slots=True)
class BoxPlan:
    """What all boxes of a plant do. `frames`: a folder of pictures."""

    frames: str
    threshold: float
    gap_s: float = 0.5
    poll_s: float = 2.0


async def run_box(config: Config, plan: BoxPlan) -> None:
    """Until SIGTERM."""
    clock, layout, edge = SystemClock(), Layout(config.data), config.edge
    stopping = stop_signal()
    frames = await asyncio.to_thread(_frames, Path(plan.frames))
    async with AsyncExitStack() as stack:
        identity = DeviceIdentity.open_or_create(layout.identity, edge.device, serial=edge.serial)
        await introduce(
            identity, hub_url=edge.hub_url, claim_file=edge.enrolment, setting="edge.enrolment"
        )
        journal = stack.enter_context(Journal.open(layout.journal, identity=identity, clock=clock))
        evidence = EvidenceStore(layout.edge_evidence)
        uplink = Uplink(
            journal,
            evidence,
            edge.hub_url,
            identity,
            folder=layout.uplink,
            clock=clock,
            poll_s=plan.poll_s,
            station=edge.station,
        )
        station = LightStation(
            edge.station,
            RealFiles(layout.sets),
            layout.sets,
            journal,
            evidence,
            uplink,
            PinDesk(await asyncio.to_thread(KeptPins, layout.pins), uplink),
            clock,
            frames,
            plan.threshold,
            plan.gap_s,
            random.Random(),  # noqa: S311 -- which frame comes next is no secret
        )
        hub = await stack.enter_async_context(DeviceHub(edge.hub_url, identity, clock))
        agent = Runner(
            config,
            hub,
            identity,
            prover=ChildProver(_prover(Path(plan.frames), layout.sets)),
            settings=AgentSettings(
                poll_s=plan.poll_s,
                longest_wait_s=2 * plan.poll_s,
                report_s=5.0,
                watch_s=0.5,
                probation_cartons=2,
                probation_s=1.0,
            ),
            clock=clock,
        )
        jobs = [asyncio.create_task(each) for each in (uplink.run(), station.run())]
        jobs.append(asyncio.create_task(agent.run(stopping)))
        ended, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        for job in ended:
            job.result()


def _frames(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def _prover(frames: Path, sets: Path) -> list[str]:
    first = next(iter(sorted(frames.iterdir())))
    module = "appliance.bench.rollout.plant.prove"
    return [sys.executable, "-m", module, str(first), str(sets)]


if __name__ == "__main__":
    asyncio.run(
        run_box(
            load_config(Path(sys.argv[1])),
            msgspec.json.decode(Path(sys.argv[2]).read_bytes(), type=BoxPlan),
        )
    )
