"""Routes of the ERP's outbox: how the talk stands, dead letters, names that differ there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from erp_link.api.paging import Paged
from erp_link.api.shapes import Key
from erp_link.connectors.names import NameKind
from erp_link.domain.erp.delivery import State
from erp_link.service.erp.desk import ErpDesk, Name, Overview
from erp_link.service.erp.outbox import Letter


@dataclass(frozen=True, slots=True)
class SkipIn:
    """What was done in the ERP by hand."""

    note: str


@dataclass(frozen=True, slots=True)
class NameIn:
    """What `ours` is called in the ERP. `kind`: product, partner or customer."""

    kind: NameKind
    ours: str
    theirs: str


def add_to(api: APIRouter, desk: ErpDesk, *, reader: Any, mender: Any) -> None:
    """Add the routes; `mender` is whoever may repeat and skip messages and give names."""

    @api.get("/erp", tags=["erp"], dependencies=[reader])
    def overview() -> Overview:
        """Which ERP, whether it answers, how many messages are in each state."""
        return desk.overview()

    @api.get("/erp/messages", tags=["erp"], dependencies=[reader])
    def messages(page: Paged, state: State | None = None) -> list[Letter]:
        """Messages to the ERP, newest first. `state=dead`: those that wait for a person."""
        after = int(page.after[0]) if page.after and isinstance(page.after[0], int) else 0
        found = desk.letters(state=state, after=after, limit=page.limit + 1)
        return page.of(found, lambda each: (each.letter,))

    @api.get("/erp/messages/{number}", tags=["erp"], dependencies=[reader])
    def message(number: int) -> Letter:
        """One message, with what became of it."""
        return desk.letter(number)

    @api.post("/erp/messages/{number}/retry", tags=["erp"])
    def again(number: int, key: Key = None, who: Any = mender) -> Letter:
        """Try a dead message once more."""
        return desk.again(number, by=who.name, key=key)

    @api.post("/erp/messages/{number}/skip", tags=["erp"])
    def skip(number: int, body: SkipIn, key: Key = None, who: Any = mender) -> Letter:
        """A dead message was done in the ERP by hand."""
        return desk.skip(number, note=body.note, by=who.name, key=key)

    @api.get("/erp/names", tags=["erp"], dependencies=[reader])
    def names(page: Paged) -> list[Name]:
        """What things are called in the ERP, where that is not what they are called here."""
        return page.cut(desk.names(), lambda each: (each.kind.value, each.ours))

    @api.put("/erp/names", tags=["erp"], status_code=204)
    def give_name(body: NameIn, key: Key = None, who: Any = mender) -> None:
        """Give a product, a supplier or an order's customer the name it has in the ERP."""
        desk.give_name(body.kind, body.ours, body.theirs, by=who.name, key=key)

    @api.delete("/erp/names/{kind}/{ours}", tags=["erp"], status_code=204)
    def drop_name(kind: NameKind, ours: str, key: Key = None, who: Any = mender) -> None:
        """From now on it is called there as here."""
        desk.drop_name(kind, ours, by=who.name, key=key)
