"""One write transaction of the core: its connection, its moment, what its guards said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Row,
    bindparam,
    insert,
    select,
    update,
)

from contracts.errors import NotFoundError
from contracts.reason import Reason
from contracts.stock import BatchKey, StockStatus
from erp_link.adapters import clock_floor, guards, ledger
from erp_link.adapters import tables as t
from erp_link.adapters.database import GuardMissingError
from erp_link.adapters.guards import Guard, Guarding, insert_missing
from erp_link.domain.effects import Effect
from erp_link.domain.expiry import is_expired
from erp_link.domain.moves import Place, transfer
from erp_link.domain.products import Product

EXPECTATIONS = "expectations"
_LOCKING = (Guarding.LOCKED, Guarding.UNGUARDED_RECEIPT)

# Statements that every carton needs are built once: building them costs more than running them.
_BATCH = select(t.batch).where(t.batch.c.id == bindparam("wanted"))
_BATCH_ID = select(t.batch.c.id).where(
    t.batch.c.supplier == bindparam("of"),
    t.batch.c.gtin == bindparam("item"),
    t.batch.c.lot == bindparam("named"),
)
_EVENT = insert(t.event)
_RAISE_VERSION = (
    update(t.counter).where(t.counter.c.name == EXPECTATIONS).values(value=t.counter.c.value + 1)
)


@dataclass(slots=True)
class Work:
    """Handed to every command. Its guards are taken once, before any other row is locked."""

    connection: Connection
    now: datetime
    zone: tzinfo
    guarding: Guarding = Guarding.LOCKED
    read_before: frozenset[Guard] | None = None
    by: str = ""
    effects: list[Effect] = field(default_factory=list)
    held: frozenset[Guard] | None = None
    taken: frozenset[Guard] = frozenset()
    changes_expectations: bool = False
    known: dict[int, Row[Any]] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    """What each GTIN is, read once in this transaction (goods.product_rows.product_of)."""
    late: datetime | None = None

    def take(self, share: Iterable[Guard], exclusive: Iterable[Guard] = ()) -> None:
        if self.held is not None:
            raise AssertionError("guards are taken once in a transaction, in one order")
        exclusive, share = frozenset(exclusive), frozenset(share)
        # What was read before the locks may have changed while they were waited for.
        self.known.clear()
        self.taken = exclusive | share
        if self.guarding in _LOCKING or exclusive:
            self.held = guards.take(self.connection, share=share, exclusive=exclusive)
        elif self.guarding is Guarding.FLAG_READ_FIRST and self.read_before is not None:
            self.held = self.read_before
        elif self.guarding is Guarding.NOT_EXISTS:
            self.held = self._held_unless_updated(share)
        else:
            self.held = guards.held(self.connection, share)

    def _held_unless_updated(self, share: frozenset[Guard]) -> frozenset[Guard]:
        batches = [int(guard.ref) for guard in share if guard.kind == "batch"]
        if not batches:
            return guards.held(self.connection, share)
        return frozenset().union(
            *(guards.held_unless_updated(self.connection, each, share) for each in batches)
        )

    def is_held(self, *wanted: Guard) -> bool:
        if self.held is None:
            raise AssertionError("asked for holds before the guards were taken")
        if not self.taken.issuperset(wanted):
            # Nobody would have waited for a hold on it: "not held" would be a guess.
            raise GuardMissingError(f"not taken: {frozenset(wanted) - self.taken}")
        return not self.held.isdisjoint(wanted)

    def guards_place(self, location: str) -> bool:
        """False for a place that came into play after the guards were chosen."""
        return location_guard(location) in self.taken

    def expired(self, batch: Row[Any]) -> bool:
        if batch.expiry is None:
            return False
        return is_expired(batch.expiry, now=self.at_least(), zone=self.zone)

    def at_least(self) -> datetime:
        """The moment by which dates are judged: a clock that was put back brings no goods back."""
        if self.late is None:
            self.late = clock_floor.at_least(self.connection, self.now)
        return self.late

    def batch(self, batch_id: int) -> Row[Any]:
        """A batch's row, read once under the guards; whoever changes it calls `forget`."""
        row = self.known.get(batch_id)
        if row is None:
            row = self.connection.execute(_BATCH, {"wanted": batch_id}).one()
            self.known[batch_id] = row
        return row

    def forget(self, batch_id: int) -> None:
        self.known.pop(batch_id, None)

    def event(
        self,
        what: str,
        text: Reason,
        *,
        batch_id: int | None = None,
        session_id: int | None = None,
        reference: str = "",
        at: datetime | None = None,
    ) -> int:
        """Append to the history; the id of the event."""
        result = self.connection.execute(
            _EVENT,
            {
                "at": at or self.now,
                "what": what,
                "by": self.by,
                "batch_id": batch_id,
                "session_id": session_id,
                "reference": reference,
                "code": text.code,
                "params": text.params,
            },
        )
        return new_id(result)

    def move(
        self, event_id: int, batch_id: int, quantity: int, source: Place, target: Place
    ) -> None:
        ledger.post(self.connection, event_id, transfer(batch_id, quantity, source, target))

    def tell(self, kind: str, reference: str, text: Reason, batch: BatchKey | None = None) -> None:
        self.effects.append(Effect(kind, reference, text, batch))

    def finish(self) -> None:
        """Last of all, because every carton of every station comes through this one row."""
        if not self.changes_expectations:
            return
        raised = self.connection.execute(_RAISE_VERSION)
        if raised.rowcount == 0:
            self.connection.execute(insert(t.counter).values(name=EXPECTATIONS, value=1))


def new_id(result: CursorResult[Any]) -> int:
    """The number that the database gave to the row just inserted."""
    key = result.inserted_primary_key
    if key is None:
        raise AssertionError("the statement inserted no single row")
    return int(key[0])


def key_of(row: Row[Any]) -> BatchKey:
    """The key of a row of `batch`."""
    return BatchKey(row.supplier, row.gtin, row.lot)


def find_batch(connection: Connection, key: BatchKey) -> Row[Any]:
    """The row of a batch. Raises NotFoundError."""
    row = connection.execute(select(t.batch).where(*_is(key))).one_or_none()
    if row is None:
        raise NotFoundError(
            f"Batch {key} is not known here",
            mend="Check supplier, GTIN and lot",
            batch=str(key),
        )
    return row


def ensure_batch(connection: Connection, key: BatchKey) -> int:
    """The number of a batch, known from now on."""
    wanted = {"of": key.supplier, "item": key.gtin, "named": key.lot}
    found = connection.execute(_BATCH_ID, wanted).scalar_one_or_none()
    if found is None:
        connection.execute(
            insert_missing(connection, t.batch).values(
                supplier=key.supplier, gtin=key.gtin, lot=key.lot, description=""
            )
        )
        found = connection.execute(_BATCH_ID, wanted).scalar_one()
    return int(found)


def batch_guards(connection: Connection, batch: Row[Any]) -> set[Guard]:
    """Whatever may hold a batch. Goods of a supplier whom nobody could name may be anybody's: a
    hold on any batch with the same GTIN and lot covers them too.
    """
    wanted = {Guard("batch", str(batch.id)), Guard("supplier", str(batch.supplier))}
    if not batch.supplier:
        wanted.add(lot_guard(batch))
        wanted |= {Guard("supplier", row.supplier) for row in namesakes(connection, batch)}
    return wanted


def hold_guards(batch: Row[Any]) -> set[Guard]:
    """What a hold on a batch, and its release, take exclusively and count on."""
    return {Guard("batch", str(batch.id)), lot_guard(batch)}


def lot_guard(batch: Row[Any]) -> Guard:
    return Guard("lot", f"{batch.gtin}/{batch.lot}")


def namesakes(connection: Connection, batch: Row[Any]) -> Sequence[Row[Any]]:
    """The batches of other suppliers with the GTIN and lot of this one."""
    return connection.execute(
        select(t.batch).where(
            t.batch.c.gtin == batch.gtin, t.batch.c.lot == batch.lot, t.batch.c.id != batch.id
        )
    ).all()


def location_guard(code: str) -> Guard:
    return Guard("location", code)


def unrestricted(location: str) -> Place:
    return Place(location, StockStatus.UNRESTRICTED)


def blocked(location: str) -> Place:
    return Place(location, StockStatus.BLOCKED)


def _is(key: BatchKey) -> tuple[ColumnElement[bool], ...]:
    return (
        t.batch.c.supplier == key.supplier,
        t.batch.c.gtin == key.gtin,
        t.batch.c.lot == key.lot,
    )
