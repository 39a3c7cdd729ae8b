"""A hub with the real routes for updates behind TLS, and a box beside it that is enrolled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.identity.device import DeviceIdentity
from appliance.layout import Layout
from appliance.ota import director_port
from appliance.ota.desk.desk import Rollouts
from appliance.ota.desk.engine import Around, Engine
from appliance.ota.registry import port as registry_port
from appliance.paths import models_root
from appliance.sets.shelf import SetShelf
from contracts.clock import SystemClock
from contracts.ota import BoxReport
from ota.agent import delta
from ota.agent.files import RealFiles
from ota.agent.handover import (
    INSTALLATION,
    LaneRunning,
    Running,
    read_active,
    write_running,
)
from ota.director.dsse import Director
from ota.model_set import open_model_set, write_manifest
from ota.registry.adapters.disk import DiskBlobs
from ota.registry.in_memory import registry_in_memory
from ota.rollout.evidence import MemoryEvidence
from ota.rollout.memory import MemoryRollouts
from ota.rollout.plan import Plan, Wave
from tests.appliance.uplink.hub import Hub, MemoryCore, build, serving

DEVICE = "edge-01"


class OtaHub:
    """Registry, director and rollouts over the device port, as the hub composes them."""

    def __init__(self, folder: Path) -> None:
        clock = SystemClock()
        self.hub: Hub = build(folder, MemoryCore())
        self.registry, self.keys = registry_in_memory(
            clock, blobs=DiskBlobs(folder / "blobs"), delta=delta.make
        )
        key, pem = self.hub.ca.service_signer("director")
        self.engine = Engine(
            MemoryRollouts(),
            Director(key),
            MemoryEvidence(),
            Around(
                admitted=lambda: {DEVICE},
                assignable=self.registry.assignable,
                snapshot=lambda: self.registry.snapshot_version,
            ),
            clock=clock,
        )
        self.desk = Rollouts(self.engine)
        self.hub.app.include_router(
            director_port.router(
                self.engine, director_pem=pem, registry=self.hub.registry, clock=clock
            )
        )
        self.hub.app.include_router(
            registry_port.router(self.registry, registry=self.hub.registry, clock=clock)
        )

    def publish(self, folder: Path) -> str:
        record = self.registry.propose(folder, by="anna")
        signer = self.keys.lanes[record.lane]
        return self.registry.publish(record.digest, by="anna", signer=signer).digest

    def said(self) -> BoxReport | None:
        found = self.engine.fleet.all.get(DEVICE)
        return found.report if found else None

    def roll_out(self, digest: str) -> str:
        """A rollout to everybody at once, without a shadow."""
        plan = Plan("read", digest, waves=(Wave(100, certify=False),), shadow=False, soak_s=0)
        name = self.desk.draft(plan, by="anna").rollout
        self.desk.approve(name, by="bert")
        return name

    def may_begin(self) -> bool:
        """Whether no rollout is under way any more."""
        return not any(each.under_way for each in self.desk.rollouts())

    def until(self, there: Callable[[BoxReport], bool], *, seconds: float = 120.0) -> BoxReport:
        """Let rollouts go on until the box says so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.desk.tick()
            said = self.said()
            if said is not None and there(said):
                return said
            time.sleep(0.05)
        raise AssertionError(f"never said: {self.said()}")


class EdgeBeside:
    """Reads what the agent wants and says what runs, as an edge does; judges a carton a look."""

    def __init__(self, data: Path, installed: str) -> None:
        self.files = RealFiles(Layout(data).sets)
        self.installed = installed
        self.shelf = SetShelf(agent=Layout(data).sets)
        self.lane = LaneRunning(installed, "onnxruntime-cpu")
        self.raises = ""
        self.broken: list[str] = []

    def look(self) -> None:
        active = read_active(self.files)
        wanted = active.digest("read")
        if wanted != INSTALLATION:
            found = self.shelf.held(wanted)
            attested = found.digest if found else "missing"
        else:
            attested = self.installed
        now = time.time_ns() // 1000
        if attested != self.lane.model_set:
            self.lane = LaneRunning(attested, "onnxruntime-cpu", since_us=now)
        cartons = self.lane.cartons + 1
        errors = cartons if attested == self.raises else 0
        self.lane = replace(self.lane, cartons=cartons, errors=errors)
        running = Running(at_us=now, boot="b", change=active.change, lanes={"read": self.lane})
        write_running(self.files, running)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Looks a few times a second until the end."""
        end = threading.Event()

        def go() -> None:
            while not end.wait(0.2):
                self.look()

        thread = threading.Thread(target=go)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


class AgentProcess:
    """`tallyman agent`, to be killed."""

    def __init__(self, data: Path, hub_url: str, *command: str) -> None:
        self.env = {
            **os.environ,
            "TALLYMAN_SITE_DATA": str(data),
            "TALLYMAN_EDGE_DEVICE": DEVICE,
            "TALLYMAN_EDGE_HUB_URL": hub_url,
            "TALLYMAN_OTA_POLL_S": "5",
            "TALLYMAN_OTA_PROBATION_CARTONS": "3",
            "TALLYMAN_OTA_PROBATION_S": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self.log = data / "agent.log"
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "appliance", "agent"], env=self.env, stderr=log, stdout=log
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=60)


@pytest.fixture
def hub(tmp_path: Path) -> OtaHub:
    return OtaHub(tmp_path / "hub")


@pytest.fixture
def data(tmp_path: Path, hub: OtaHub) -> Path:
    """A box's data folder, its identity enrolled."""
    identity = DeviceIdentity.open_or_create(Layout(tmp_path / "box").identity, DEVICE)
    hub.hub.enrol(identity)
    return tmp_path / "box"


@pytest.fixture
def url(hub: OtaHub) -> Iterator[str]:
    with serving(hub.hub) as found:
        yield found


def newer_reader(folder: Path, version: str, *, spoil: bool = False) -> Path:
    """The installation's reader under another version; `spoil`: with a network that reads nothing."""
    newest = max((models_root() / "label_reader").iterdir())
    shutil.copytree(newest, folder)
    old = open_model_set(folder)
    if spoil:
        # A network where another should be: well signed, and wrong.
        shutil.copyfile(folder / "second.onnx", folder / "rec.onnx")
    write_manifest(
        folder,
        name=old.name,
        version=version,
        kind=old.kind,
        licence=old.licence,
        source="a test",
        recipe="models/recipes/label_reader",
        variants=old.variants,
    )
    return folder
