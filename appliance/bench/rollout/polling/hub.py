"""The hub's side in a process of its own: its real device port, gate and director, plain HTTP behind a
front that ends TLS. All boxes are enrolled and have an assignment before the first poll.

    python -m appliance.bench.rollout.polling.hub HOST:PORT FOLDER BOXES

Says one JSON line when it listens; FOLDER/boxes.bin then holds each box's key and ETag (msgpack). With
0 boxes it is the peer: the same server, and an application that answers 304 to everybody.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from starlette.types import Receive, Scope, Send

from appliance.bench.agv.lines import log_elsewhere, say
from appliance.hub.doors import DevicePort
from appliance.hub.ota import Pulse
from appliance.hub_config import HubConfig
from appliance.identity.keys import public_pem
from appliance.identity.registry import DeviceRegistry
from appliance.identity.site_ca import SiteCa
from appliance.ota import director_port
from appliance.ota.desk.desk import Rollouts
from appliance.ota.desk.engine import Around, DeskPolicy, Engine
from appliance.serving import Serving
from contracts.clock import SystemClock
from contracts.errors import UnavailableError
from contracts.ota import BoxReport, BoxStep
from ota.director.dsse import Director
from ota.rollout.evidence import MemoryEvidence
from ota.rollout.memory import MemoryRollouts
from ota.rollout.plan import Plan, Wave
from ota.rollout.state import Phase

OLD, NEW = "sha256:" + "0" * 64, "sha256:" + "1" * 64
_LANE = "inspect"


class Known(msgspec.Struct, array_like=True):
    """One box for the load: its private key (32 bytes) and the ETag of its assignment."""

    device: str
    key: bytes
    etag: str


async def serve(address: str, folder: Path, boxes: int) -> None:
    """Until SIGTERM."""
    serving, clock = Serving(), SystemClock()
    if not boxes:
        serving.http(_nothing_new, address, where="bench")
        serving.job("ready", _ready)
        await serving.run()
        return
    ca = SiteCa.open_or_create(folder / "ca", clock=clock, names=("127.0.0.1",))
    known = await asyncio.to_thread(_enrol, folder, ca, clock, boxes)
    with closing(DeviceRegistry(folder / "devices.db", ca, clock)) as registry:
        pulse = Pulse()
        engine = _engine([each.device for each in known], pulse, clock)
        pulse.follow(engine.tick)
        await asyncio.to_thread(_assign, engine, known, clock)
        (folder / "boxes.bin").write_bytes(msgspec.msgpack.encode(known))
        devices = DevicePort(HubConfig(), registry, ca, clock)
        devices.add(director_port.router(engine, director_pem="", registry=registry, clock=clock))
        answer = director_port.assignment_answer(engine, registry=registry, clock=clock)
        devices.quick(director_port.ASSIGNMENT, answer)
        serving.http(devices.asgi, address, where="bench")
        serving.side_job("rollouts", pulse.run)
        serving.job("ready", _ready)
        await serving.run()


def _enrol(folder: Path, ca: SiteCa, clock: SystemClock, boxes: int) -> list[Known]:
    """One box by the real ceremony, the others as copies of its row with keys of their own."""
    first = Ed25519PrivateKey.generate()
    with closing(DeviceRegistry(folder / "devices.db", ca, clock)) as registry:
        registry.claim("box-000000", registry.new_claim("box-000000"), _csr("box-000000", first))
    keys = [first, *(Ed25519PrivateKey.generate() for _ in range(boxes - 1))]
    known = [Known(f"box-{n:06d}", key.private_bytes_raw(), "") for n, key in enumerate(keys)]
    with closing(sqlite3.connect(folder / "devices.db")) as db:
        cursor = db.execute("SELECT * FROM devices")
        names, row = [each[0] for each in cursor.description], cursor.fetchone()
        at_device, at_key = names.index("device"), names.index("public_key")
        marks = ",".join("?" * len(names))
        rows = []
        for each, key in zip(known[1:], keys[1:], strict=True):
            copy = list(row)
            copy[at_device], copy[at_key] = each.device, public_pem(key.public_key())
            rows.append(copy)
        db.executemany(f"INSERT INTO devices VALUES ({marks})", rows)  # noqa: S608 -- marks only
        db.commit()
    return known


def _csr(device: str, key: Ed25519PrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, None)
    return request.public_bytes(Encoding.PEM).decode()


def _engine(devices: list[str], pulse: Pulse, clock: SystemClock) -> Engine:
    admitted = frozenset(devices)
    return Engine(
        MemoryRollouts(),
        Director(Ed25519PrivateKey.from_private_bytes(secrets.token_bytes(32))),
        MemoryEvidence(),
        Around(
            admitted=lambda: admitted,
            assignable=lambda _digest, _lane: None,
            snapshot=lambda: 1,
            changed=pulse.soon,
        ),
        clock=clock,
        policy=DeskPolicy(second_person=False, site="bench"),
    )


def _assign(engine: Engine, known: list[Known], clock: SystemClock) -> None:
    """A rollout came to every box and is done: nothing is new from here on."""
    desk = Rollouts(engine)
    _report(engine, known, clock, OLD)
    plan = Plan(
        _LANE, NEW, waves=(Wave(100.0, certify=False),), shadow=False, watch=False, soak_s=0, seed=1
    )
    name = desk.draft(plan, by="bench").rollout
    desk.approve(name, by="bench")
    while engine.tick():
        pass
    _report(engine, known, clock, NEW)
    while engine.tick():
        pass
    if desk.rollout(name).phase is not Phase.DONE:
        raise UnavailableError(f"The rollout is {desk.rollout(name).phase}", mend="Look at it")
    for each in known:
        envelope = engine.envelope(each.device)
        each.etag = envelope.etag if envelope is not None else "0"


def _report(engine: Engine, known: list[Known], clock: SystemClock, running: str) -> None:
    at_us = int(clock.now().timestamp() * 1_000_000)
    for each in known:
        last = engine.assignments.assignment(each.device)
        engine.reported(
            BoxReport(
                each.device,
                at_us,
                "bench",
                epoch=last.epoch if last else 0,
                sequence=last.sequence if last else 0,
                step=BoxStep.STAGED if running == OLD else BoxStep.IDLE,
                running={_LANE: running},
                held=(NEW,),
                staged=(NEW,),
            )
        )


async def _ready() -> None:
    await asyncio.sleep(0)
    say({"ready": True})


async def _nothing_new(scope: Scope, receive: Receive, send: Send) -> None:
    """The least that this server can do."""
    if scope["type"] != "http":
        return
    await receive()
    headers = [(b"etag", b'"0"')]
    await send({"type": "http.response.start", "status": 304, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    log_elsewhere()
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
