"""The hub's side of the phone at the shelf: each part's routes, put together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from fastapi import FastAPI

from appliance.accounts.store import Accounts
from appliance.config import Config
from appliance.evidence import EvidenceStore
from appliance.hub.phones import add_phones
from appliance.layout import Layout
from appliance.shelf.caller import shelf_caller
from appliance.shelf.phones.desk import Phones
from appliance.shelf.reader.door import reader_router
from appliance.shelf.reader.process import ReaderProcess
from appliance.shelf.reader.stock import BookStock
from appliance.shelf.stock import api as stock_api
from appliance.shelf.stock.book import StockBook
from appliance.shelf.stock.opening import open_stock
from appliance.shelf.voice import api as voice_api
from appliance.shelf.voice.api import Voice
from appliance.shelf.voice.opening import Named, open_engine, watch
from appliance.web.ports import Gate
from appliance.web.shelf.worker import shelf_worker_router
from contracts.clock import Clock
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.service.care.desks import CareDesks
from erp_link.service.core import Core


@dataclass(frozen=True, slots=True)
class ShelfParts:
    """What the parts are made from."""

    config: Config
    core: Core
    accounts: Accounts
    evidence: EvidenceStore
    gate: Gate
    care: CareDesks
    policy: DecisionPolicy
    clock: Clock
    phones: Phones
    jobs: dict[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """What the parts do beside, for as long as the hub runs."""


def add_shelf(app: FastAPI, parts: ShelfParts) -> None:
    """Each part includes its routers in a function of its own; pages first, then the API."""
    app.include_router(shelf_worker_router())
    _add_stock(app, parts)
    add_phones(app, parts.config, parts.phones, parts.accounts, parts.clock)


def _add_stock(app: FastAPI, parts: ShelfParts) -> None:
    """Snapshot, find lists, histories, photos, the site's lists (/api/v1/shelf/...)."""
    opened = open_stock(parts.config, parts.core, parts.care().reorder, parts.evidence, parts.clock)
    app.include_router(stock_api.router(opened.stock, shelf_caller))
    parts.jobs["shelf hints"] = opened.hints.watch
    _add_reader(app, parts, opened.stock.book)
    _add_voice(app, parts, opened.stock.book)


def _add_reader(app: FastAPI, parts: ShelfParts, book: StockBook) -> None:
    """The WebSocket for codes that a phone cannot read (/api/v1/shelf/read)."""
    log = Layout(parts.config.data).logs / "shelf-reader.log"
    reader = ReaderProcess(BookStock(book), log=log)
    app.include_router(reader_router(reader))
    parts.jobs["shelf reader"] = reader.watch


def _add_voice(app: FastAPI, parts: ShelfParts, book: StockBook) -> None:
    """Speech to text (/api/v1/shelf/voice)."""
    engine = open_engine(parts.config.shelf)
    voice = Voice(parts.config.shelf, engine, Named(book.snapshot))
    app.include_router(voice_api.router(voice, shelf_caller))
    if engine is not None:
        parts.jobs["shelf voice"] = partial(watch, engine)
