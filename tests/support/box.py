"""One box in virtual time: the real agent over a disk in memory, a hub in process, an edge that
loads, judges and sometimes breaks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.errors import NotFoundError, UnavailableError
from contracts.ota import Assignment, BoxReport, BoxStep, ShadowReport, Tally
from contracts.reason import Reason
from ota.agent.agent import Agent, AgentSettings, Trust
from ota.agent.handover import (
    INSTALLATION,
    LaneRunning,
    Running,
    held_folder,
    read_active,
    write_running,
)
from ota.agent.memory_disk import MemoryDisk
from ota.agent.ports import Polled
from ota.agent.sets.shelf import Base
from ota.director.dsse import Director
from tests.support.image_plane import Repository, digest_of, set_files

START = datetime(2026, 11, 22, 6, tzinfo=UTC)
DEVICE, CELL = "edge-7", "dock-1"
INSTALLED = {"read": set_files("read", "1.0.0"), "inspect": set_files("inspect", "1.0.0")}
INSTALLED_DIGESTS = {lane: digest_of(files) for lane, files in INSTALLED.items()}


class VirtualTime:
    """A clock that somebody may set, and one that nobody sets."""

    def __init__(self) -> None:
        self.at = START
        self.passed = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.at += timedelta(seconds=seconds)

    @property
    def us(self) -> int:
        return (self.at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


class HubInProcess:
    """The device port without a network. `meddle` may change what is answered; `piece` is the most
    that one answer brings, `slow_s` how long it takes.
    """

    def __init__(self, time: VirtualTime, repository: Repository) -> None:
        self.time, self.repository = time, repository
        self.director = Director(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1"))
        self.envelope: bytes = b""
        self.away = False
        self.reports: list[BoxReport] = []
        self.asked: list[str] = []
        self.served_bytes = 0
        self.piece, self.slow_s = 1 << 20, 0.0
        self.meddle: Callable[[str, bytes | None], bytes | None] = lambda _, data: data
        self.number = 0

    def assign(self, **words: object) -> Assignment:
        """Sign the next assignment for the box."""
        self.number += 1
        facts: dict[str, object] = {
            "device": DEVICE,
            "cell": CELL,
            "epoch": 1,
            "sequence": self.number,
            "least_snapshot": self.repository.snapshot.signed.version,
            "not_after_us": self.time.us + 14 * 86_400_000_000,
            "rollout": "r1",
        }
        assignment = Assignment(**{**facts, **words})
        self.envelope = self.director.sign(assignment)
        return assignment

    def poll(self, etag: str) -> Polled:
        self._answer("assignment")
        now = hashlib.sha256(self.envelope).hexdigest()
        return (
            Polled(None, etag) if not self.envelope or etag == now else Polled(self.envelope, now)
        )

    def report(self, report: BoxReport) -> None:
        self._answer("report")
        self.reports.append(report)

    def get(self, path: str, *, offset: int = 0, most: int) -> bytes:
        self._answer(path)
        data = self.meddle(path, self.repository.get(path))
        if data is None:
            raise NotFoundError(f"There is no {path}")
        piece = data[offset : offset + min(most, self.piece)]
        self.served_bytes += len(piece)
        return piece

    def _answer(self, path: str) -> None:
        self.time.sleep(self.slow_s)
        if self.away:
            raise UnavailableError("The hub does not answer")
        self.asked.append(path)


class ProverInTest:
    """Golden frames that pass, unless a set is named in `wrong`."""

    def __init__(self) -> None:
        self.wrong: dict[str, Reason] = {}
        self.proved: list[str] = []

    def prove(self, lane: str, digest: str, folder: str) -> Reason | None:
        self.proved.append(digest)
        return self.wrong.get(digest)


class EdgeInTest:
    """Follows active.json as an edge does: loads, attests, judges a carton a second."""

    def __init__(self, disk: MemoryDisk, time: VirtualTime) -> None:
        self.disk, self.time = disk, time
        self.boot = "boot-1"
        self.running = Running(at_us=0)
        self.raises: set[str] = set()
        self.late: set[str] = set()
        self.refuses: set[str] = set()
        self.dies_of: set[str] = set()
        self.off = False
        self.ran: list[str] = []
        self.open_pins: tuple[str, ...] = ()

    def tick(self, seconds: float) -> None:
        if self.off:
            return
        active = read_active(self.disk)
        lanes, refused = dict(self.running.lanes), {}
        for lane in INSTALLED:
            digest = active.digest(lane)
            if digest in self.dies_of:
                self.running = Running(
                    at_us=self.running.at_us, boot=self.boot, loading=active.change
                )
                write_running(self.disk, self.running)
                self.off = True
                return
            if digest in self.refuses:
                refused[digest] = Reason("set_refused")
                continue
            attested = self.attest(lane, digest)
            known = lanes.get(lane)
            if known is None or known.model_set != attested:
                self.ran.append(attested)
                lanes[lane] = LaneRunning(attested, "onnxruntime-cpu", since_us=self.time.us)
            else:
                cartons = known.cartons + max(int(seconds), 1)
                lanes[lane] = LaneRunning(
                    attested,
                    "onnxruntime-cpu",
                    since_us=known.since_us,
                    cartons=cartons,
                    errors=cartons if attested in self.raises else 0,
                    late=cartons if attested in self.late else 0,
                )
        shadow = tuple(
            ShadowReport(each.rollout, each.lane, each.model_set, {"harm": Tally(10, 0)})
            for each in active.shadow
        )
        self.running = Running(
            at_us=self.time.us,
            boot=self.boot,
            change=active.change,
            lanes=lanes,
            refused=refused,
            open_pins=self.open_pins,
            shadow=shadow,
        )
        write_running(self.disk, self.running)

    def attest(self, lane: str, digest: str) -> str:
        """The digest of what really stands there, every file checked."""
        if digest == INSTALLATION:
            return INSTALLED_DIGESTS[lane]
        assert is_verified(self.disk, digest), f"{digest} is not whole"
        return digest


def is_verified(disk: MemoryDisk, digest: str) -> bool:
    """Whether a held set is whole: the manifest has the digest, every file its hash."""
    import json

    folder = held_folder(digest)
    try:
        manifest = disk.read(f"{folder}/manifest.json")
        said: Mapping[str, Mapping[str, str]] = json.loads(manifest)["files"]
        return "sha256:" + hashlib.sha256(manifest).hexdigest() == digest and all(
            hashlib.sha256(disk.read(f"{folder}/{name}")).hexdigest() == facts["sha256"]
            for name, facts in said.items()
        )
    except FileNotFoundError:
        return False


class Box:
    """Everything of one box, and time that passes for all of it."""

    def __init__(self, *, settings: AgentSettings | None = None) -> None:
        self.time = VirtualTime()
        self.repository = Repository(self.time.now)
        self.hub = HubInProcess(self.time, self.repository)
        self.prover = ProverInTest()
        self.settings = settings or AgentSettings(
            poll_s=60, probation_cartons=20, probation_s=30, reserve_mb=1
        )
        self.models = MemoryDisk()
        for lane, files in INSTALLED.items():
            self.models.make_folder(lane)
            for name, data in files.items():
                self.models.append(f"{lane}/{name}", data)
        self.disk = MemoryDisk()
        self.edge = EdgeInTest(self.disk.shared(), self.time)
        self.agent = self.start()

    def start(self, **words: object) -> Agent:
        """The agent as it is started on what the disk holds now."""
        director = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\1").public_key()
        facts: dict[str, object] = {
            "device": DEVICE,
            "version": "0.8.0",
            "files": self.disk,
            "hub": self.hub,
            "prover": self.prover,
            "clock": self.time,
            "trust": Trust(
                self.repository.first_root,
                {"director": director.public_bytes(Encoding.Raw, PublicFormat.Raw)},
            ),
            "installed": INSTALLED_DIGESTS,
            "bases": {
                digest: Base(self.models, lane) for lane, digest in INSTALLED_DIGESTS.items()
            },
            "settings": self.settings,
            "random": Random(5),  # noqa: S311 -- jitter, no secret
            "monotonic": self.time.monotonic,
        }
        self.agent = Agent(**{**facts, **words})
        return self.agent

    def after_power_cut(self, disk: MemoryDisk) -> None:
        """Edge and agent start on what is left."""
        self.disk = disk
        self.edge.disk = disk.shared()
        self.edge.boot = f"boot-{int(self.edge.boot[5:]) + 1}"
        self.edge.running = Running(at_us=0)
        self.edge.off = False
        self.start()

    def run(self, seconds: float, *, most_steps: int = 20_000) -> None:
        """Let time pass: the agent works whenever it wants to, the edge follows each five seconds."""
        end = self.time.passed + seconds
        next_tick = self.time.passed
        for _ in range(most_steps):
            if self.time.passed >= next_tick:
                self.edge.tick(5)
                next_tick = self.time.passed + 5
            wait = self.agent.step()
            if self.time.passed >= end:
                return
            self.time.sleep(min(max(wait, 0.001), next_tick - self.time.passed, 5.0))
        raise AssertionError("The agent never rests")

    @property
    def said(self) -> BoxReport:
        return self.hub.reports[-1]

    @property
    def running(self) -> dict[str, str]:
        """Attested, by lane."""
        return {lane: each.model_set for lane, each in self.edge.running.lanes.items()}

    def steps(self) -> list[BoxStep]:
        """What the box reported, without repetitions."""
        told = [each.step for each in self.hub.reports]
        return [step for at, step in enumerate(told) if at == 0 or told[at - 1] != step]
