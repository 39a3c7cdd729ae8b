"""A station with its journal, desk and keeper, and a hub that takes examples, over real TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.desk import Settlement
from appliance.edge.card import card_of
from appliance.edge.desk import StationDesk
from appliance.evidence import EvidenceStore
from appliance.identity.device import DeviceIdentity
from appliance.journal.journal import Journal
from appliance.learning import intake
from appliance.learning.dataset import Dataset
from appliance.learning.keeper import Keeper
from appliance.learning.keeping import Privacy
from appliance.learning.retention import Limits
from appliance.learning.shipping import ExampleUpload
from appliance.uplink.sender import Uplink
from contracts.asn import Expectations
from contracts.clock import SystemClock
from tests.appliance.learning.cartons import LABEL, TRUTH, judged, picture
from tests.appliance.uplink.hub import Hub, MemoryCore, build

ROOMY = Limits(1 << 30, 90)


@dataclass
class Site:
    """The hub's side: its device port and its dataset."""

    hub: Hub
    dataset: Dataset


@dataclass
class Station:
    """One box: everything of it that the learning loop touches."""

    folder: Path
    identity: DeviceIdentity
    journal: Journal
    evidence: EvidenceStore
    dataset: Dataset
    privacy: Privacy = Privacy.CROPS
    looks: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk = StationDesk("dock-1", self.journal, expectations=Expectations)

    def keeper(self, *, idle: Callable[[], object] | None = None) -> Keeper:
        async def at_once() -> None:
            return

        def see(_image: object, frame: int) -> object:
            self.looks.append(frame)
            return LABEL

        return Keeper(
            self.journal,
            self.evidence,
            self.dataset,
            see,
            seen_by="sha256:" + "b" * 64,
            privacy=self.privacy,
            cursor=self.folder / "learning" / "followed.json",
            clock=SystemClock(),
            idle=idle or at_once,
        )

    def uplink(self, url: str, *, kb_s: int = 10_000) -> Uplink:
        return Uplink(
            self.journal,
            self.evidence,
            url,
            self.identity,
            folder=self.folder / "uplink",
            clock=SystemClock(),
            poll_s=0.02,
            most_backoff_s=0.2,
            examples=ExampleUpload(
                self.dataset,
                bytes_per_s=1000 * kb_s,
                told=self.folder / "learning" / "told.json",
                look_every_s=0.05,
            ),
        )

    async def judge(self, carton: str) -> None:
        """A carton comes to review, its picture stored first."""
        sha256 = self.evidence.put(picture() + carton.encode())
        body = judged(carton, pictures=(sha256,))
        await self.journal.append(body)
        self.desk.remember(card_of(body, at=datetime.now(UTC)), body.session)

    async def settle(self, carton: str, *, how: str = "keyed") -> None:
        """The operator answers it at the desk."""
        answer = Settlement(carton, how, TRUTH.gtin, TRUTH.batch, TRUTH.expiry)
        await self.desk.settle(answer, operator="li.wei")

    async def review(self, carton: str, *, how: str = "keyed") -> None:
        await self.judge(carton)
        await self.settle(carton, how=how)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    hub = build(tmp_path / "hub", MemoryCore())
    dataset = Dataset(tmp_path / "hub" / "learning", ROOMY)
    hub.app.include_router(intake.router(dataset, registry=hub.registry, clock=SystemClock()))
    yield Site(hub, dataset)
    hub.registry.close()


@pytest.fixture
def station(site: Site, tmp_path: Path) -> Iterator[Station]:
    folder = tmp_path / "edge"
    identity = DeviceIdentity.open_or_create(folder / "identity", "edge-01")
    site.hub.enrol(identity)
    with Journal.open(folder / "journal.db", identity=identity, clock=SystemClock()) as journal:
        yield Station(
            folder,
            identity,
            journal,
            EvidenceStore(folder / "evidence"),
            Dataset(folder / "learning", ROOMY),
        )


@pytest.fixture
def running():
    """Run a job beside the test; it fails the test when it fails."""

    @asynccontextmanager
    async def run(*jobs: Callable[[], object]) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(job()) for job in jobs]
        try:
            yield
        finally:
            for task in tasks:
                if task.done():
                    task.result()
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return run


@pytest.fixture
def until():
    """Wait for something to become true, with a deadline."""

    async def wait(condition: Callable[[], bool], what: str) -> None:
        async with asyncio.timeout(150):
            while not condition():  # noqa: ASYNC110 -- other processes and threads make it true
                await asyncio.sleep(0.01)
        assert condition(), what

    return wait
