"""The hub's part: settings, the secret's file, and the side job against a real Tryton."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.bench.core import tryton_peer
from appliance.bench.core.tryton_peer import Tryton
from appliance.config import Config, ErpConfig
from appliance.hub.erp import HubErp
from contracts.clock import SystemClock
from contracts.errors import BadInputError
from erp_link.domain.erp.delivery import State
from erp_link.service.core import Core
from erp_link.service.orders.desk import Orders
from tests.erp_link.story import WATER
from tests.support.tryton import IN, OUT, Books


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{tryton_peer.PASSWORD}\n")
    file.chmod(0o600)
    return file


def settings(secret: Path, url: str = "http://127.0.0.1:1") -> ErpConfig:
    return ErpConfig(
        kind="tryton",
        url=url,
        database=tryton_peer.DATABASE,
        user=tryton_peer.USER,
        secret=str(secret),
        every_s=0.2,
    )


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, secret: Path) -> None:
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=SystemClock())
    secret.chmod(0o644)
    with pytest.raises(BadInputError, match="others on this machine can read") as caught:
        HubErp(Config(erp=settings(secret)), core)
    assert tryton_peer.PASSWORD not in str(caught.value)
    secret.chmod(0o600)
    with pytest.raises(BadInputError, match=r"\[erp\] url is empty"):
        HubErp(Config(erp=settings(secret, url="")), core)
    secret.write_text("\n")
    with pytest.raises(BadInputError, match="is empty"):
        HubErp(Config(erp=settings(secret)), core)
    with pytest.raises(BadInputError, match="cannot be read"):
        HubErp(Config(erp=settings(tmp_path / "none")), core)
    core.close()


async def until(there: Callable[[], object]) -> None:
    while not there():  # noqa: ASYNC110 -- the job works in a thread and signals nothing
        await asyncio.sleep(0.05)


@pytest.mark.timeout(600)
async def test_the_side_job_reads_what_tryton_expects_and_tells_what_came(
    tryton: Tryton, books: Books, secret: Path, tmp_path: Path
) -> None:
    books.expects("DESP-5", (books.water, WATER.lot, 4))
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=SystemClock())
    order = books.orders((books.water, 3))
    hub = HubErp(Config(erp=settings(secret, tryton.url)), core)
    orders = Orders(core)
    job = asyncio.create_task(hub.run())
    try:
        async with asyncio.timeout(60):
            await until(core.asns)
            core.receive(WATER, 4, location="D1", by="op")
            hub.wake()
            await until(lambda: hub.desk.overview().counts[State.DONE])
            await until(lambda: hub.announced.unusable or orders.orders())
            orders.plan(order, by="op")
            for step in (orders.pick, orders.pack, orders.ship):
                step(order, by="op")
            hub.wake()
            await until(lambda: books.state(OUT, order) == "done")
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        core.close()
    assert books.stock(books.water, WATER.lot) == {"STO": 1}
    assert books.state(IN, "DESP-5") == "draft"
    assert hub.announced.unusable == ()
    assert [(row.name, row.state) for row in hub.health()] == [("ERP Tryton", "ok")]


async def test_an_erp_that_is_away_is_down_on_the_health_page(tmp_path: Path, secret: Path) -> None:
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=SystemClock())
    hub = HubErp(Config(erp=settings(secret)), core)
    assert hub.health() == ()
    job = asyncio.create_task(hub.run())
    try:
        async with asyncio.timeout(60):
            await until(hub.health)
            core.receive(WATER, 4, location="D1", by="op")
            await until(lambda: hub.health()[0].state == "down")
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        core.close()
    assert "does not answer" in hub.health()[0].detail
