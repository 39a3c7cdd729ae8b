"""A house with a shelf: real books, real people, the hub's pages, and the film of what stands there."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import argon2
from fastapi import FastAPI

from appliance.accounts.store import Accounts
from appliance.bench.shelf.film.codes import Code, goods
from appliance.bench.shelf.film.film import Film, Plan
from appliance.bench.shelf.film.motion import Motion
from appliance.bench.shelf.film.y4m import write_y4m
from appliance.config import Config
from appliance.evidence import EvidenceStore
from appliance.hub.web import Clients, hub_app
from appliance.identity.site_ca import SiteCa
from appliance.live.memory import MemoryLiveView
from appliance.shelf.phones.desk import Phones
from contracts.clock import SystemClock
from contracts.stock import BatchKey
from erp_link.domain.places import SiteLayout, Slot
from erp_link.domain.products import Product
from erp_link.service.core import Core
from erp_link.service.goods.products import Products
from erp_link.service.merge.desk import OfflineLogs

PLACE, OTHER = "A-01-1", "A-01-2"
PASSWORD = "correct horse battery staple"  # noqa: S105 -- of a throw-away account
NAMES = (
    "Rolled oats", "Green tea", "Apple juice", "Rice 5 kg", "Soy sauce", "Noodles",
    "Honey", "Sesame oil", "Black beans", "Rock sugar", "Oyster sauce", "Jasmine tea",
)  # fmt: skip
GOODS: tuple[Code, ...] = tuple(goods(len(NAMES), seed=20261122))
"""What stands on the shelf, row by row; the film shows the first SHOWN."""
SHOWN = 10
STOCK = 24
"""Units of each product, all in PLACE."""


def batch_of(at: int, lot: str = "") -> BatchKey:
    """The batch of the product at that place of the film."""
    return BatchKey("ACME", GOODS[at].gtin, lot or f"L26{at:02}")


def expiry_of(at: int, today: date) -> date:
    """The first three: gone yesterday, this week, this month; the others have half a year."""
    return today + timedelta(days=(-1, 5, 20, 180)[min(at, 3)])


class _Idle:
    """Stands for what nobody asks at the shelf: the dock, vehicles, sensors, updates."""

    def __getattr__(self, name: str) -> _Idle:
        return self

    def __call__(self, *_: object, **__: object) -> _Idle:
        return self


@dataclass
class House:
    app: FastAPI
    core: Core
    accounts: Accounts
    phones: Phones
    clients: Clients

    def close(self) -> None:
        self.phones.close()
        self.accounts.close()
        self.core.close()

    def units(self, batch: BatchKey, location: str = PLACE) -> int:
        """How many units of it the books have there, whatever their status."""
        return sum(
            cell.quantity
            for cell in self.core.stock_by_location()
            if cell.batch == batch and cell.location == location
        )


def open_house(folder: Path, **shelf: Any) -> House:
    """A hub over books of its own in `folder`: twelve products, Mei the operator, Mara of quality.
    shelf: settings of the section [shelf].
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock, plain = SystemClock(), Config()
    config = dataclasses.replace(
        plain,
        site=dataclasses.replace(plain.site, data=str(folder)),
        shelf=dataclasses.replace(plain.shelf, **shelf),
    )
    core = Core(
        f"sqlite:///{folder / 'core.db'}",
        clock=clock,
        layout=SiteLayout((Slot(PLACE), Slot(OTHER))),
    )
    accounts = Accounts.open(
        folder / "accounts.db",
        clock=clock,
        session_key=SiteCa.open_or_create(folder / "ca").session_key,
        hasher=argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1),
    )
    accounts.add_user("mei", PASSWORD, ["operator"])
    accounts.add_user("mara", PASSWORD, ["quality", "operator"])
    _stock(core, datetime.now(UTC).date())
    idle: Any = _Idle()
    phones = Phones(folder / "phones.db", clock=clock, roster=OfflineLogs(core), people=accounts)
    app, clients = hub_app(
        config, core, accounts=accounts, evidence=EvidenceStore(folder / "evidence"),
        live=MemoryLiveView(), health=idle, rates=idle, lessons=idle, erp=idle, exchange=idle,
        signer=idle, fences=idle, sensors=idle, fleet=idle, access=idle, updates=idle, lines=idle,
        silent=lambda _: None, clock=clock,
        phones=phones,
    )  # fmt: skip
    return House(app, core, accounts, phones, clients)


def film(path: Path, *, frames: int = 10, fps: int = 5) -> Film:
    """What the camera of an upright phone sees: SHOWN in five rows of two, and the hand trembles; as
    a y4m file.
    """
    hand, upright = Motion(shake_px=2.0, turn_degrees=0.3), (720, 1280)
    made = Film(Plan((GOODS[:SHOWN],), 2, 5, 2.4, hand, frames, fps, size=upright))
    write_y4m(path, (made.picture(at) for at in range(frames)), fps=fps)
    return made


def _stock(core: Core, today: date) -> None:
    products = Products(core)
    for at, (code, name) in enumerate(zip(GOODS, NAMES, strict=True)):
        products.describe(Product(code.gtin, name), by="ops")
        core.receive(batch_of(at), STOCK, location=PLACE, expiry=expiry_of(at, today), by="ops")
