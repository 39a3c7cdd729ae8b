"""A hub and its boxes as real processes in one folder; any of them may be killed at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import msgspec

from appliance.bench.rollout.plant.box import BoxPlan
from appliance.bench.rollout.plant.network import LANE, LightNetwork, installed
from appliance.config import Config, load_config
from appliance.hub.folder import claim_paper, open_registry
from appliance.hub.ota import HubOta, open_ota
from appliance.layout import Layout
from appliance.ota.desk.db import RolloutsDb
from appliance.ota.registry.desk import RegistryDesk
from appliance.ota.registry.founding import Founding, found_site
from appliance.ota.registry.opening import open_registry as open_sets
from appliance.services.address import free_address, write_private
from contracts.asn import Asn, AsnLine
from contracts.clock import SystemClock
from contracts.errors import UnavailableError
from contracts.ota import BoxReport
from erp_link.service.core import Core
from ota.registry.adapters.disk import DiskMetadata
from ota.rollout.boxes import Box
from ota.rollout.plan import Plan
from ota.rollout.state import Rollout, fold

_GTIN, _EXPIRY = "06933132577789", date(2027, 6, 30)
_LOOK_S = 0.2


@dataclass(slots=True)
class Plant:
    """`boxes` in cells of `cell`; `frames`: a folder of pictures that all of them see."""

    folder: Path
    frames: Path
    boxes: int = 20
    cell: int = 4
    lots: int = 30
    gap_s: float = 2.0
    poll_s: float = 2.0
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [f"box-{number:02d}" for number in range(self.boxes)]

    def cell_of(self, box: str) -> str:
        return f"cell-{int(box.removeprefix('box-')) // self.cell}"

    @property
    def config(self) -> Config:
        """The hub's."""
        return load_config(self.folder / "hub.toml", environ={})

    # Before the first start

    def prepare(self) -> None:
        """Configuration, identities to claim, deliveries to expect, keys for model sets."""
        self.folder.mkdir(parents=True, exist_ok=True)
        listen, device = free_address(), free_address()
        hub = [
            f'[site]\ndata = "{self.folder / "site"}"\ntime_zone = "UTC"',
            f'[hub]\nlisten = "{listen}"\ndevice_listen = "{device}"\nfirst_link = false',
            "[ota]\nsecond_person = false\ngolden = false\npoll_s = 5\nlive_s = 15",
            '[gateway]\nlisten = ""',
        ]
        (self.folder / "hub.toml").write_text("\n\n".join(hub) + "\n", encoding="utf-8")
        config = self.config
        with open_registry(config) as (devices, ca):
            for name in self.names:
                token = devices.new_claim(name, approve=False)
                claim = msgspec.json.encode(claim_paper(config, ca, name, token)).decode()
                write_private(self.folder / f"{name}.claim", claim)
                self._configure(name, device)
        self._expect(config)
        with open_sets(config, SystemClock()) as desk:
            found_site(
                desk,
                DiskMetadata(Layout(config.data).hub_ota / "tuf"),
                Founding(self.folder / "roots", ("ida", "mara", "nils"), 2, "ops"),
                passphrase=lambda _: "",
                by="bench",
                clock=SystemClock(),
            )
        frames = [path.read_bytes() for path in sorted(self.frames.iterdir())]
        network = LightNetwork(installed().folder)
        scores = sorted(network.score(frame) for frame in frames)
        middle = len(scores) // 2
        plan = BoxPlan(
            str(self.frames), (scores[middle - 1] + scores[middle]) / 2, self.gap_s, self.poll_s
        )
        (self.folder / "plan.json").write_bytes(msgspec.json.encode(plan))

    def _configure(self, name: str, device: str) -> None:
        (self.folder / f"{name}.toml").write_text(
            f'[site]\ndata = "{self.folder / name}"\n\n[edge]\ndevice = "{name}"\n'
            f'station = "{name}"\nhub_url = "https://{device}"\n'
            f'enrolment = "{self.folder / f"{name}.claim"}"\nserial = "serial-{name}"\n',
            encoding="utf-8",
        )

    def _expect(self, config: Config) -> None:
        """The boxes of a cell receive the same batches: a delivery for each dock."""
        Layout(config.data).hub.mkdir(parents=True, exist_ok=True)
        with closing(Core(config.database_url, clock=SystemClock())) as core:
            for name in self.names:
                lines = tuple(
                    AsnLine(
                        number + 1,
                        _GTIN,
                        f"{self.cell_of(name)}-{number:03d}",
                        _EXPIRY,
                        100_000,
                        supplier="ACME",
                    )
                    for number in range(self.lots)
                )
                core.import_asn(Asn(f"DESP-{name}", "ACME", lines), by="bench")
                core.open_session(f"DESP-{name}", dock=name, by="bench")

    # Processes

    @contextmanager
    def running(self, *, boxes: Sequence[str] | None = None) -> Iterator[Plant]:
        """Hub and boxes, until the block ends; whatever happens, no process is left."""
        with ExitStack() as stack:
            stack.callback(self._end_all)
            self.start("hub")
            for name in boxes if boxes is not None else self.names:
                self.start(name)
            yield self

    def start(self, name: str) -> None:
        """Start `hub` or a box."""
        if name == "hub":
            command = ["-m", "appliance", "hub", "--config", str(self.folder / "hub.toml")]
        else:
            module = "appliance.bench.rollout.plant.box"
            paths = [str(self.folder / f"{name}.toml"), str(self.folder / "plan.json")]
            command = ["-m", module, *paths]
        threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
        own = {k: v for k, v in os.environ.items() if not k.startswith("TALLYMAN_")}
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603 -- our own programs
                [sys.executable, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**own, **threads},
            )

    def kill(self, name: str) -> None:
        """Kill -9, and start it again."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.start(name)

    def until(self, what: str, done: Callable[[], object], *, within_s: float = 240.0) -> float:
        """Wait until `done`; the seconds that it took. Raises UnavailableError where it takes longer
        or a process ends.
        """
        began = time.monotonic()
        while not done():
            for name, process in self._running.items():
                if process.poll() is not None:
                    told = f"{name} ended with {process.returncode}: {self.log(name)[-3000:]}"
                    raise UnavailableError(told, mend="Read what it said")
            if time.monotonic() - began > within_s:
                raise UnavailableError(f"{what}: not within {within_s:.0f} s", mend="Try again")
            time.sleep(_LOOK_S)
        return time.monotonic() - began

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def _end_all(self) -> None:
        """The boxes first, so that the hub has nobody left to answer."""
        boxes = [process for name, process in self._running.items() if name != "hub"]
        hub = [process for name, process in self._running.items() if name == "hub"]
        for processes in (boxes, hub):
            for process in processes:
                process.terminate()
            for process in processes:
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    # What people do

    @contextmanager
    def sets(self) -> Iterator[RegistryDesk]:
        """The registry, beside the hub that runs."""
        with open_sets(self.config, SystemClock()) as desk:
            yield desk

    @contextmanager
    def desk(self) -> Iterator[HubOta]:
        """The rollouts' desk beside the hub that runs, as a command opens it."""
        config, clock = self.config, SystemClock()
        with (
            closing(Core(config.database_url, clock=clock)) as core,
            open_registry(config) as (devices, ca),
            open_ota(config, core, devices, ca, None, clock) as ota,
        ):
            yield ota

    def place(self) -> None:
        """Say where each box stands, once they are enrolled."""
        with self.desk() as ota:
            for name in self.names:
                ota.rollouts.place(Box(name, self.cell_of(name), "bench"), by="bench")

    def roll_out(self, plan: Plan) -> str:
        """Draft and approve."""
        with self.desk() as ota:
            name = ota.rollouts.draft(plan, by="ops").rollout
            ota.rollouts.approve(name, by="quality")
        return name

    def rollout(self, name: str) -> Rollout:
        """As it stands now."""
        with self._store() as store:
            return fold(store.history(name))

    def reports(self) -> dict[str, BoxReport]:
        """The newest report of each box, as the hub keeps it."""
        with self._store() as store:
            return store.reports()

    def ran(self, model_set: str) -> set[str]:
        """The boxes that ever said that they run a set."""
        with self._store() as store:
            return {each.device for each in store.ran() if each.model_set == model_set}

    @contextmanager
    def _store(self) -> Iterator[RolloutsDb]:
        with closing(RolloutsDb(Layout(self.config.data).hub_ota / "rollouts.db")) as store:
            yield store

    def running_sets(self) -> dict[str, str]:
        """What each box attests that it runs."""
        found: dict[str, str] = {}
        for name in self.names:
            path = Layout(self.folder / name).sets / "running.json"
            if path.exists():
                lanes = json.loads(path.read_bytes()).get("lanes", {})
                found[name] = lanes.get(LANE, {}).get("model_set", "")
        return found
