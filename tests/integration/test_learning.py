"""A review is settled at a real station while the hub is down: the hub learns of it, once (I2, I6)."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from datetime import UTC, datetime

import httpx
import pytest

from appliance.accounts.store import Accounts
from appliance.accounts.web import COOKIE
from appliance.config import Config, EdgeConfig, SiteConfig
from appliance.demo.prepare import delivery_day
from appliance.demo.run import HubApi, judged_in
from appliance.demo.samples import write_samples
from appliance.hub_config import HubConfig
from appliance.identity.site_ca import SiteCa
from appliance.learning.example import decode_example
from appliance.learning.folders import edge_dataset, hub_dataset
from appliance.sensor_config import GatewayConfig
from appliance.up import everything
from contracts.clock import SystemClock
from tests.support.ports import free_address

pytestmark = pytest.mark.timeout(400)


async def until(true, why: str, patience_s: float = 150.0):
    deadline = asyncio.get_running_loop().time() + patience_s
    while not (found := await asyncio.to_thread(true)):
        assert asyncio.get_running_loop().time() < deadline, f"{why}: not in {patience_s:.0f} s"
        await asyncio.sleep(0.1)
    return found


def signed_in(layout, link: str) -> str:
    """The first person's session, as the one-time link gives it."""
    clock = SystemClock()
    ca = SiteCa.open_or_create(layout.site_ca, clock=clock)
    accounts = Accounts.open(layout.accounts_db, clock=clock, session_key=ca.session_key)
    try:
        return accounts.first_sign_in(link.rpartition("/")[2], "mei", "a long enough pass phrase")
    finally:
        accounts.close()


async def test_what_an_operator_settles_while_the_hub_is_down_reaches_it_once(
    prepared, tmp_path
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    config = Config(
        site=SiteConfig(data=str(folder), time_zone="UTC"),
        hub=HubConfig(listen=free_address(), device_listen=free_address()),
        edge=EdgeConfig(listen=free_address()),
        gateway=GatewayConfig(listen=""),
    )
    demo = folder / "demo"
    delivery = write_samples(demo, today=delivery_day(demo, datetime.now(UTC).date()))
    at_edge, at_hub = edge_dataset(config), hub_dataset(config)
    async with everything(config, replay=delivery.cartons) as running:
        session = signed_in(running.layout, running.sign_in_link)
        hub = HubApi(running.pages_url, running.api_token)
        csv = delivery.asn_csv.read_bytes()
        await hub.announce("DESADV-LEARN", csv, dock=config.edge.station)
        await hub.close()
        await running.start_edge()
        off_list = next(truth for truth in delivery.truth if truth.asn_line is None)

        def judged() -> str:
            found = [b for _, b in judged_in(running.layout.journal, after=0)]
            ids = [b.carton_id for b in found if b.name == off_list.stem]
            return ids[0] if ids else ""

        carton = await until(judged, "the carton that nobody announced is judged")
        async with httpx.AsyncClient(
            base_url=running.edge_url, cookies={COOKIE: session}, timeout=60
        ) as station:
            await settle(station, carton, off_list, running.children["hub"])

        await until(lambda: at_hub.held().examples == 1, "the example is at the hub")
        await until(lambda: at_edge.held().examples == 0, "and no longer at the station")
        (name,) = at_hub.names()
        example = decode_example(at_hub.read(name))
        assert example.carton_id == carton
        assert (example.truth.gtin, example.truth.batch) == (off_list.gtin, off_list.batch)
        assert {field for line in example.lines for field in line.fields} >= {"batch", "expiry"}
        assert all(glyph.letters for line in example.lines for glyph in line.line.glyphs)


async def settle(station: httpx.AsyncClient, carton: str, truth, hub) -> None:
    """The operator keys what the label says; the hub has just been killed."""
    page: list[httpx.Response] = []

    async def shown() -> bool:
        page[:] = [await station.get(f"/station/cartons/{carton}")]
        return page[0].status_code == 200

    async with asyncio.timeout(60):
        while not await shown():  # noqa: ASYNC110 -- another process makes it true
            await asyncio.sleep(0.2)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page[0].text)
    assert token is not None
    os.kill(hub.pid, signal.SIGKILL)
    form = {
        "csrf_token": token[1], "how": "keyed", "gtin": truth.gtin,
        "batch": truth.batch, "expiry": truth.expiry.isoformat(),
    }  # fmt: skip
    answer = await station.post(f"/station/cartons/{carton}/settle", data=form)
    assert answer.status_code == 303, answer.text
