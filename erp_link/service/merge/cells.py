"""What offline logs take from a cell and add to it, booked so that the order leaves no trace.

Goods are taken from what is free, then what is blocked, then what is in inspection; what the books
do not have is owed. Goods are added to inspection, after what is owed (I1: stock accepted offline
is inspection until the core confirms it). So what is taken and what is added are two sums, and two
bookings give the same in either order.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, update

from contracts.stock import StockStatus
from erp_link.adapters import ledger
from erp_link.adapters import merge_tables as m
from erp_link.adapters.guards import insert_missing
from erp_link.domain.moves import Place
from erp_link.domain.places import ADJUSTMENT_ACCOUNT
from erp_link.service import booking, slots
from erp_link.service.commands import relocate_cartons
from erp_link.service.work import Work

FOUND = Place(ADJUSTMENT_ACCOUNT, StockStatus.INSPECTION)
"""The other side of what the books and the house do not agree on."""

_TAKE_FROM = (StockStatus.UNRESTRICTED, StockStatus.BLOCKED, StockStatus.INSPECTION)
_BLOCKED_FIRST = (StockStatus.BLOCKED, StockStatus.UNRESTRICTED, StockStatus.INSPECTION)
_UNDO_FROM = (StockStatus.INSPECTION, StockStatus.UNRESTRICTED, StockStatus.BLOCKED)


@dataclass(slots=True)
class CellBook:
    """One cell, its row locked until the transaction ends."""

    work: Work
    batch_id: int
    location: str
    count_taken: int
    count_added: int
    owed: int
    """What was taken beyond what the books had."""
    unconfirmed: int
    """What was added and is in inspection still."""

    def take(
        self,
        event_id: int,
        quantity: int,
        to: Place,
        *,
        cartons_to: Place,
        blocked_first: bool = False,
    ) -> None:
        """Goods were seen to leave the cell."""
        order = _BLOCKED_FIRST if blocked_first else _TAKE_FROM
        missing = self._drain(event_id, quantity, to, cartons_to, order)
        self.owed += missing
        if missing and to != FOUND:
            self.work.move(event_id, self.batch_id, missing, FOUND, to)
        self._keep()

    def add(self, event_id: int, quantity: int, source: Place) -> None:
        """Goods were seen to come to the cell."""
        repaid = min(self.owed, quantity)
        self.owed -= repaid
        if repaid and source != FOUND:
            self.work.move(event_id, self.batch_id, repaid, source, FOUND)
        if quantity > repaid:
            there = Place(self.location, StockStatus.INSPECTION)
            slots.ensure_place(self.work, self.location)
            self.work.move(event_id, self.batch_id, quantity - repaid, source, there)
            slots.occupy(self.work, self.location, quantity - repaid)
            self.unconfirmed += quantity - repaid
        self._keep()

    def add_less(self, event_id: int, quantity: int) -> None:
        """Another count found fewer: some of what was added was not there after all."""
        self.owed += self._drain(event_id, quantity, FOUND, FOUND, _UNDO_FROM)
        self._keep()

    def settle_counts(self, event_id: int, taken: int, added: int) -> None:
        """The counts of the cell come to this now; the difference is booked."""
        more_taken = taken - self.count_taken
        more_added = added - self.count_added
        if more_added < 0:
            self.add_less(event_id, -more_added)
        if more_taken > 0:
            self.take(event_id, more_taken, FOUND, cartons_to=FOUND)
        if more_added > 0:
            self.add(event_id, more_added, FOUND)
        self.work.connection.execute(
            update(m.offline_cell).where(*self._here()).values(count_taken=taken, count_added=added)
        )

    def confirmed(self, quantity: int) -> None:
        """So much of what was added has been confirmed."""
        self.unconfirmed -= quantity
        self._keep()

    def _drain(
        self,
        event_id: int,
        quantity: int,
        to: Place,
        cartons_to: Place,
        order: tuple[StockStatus, ...],
    ) -> int:
        left = quantity
        for status in order:
            source = Place(self.location, status)
            there, reserved = ledger.on_hand(self.work.connection, self.batch_id, source)
            part = min(left, there)
            if not part:
                continue
            if reserved > there - part:
                booking.release_reservations(
                    self.work, self.batch_id, self.location, keep=there - part
                )
            self.work.move(event_id, self.batch_id, part, source, to)
            relocate_cartons(self.work, self.batch_id, part, source, cartons_to, None)
            if status is StockStatus.INSPECTION:
                self.unconfirmed = min(self.unconfirmed, there - part)
            left -= part
        if left < quantity:
            slots.vacate(self.work, self.location, quantity - left)
        return left

    def _keep(self) -> None:
        self.work.connection.execute(
            update(m.offline_cell)
            .where(*self._here())
            .values(owed=self.owed, unconfirmed=self.unconfirmed)
        )

    def _here(self) -> tuple[ColumnElement[bool], ...]:
        return (
            m.offline_cell.c.batch_id == self.batch_id,
            m.offline_cell.c.location == self.location,
        )


def locked(work: Work, batch_id: int, *locations: str) -> dict[str, CellBook]:
    """The cells of a batch in these places, locked in one order. After the guards."""
    found = {}
    for location in sorted(set(locations)):
        work.connection.execute(
            insert_missing(work.connection, m.offline_cell).values(
                batch_id=batch_id,
                location=location,
                count_taken=0,
                count_added=0,
                owed=0,
                unconfirmed=0,
            )
        )
        row = work.connection.execute(
            select(m.offline_cell)
            .where(m.offline_cell.c.batch_id == batch_id, m.offline_cell.c.location == location)
            .with_for_update()
        ).one()
        found[location] = CellBook(
            work,
            batch_id,
            location,
            count_taken=row.count_taken,
            count_added=row.count_added,
            owed=row.owed,
            unconfirmed=row.unconfirmed,
        )
    return found
