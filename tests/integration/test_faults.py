"""Plugs are pulled in the middle of a delivery: nothing is lost, nothing counts twice (I2, I6)."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
from datetime import UTC, datetime

import httpx
import pytest

from appliance.config import Config, EdgeConfig, HubConfig, SiteConfig
from appliance.demo.prepare import delivery_day
from appliance.demo.run import HubApi, judged_in
from appliance.demo.samples import write_samples
from appliance.sensor_config import GatewayConfig
from appliance.up import everything
from contracts.verdict import Decision
from tests.support.ports import free_address

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def config(prepared, tmp_path) -> Config:
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    return Config(
        site=SiteConfig(data=str(folder), time_zone="UTC"),
        hub=HubConfig(listen=free_address(), device_listen=free_address()),
        edge=EdgeConfig(listen=free_address()),
        gateway=GatewayConfig(listen=""),
    )


def kill(running, name: str) -> None:
    """kill -9; the supervisor starts it again."""
    pid = running.children[name].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def until(true, why: str, patience_s: float = 150.0) -> None:
    deadline = asyncio.get_running_loop().time() + patience_s
    while not await true():
        assert asyncio.get_running_loop().time() < deadline, f"{why}: not in {patience_s:.0f} s"
        await asyncio.sleep(0.2)


class Story:
    """One delivery through a running dock, and the questions to ask of it."""

    def __init__(self, running, config: Config) -> None:
        self.running = running
        self.journal = running.layout.journal
        self.core = running.layout.hub / "core.db"
        self.api = HubApi(running.pages_url, running.api_token)
        demo = running.layout.demo
        self.delivery = write_samples(demo, today=delivery_day(demo, datetime.now(UTC).date()))
        self._dock = config.edge.station
        self.lost: list[str] = []
        """Orders whose load went with its vehicle: a person's task, with a ticket."""

    async def begin(self) -> None:
        csv = self.delivery.asn_csv.read_bytes()
        await self.api.announce("DESADV-FAULTS", csv, dock=self._dock)
        await self.running.start_edge()

    async def judged(self, at_least: int) -> bool:
        return len(await asyncio.to_thread(judged_in, self.journal, after=0)) >= at_least

    def ask(self, query: str) -> list[tuple]:
        db = sqlite3.connect(f"file:{self.core}?mode=ro", uri=True, timeout=10)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()

    async def booked(self) -> bool:
        cartons = await asyncio.to_thread(self.ask, "SELECT carton_id FROM carton")
        return len(cartons) >= len(self.delivery.truth)

    async def brought(self) -> bool:
        """Every load that a vehicle was asked to bring has arrived, or is a person's task."""
        try:
            transports = await self.api.get("/api/v1/transport")
        except httpx.HTTPError:
            return False
        over = {"dropped", "failed", "cancelled"}
        return bool(transports) and all(t["state"] in over for t in transports)

    def assert_nothing_lost_nothing_twice(self) -> None:
        judged = [body for _, body in judged_in(self.journal, after=0)]
        assert len({body.name for body in judged}) == len(self.delivery.truth)
        assert len(judged) == len(self.delivery.truth), "a carton was judged twice"
        cartons = [row[0] for row in self.ask("SELECT carton_id FROM carton")]
        assert sorted(cartons) == sorted(body.carton_id for body in judged)
        frozen = {body.verdict.freezes for body in judged if body.verdict.freezes}
        held = self.ask("SELECT count(*) FROM hold WHERE released_at IS NULL")
        assert held == [(len(frozen),)]
        # Double entry: every batch's moves sum to zero over all places and accounts.
        sums = self.ask("SELECT batch_id, sum(quantity) FROM move_line GROUP BY batch_id")
        assert all(total == 0 for _, total in sums)
        known = sum(body.verdict.batch is not None for body in judged)
        on_hand = self.ask("SELECT coalesce(sum(quantity), 0) FROM stock")
        assert on_hand == [(known,)]
        orders = self.ask("SELECT order_id, load_id, state FROM transport")
        brought = [load for _, load, state in orders if state == "dropped"]
        assert len(brought) == len(set(brought)), "a carton was put away twice"
        asked_for = {
            body.carton_id for body in judged if body.verdict.decision is not Decision.REVIEW
        }
        assert {load for _, load, _ in orders} == asked_for
        self.lost = [order for order, _, state in orders if state == "failed"]
        tickets = {row[0] for row in self.ask("SELECT ticket_id FROM ticket")}
        assert all(f"QC-{order}-failed" in tickets for order in self.lost)


async def delivery_with(config: Config, *pulls: tuple[int, str]) -> Story:
    """Send the delivery through; after `n` verdicts kill -9 the named process."""
    demo = config.data / "demo" / "cartons"
    async with everything(config, replay=demo) as running:
        story = Story(running, config)
        try:
            await story.begin()
            for after, name in pulls:
                await until(lambda n=after: story.judged(n), f"{after} cartons judged")
                kill(running, name)
            await until(lambda: story.judged(len(story.delivery.truth)), "all cartons judged")
            await until(story.booked, "all verdicts booked")
            await until(story.brought, "all loads brought")
            story.assert_nothing_lost_nothing_twice()
            return story
        finally:
            await story.api.close()


async def test_hub_broker_and_live_view_killed_in_one_delivery(config) -> None:
    story = await delivery_with(config, (2, "hub"), (4, "valkey"), (6, "broker"), (9, "hub"))
    assert story.lost == []


async def test_the_edge_killed_in_the_middle_goes_on_where_it_stopped(config) -> None:
    story = await delivery_with(config, (3, "edge"), (7, "edge"))
    assert story.lost == []


async def test_vehicles_gone_in_the_middle_leave_tasks_not_riddles(config) -> None:
    """A vehicle that is killed forgets its load: what it carried is a person's task."""
    story = await delivery_with(config, (5, "fleet"))
    assert len(story.lost) <= 2, "two vehicles carry at most two loads"
