"""A batch's dossier and a delivery's claims pack, over the real core, accounts and pictures."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.accounts import routes
from appliance.accounts.store import Accounts
from appliance.accounts.web import COOKIE
from appliance.claims.exported import check, exported, read_exported
from appliance.evidence import EvidenceStore
from appliance.web.app import create_app
from appliance.web.core_records import CoreRecords
from appliance.web.gate import AccountsGate
from appliance.web.quality import quality_router
from appliance.web.quality.core_desk import CoreDesk
from contracts.clock import FixedClock
from contracts.errors import BadInputError
from contracts.stock import BatchKey, UsageDecision
from erp_link.service.core import Core
from erp_link.service.quality.desk import Quality
from erp_link.service.quality.dossier import TemperatureSpan, dossier
from tests.erp_link.story import WATER, Station
from tests.support.pages import goods_jpeg
from tests.support.signing import Pen

PASSWORD = "a long pass phrase of the dock"  # noqa: S105 -- the story's password
BATCH = {"supplier": WATER.supplier, "gtin": WATER.gtin, "lot": WATER.lot}


@pytest.fixture
def evidence(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


@pytest.fixture
def session(core: Core, clock: FixedClock, evidence: EvidenceStore) -> str:
    """A delivery with a dented carton, whose batch was released by signature."""
    station = Station(core, clock)
    session = station.receives()
    station.accepts("C-1")
    station.finds_defect("C-2")
    desk = Quality(core)
    pen = Pen("mara").registers(desk)
    ticket = core.tickets()[0].ticket_id
    pen.decides(desk, ticket, UsageDecision.RETURN, cartons=("C-2",))
    pen.decides(desk, ticket, UsageDecision.RELEASE)
    return session


@pytest.fixture
async def browser(
    tmp_path: Path, core: Core, clock: FixedClock, evidence: EvidenceStore
) -> AsyncIterator[httpx.AsyncClient]:
    accounts = Accounts.open(
        tmp_path / "accounts.db",
        clock=clock,
        session_key=Ed25519PrivateKey.generate(),
        hasher=PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    accounts.add_user("mara", PASSWORD, ["quality"])
    app = create_app("Tallyman", clock=clock)
    app.state.sessions = accounts
    app.include_router(routes.router(accounts, app.state.pages.render))
    desk = CoreDesk(Quality(core), accounts)
    app.include_router(quality_router(CoreRecords(core), AccountsGate(), desk, evidence))
    cookie = {COOKIE: accounts.sign_in("mara", PASSWORD, address="here")}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://hub.test",
        headers={"accept": "text/html"},
        cookies=cookie,
    ) as client:
        yield client
    accounts.close()


async def test_a_dossier_tells_a_batch_on_one_page(browser, session) -> None:
    for language in ("en", "zh"):
        page = await browser.get("/batch/dossier", params=BATCH | {"lang": language})
        assert page.status_code == 200
        assert "signed by mara" in page.text or "由 mara 签名" in page.text
        assert "cd" * 32 in page.text
    ticket = await browser.get("/batch", params=BATCH)
    assert "/batch/dossier?" in ticket.text
    unknown = await browser.get("/batch/dossier", params=BATCH | {"lot": "none"})
    assert unknown.status_code == 404


async def test_a_claims_pack_holds_what_it_names(browser, session, evidence, tmp_path) -> None:
    first = await browser.get(f"/receiving/{session}/claims.zip")
    assert first.headers["content-type"] == "application/zip"
    files = _unpacked(first.content)
    manifest = json.loads(files["manifest.json"])
    assert manifest["missing_pictures"] == ["cd" * 32]
    for name, digest in manifest["files"].items():
        assert hashlib.sha256(files[name]).hexdigest() == digest
    assert set(manifest["files"]) == set(files) - {"manifest.json"}
    assert (await browser.get(f"/receiving/{session}/claims.zip")).content == first.content
    page = files["index.html"].decode()
    assert "opened and looked" in page
    assert WATER.lot in page
    report = json.loads(files["report.json"])
    assert (report["asn"], report["lines"][0]["damaged"]) == ("DESP-1", 1)
    cartons = {each["carton_id"]: each for each in json.loads(files["cartons.json"])}
    assert cartons["C-1"]["judged_by"].endswith("1")
    assert json.loads(files["journal.json"])["edge-1"]["seq"] == 2
    kept = tmp_path / "decisions.json"
    kept.write_bytes(files["decisions.json"])
    findings = [check(made) for made in read_exported(kept)]
    assert [(found.signers, found.why) for found in findings] == [(("mara",), "")] * 2


async def test_pictures_that_are_here_go_along(browser, core, clock, evidence) -> None:
    sha256 = evidence.put(goods_jpeg(dent=True))
    station = Station(core, clock, picture=sha256)
    session = station.receives()
    station.finds_defect("C-2")
    files = _unpacked((await browser.get(f"/receiving/{session}/claims.zip")).content)
    assert files[f"pictures/{sha256}.jpg"] == goods_jpeg(dent=True)
    assert f'src="pictures/{sha256}.jpg"' in files["index.html"].decode()
    assert json.loads(files["manifest.json"])["missing_pictures"] == []


def test_a_decision_that_was_changed_is_found(core, session, tmp_path) -> None:
    made, other = (exported(each) for each in Quality(core).every_decision())
    assert check(made).why == ""
    (proof,) = made.proofs
    changed = [
        replace(made, decision="release"),
        replace(made, cartons=("C-1",)),
        replace(made, reason="never mind"),
        replace(made, proofs=()),
        replace(made, proofs=(replace(proof, person="jun"),)),
        replace(made, proofs=(replace(proof, signature="00" * 64),)),
        replace(made, proofs=(replace(proof, statement=proof.statement + " "),)),
        replace(made, proofs=(replace(proof, public_key=Pen("x").pem),)),
        replace(made, proofs=(proof, proof)),
        replace(made, proofs=other.proofs),
    ]
    assert all(check(each).why for each in changed)
    (tmp_path / "x.json").write_text("{}")
    for path in (tmp_path / "x.json", tmp_path / "none.json"):
        with pytest.raises(BadInputError):
            read_exported(path)


class Cellar:
    """A sensor that saw one warm hour."""

    def of_batch(self, batch: BatchKey, since, until):
        return [
            TemperatureSpan(since, since + timedelta(hours=1), "T-1", 2.0, 9.5, left_range=True)
        ]


def test_what_sensors_measured_stands_on_the_time_line(core, session) -> None:
    found = dossier(core, WATER, Cellar())
    assert [each.by for each in found.entries if each.what == "measured"] == ["T-1"]
    assert dossier(core, WATER).temperatures is None
    assert sorted(found.entries, key=lambda each: each.at) == list(found.entries)
    shown = [each for each in found.entries if each.pictures]
    assert [(each.what, each.reference) for each in shown] == [("judged", "C-2")]


def _unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}
