"""A live dock with real processes: an eye and two cameras that push pictures, over HTTP and MQTT."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from appliance.accounts.store import Accounts
from appliance.config import (
    Config,
    EdgeConfig,
    PolicyConfig,
    SiteConfig,
    load_config,
    show_config,
)
from appliance.demo.prepare import delivery_day
from appliance.demo.run import HubApi, judged_in
from appliance.demo.samples import SampleDelivery, SampleTruth, write_samples
from appliance.hub_config import HubConfig
from appliance.identity.site_ca import SiteCa
from appliance.journal import file as journal_file
from appliance.journal.codec import decode_body
from appliance.sensor_config import GatewayConfig
from appliance.services.mqtt import MqttBus
from appliance.services.nats import EmbeddedNats
from appliance.up import Running, everything
from contracts.clock import SystemClock
from contracts.events import CameraChanged, CartonJudged
from contracts.verdict import Decision
from tests.support.ports import free_address

pytestmark = pytest.mark.timeout(400)

# Generous, since the machine that runs the tests may be busy; the assertions are about the order.
DEADLINE_MS = 20_000
PATIENCE_S = 150.0
CARTON_S = 0.1
"""How long a carton is before the eye; what passes in 40 ms is a fly."""


def configured(folder: Path, file: Path, edge: EdgeConfig) -> Config:
    """A site as its file says; the ports are free ones."""
    config = Config(
        site=SiteConfig(data=str(folder), time_zone="UTC"),
        hub=HubConfig(listen=free_address(), device_listen=free_address()),
        edge=replace(edge, listen=free_address(), trigger="photo-eye"),
        gateway=GatewayConfig(listen=""),
        # The machine that runs the tests may have no time service.
        policy=PolicyConfig(clock_synchronised=False),
    )
    file.write_text(show_config(config), encoding="utf-8")
    return load_config(file, {})


async def until(true: Any, why: str) -> Any:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not (found := await true()):
        assert asyncio.get_running_loop().time() < deadline, f"{why}: not in {PATIENCE_S:.0f} s"
        await asyncio.sleep(0.1)
    return found


def token_for(running: Running, *scopes: str) -> str:
    """A program's token, as the settings page makes it."""
    clock = SystemClock()
    ca = SiteCa.open_or_create(running.layout.site_ca, clock=clock)
    accounts = Accounts.open(running.layout.accounts_db, clock=clock, session_key=ca.session_key)
    try:
        return accounts.new_token("dock programs", scopes)
    finally:
        accounts.close()


@dataclass
class Dock:
    """What stands around the station: eye, cameras and diverter."""

    http: httpx.AsyncClient
    bus: MqttBus
    journal: Path
    delivery: SampleDelivery
    lanes: dict[str, dict[str, Any]]

    async def shows(self, camera: str, picture: bytes) -> httpx.Response:
        return await self.http.post(f"/station/cameras/{camera}/frames", content=picture)

    async def eye(self, *, covered: bool) -> None:
        answer = await self.http.post("/station/trigger", json={"state": int(covered)})
        assert answer.status_code == 202, answer.text

    def pictures(self, truth: SampleTruth) -> tuple[bytes, bytes]:
        folder = self.delivery.cartons
        label, inspect = (folder / f"{truth.stem}.{camera}.jpg" for camera in ("label", "inspect"))
        return label.read_bytes(), inspect.read_bytes()

    async def passes(self, truth: SampleTruth) -> set[str]:
        """One carton goes by; the hashes of its pictures."""
        label, inspect = self.pictures(truth)
        await self.eye(covered=True)
        for camera, picture in (("label", label), ("inspect", inspect)):
            assert (await self.shows(camera, picture)).status_code == 202
        await asyncio.sleep(CARTON_S)
        await self.eye(covered=False)
        return {hashlib.sha256(picture).hexdigest() for picture in (label, inspect)}

    async def judged(self, count: int) -> list[CartonJudged]:
        async def enough() -> list[CartonJudged]:
            found = await asyncio.to_thread(judged_in, self.journal, after=0)
            return [body for _, body in found] if len(found) >= count else []

        return await until(enough, f"{count} cartons judged")

    async def lane_of(self, body: CartonJudged) -> dict[str, Any]:
        async def told() -> dict[str, Any] | None:
            return self.lanes.get(body.carton_id)

        return await until(told, f"the lane of {body.carton_id}")


@asynccontextmanager
async def dock(config: Config, file: Path) -> AsyncIterator[Dock]:
    async with everything(config, config_file=file) as running:
        demo = running.layout.demo
        delivery = write_samples(demo, today=delivery_day(demo, datetime.now(UTC).date()))
        hub = HubApi(running.pages_url, running.api_token)
        await hub.announce("DESADV-LIVE", delivery.asn_csv.read_bytes(), dock=config.edge.station)
        await hub.close()
        token = token_for(running, "camera", "trigger")
        await running.start_edge()
        eye = EmbeddedNats(running.layout.broker)
        port = (running.layout.broker / "port").read_text(encoding="ascii").strip()
        url = f"mqtt://lane:{eye.password('lane')}@127.0.0.1:{port}"
        headers = {"authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(base_url=running.edge_url, headers=headers, timeout=30) as http,
            MqttBus(url, client_id="diverter") as bus,
            bus.subscribe(f"tallyman/{config.edge.station}/lane", qos=1) as lane,
        ):
            made = Dock(http, bus, running.layout.journal, delivery, {})

            async def divert() -> None:
                async for message in lane:
                    said = json.loads(message.payload)
                    assert said["carton_id"] not in made.lanes, "told twice"
                    made.lanes[said["carton_id"]] = said

            async def knows_the_list() -> bool:
                known = running.layout.uplink / "expectations.json"
                if not (known.exists() and b"DESADV-LIVE" in known.read_bytes()):
                    return False
                return (await made.shows("roof", b"")).status_code == 404

            diverting = asyncio.create_task(divert())
            try:
                await until(knows_the_list, "the edge knows delivery and token")
                yield made
            finally:
                diverting.cancel()
                await asyncio.gather(diverting, return_exceptions=True)


def chosen(delivery: SampleDelivery, decision: Decision) -> SampleTruth:
    return next(truth for truth in delivery.truth if truth.expected == (str(decision),))


def spoiled(label: bytes) -> dict[str, bytes]:
    deep = cv2.imencode(".png", np.full((64, 64), 40_000, np.uint16))[1].tobytes()
    return {"cut off": label[: len(label) // 2], "16 bits": deep, "empty": b"", "text": b"hello"}


async def test_each_carton_gets_its_own_pictures_verdict_and_lane(prepared, tmp_path) -> None:
    folder, file = tmp_path / "data", tmp_path / "tallyman.toml"
    shutil.copytree(prepared, folder)
    edge = EdgeConfig(label_camera="upload", inspect_camera="upload", lane_deadline_ms=DEADLINE_MS)
    config = configured(folder, file, edge)
    async with dock(config, file) as live:
        truths = [chosen(live.delivery, decision) for decision in Decision]
        between, _ = live.pictures(live.delivery.truth[-1])
        pictures = []
        for number, truth in enumerate(truths, start=1):
            pictures.append(await live.passes(truth))
            await live.judged(number)
            assert (await live.shows("label", between)).status_code == 202

        for what, picture in spoiled(between).items():
            refused = await live.shows("label", picture)
            assert refused.status_code == 422, what
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.json()["code"] == "bad_frame"

        # By MQTT, an eye of the broker's role `lane`; no camera sees this one.
        topic = f"tallyman/{config.edge.station}/trigger"
        await live.bus.publish(topic, b'{"state": 1}', qos=1)
        await asyncio.sleep(CARTON_S)
        await live.bus.publish(topic, b'{"state": 0}', qos=1)
        *seen, unseen = await live.judged(len(truths) + 1)

        for truth, body, own in zip(truths, seen, pictures, strict=True):
            evidence = {e.sha256 for e in body.evidence if e.kind in {"label", "inspect"}}
            assert evidence == own, f"{truth.stem} was judged by its own pictures"
            assert str(body.verdict.decision) in truth.expected, truth.stem
            assert body.opened_by == "trigger"
        assert unseen.evidence == ()
        assert unseen.verdict.decision is Decision.REVIEW
        assert "no_label_picture" in {reason.code for reason in unseen.verdict.reasons}

        stray = hashlib.sha256(between).hexdigest()
        bodies = [*seen, unseen]
        assert all(e.sha256 != stray for body in bodies for e in body.evidence)
        for body in bodies:
            told = await live.lane_of(body)
            assert told["lane"] == str(body.verdict.decision)
        assert set(live.lanes) == {body.carton_id for body in bodies}


def write_film(file: Path) -> None:
    """One picture again and again, which no sensor ever sends: what a frozen camera looks like.

    Without loss: MJPG's rate control makes the first picture another than those after it, and a
    busy machine that catches now this one and now that one sees a picture that moves.
    """
    picture = np.random.default_rng(1).integers(60, 190, (240, 320, 3), dtype=np.uint8)
    film = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"FFV1"), 10, (320, 240))
    for _ in range(10):
        film.write(picture)
    film.release()


async def test_a_camera_that_freezes_and_goes_away_is_in_the_journal(prepared, tmp_path) -> None:
    folder, file, film = tmp_path / "data", tmp_path / "tallyman.toml", tmp_path / "belt.avi"
    shutil.copytree(prepared, folder)
    write_film(film)
    config = configured(folder, file, EdgeConfig(label_camera=str(film)))
    async with everything(config, config_file=file) as running:
        await running.start_edge()
        journal = running.layout.journal

        async def states() -> list[str]:
            return [each.state for each in await asyncio.to_thread(camera_changes, journal)]

        async def was_frozen() -> bool:
            # On a busy machine pictures may also be late for a moment: then it was not the last word.
            return "frozen" in await states()

        async def is_stalled() -> bool:
            return (await states())[-1:] == ["stalled"]

        await until(was_frozen, "the frozen picture is in the journal")
        film.unlink()
        await until(is_stalled, "the camera's silence is in the journal")


def camera_changes(journal: Path) -> list[CameraChanged]:
    db = sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5)
    try:
        query = f"{journal_file.SELECT} WHERE kind = 'camera_changed' ORDER BY seq"
        entries = [journal_file.to_entry(row) for row in db.execute(query)]
    finally:
        db.close()
    bodies = [decode_body(entry.kind, entry.body) for entry in entries]
    return [body for body in bodies if isinstance(body, CameraChanged)]
