"""The desk of missions: what people ask vehicles to bring, and call off (I1)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from contracts.errors import BadInputError, ConflictError, NotFoundError
from contracts.stock import BatchKey, OpenTransport, StockStatus, TransportState
from erp_link.adapters import tables as t
from erp_link.adapters.guards import Guard
from erp_link.domain.places import QUARANTINE
from erp_link.service import transport
from erp_link.service.commands import guards_of_batch
from erp_link.service.missions import replenishing
from erp_link.service.missions.reading import find
from erp_link.service.missions.replenishing import Wanted
from erp_link.service.store import Store
from erp_link.service.work import Work, batch_guards, find_batch, location_guard

_LONGEST = 200


class Missions:
    """Call an order off, ask for a carton again, bring a frozen batch away, replenish a slot."""

    def __init__(self, core: Store) -> None:
        self._core = core

    def cancel(
        self, order_id: str, *, reason: str, by: str, key: str | None = None
    ) -> OpenTransport:
        """Call a transport order off: at once where no vehicle has it, else the vehicle is stopped.
        Goods on board come back to where they stood, or go to quarantine where they are held.

        Raises NotFoundError, ConflictError (done, failed, or held goods on board), BadInputError
        without a reason.
        """
        said = _reason(reason)
        self._core.command(
            "cancel_transport",
            {"order": order_id, "reason": said},
            by=by,
            key=key,
            guards_of=lambda c: _guards_of_order(c, order_id),
            act=lambda work: _call_off(work, order_id, said, by),
        )
        return self._found(order_id)

    def ask(self, carton_id: str, *, by: str, key: str | None = None) -> OpenTransport:
        """Ask for a carton to be brought where it belongs: slot or quarantine.

        Raises NotFoundError, ConflictError where an order is on its way, where the carton stands
        where it belongs, or where every slot is full.
        """
        order_id = self._core.command(
            "ask_transport",
            {"carton": carton_id},
            by=by,
            key=key,
            guards_of=lambda c: _guards_of_carton(c, carton_id),
            act=lambda work: _ask(work, carton_id),
        )
        return self._found(str(order_id))

    def recall(self, batch: BatchKey, *, by: str, key: str | None = None) -> list[str]:
        """Bring every blocked carton of a batch to quarantine; the ids of the orders made now.

        Raises NotFoundError.
        """
        return list(
            self._core.command(
                "recall_batch",
                {"batch": str(batch)},
                by=by,
                key=key,
                guards_of=lambda c: guards_of_batch(c, batch),
                act=lambda work: _recall(work, batch),
            )
        )

    def replenish(
        self, gtin: str, target: str, cartons: int, *, by: str, key: str | None = None
    ) -> list[str]:
        """So many cartons of a product from other slots to `target`, first expired first out, all
        or none; the ids of the orders.

        Raises BadInputError, HeldError, ConflictError (no room), InsufficientStockError.
        """
        wanted = Wanted(gtin.zfill(14), target, cartons)
        replenishing.check(wanted)
        return list(
            self._core.command(
                "replenish",
                {"gtin": wanted.gtin, "target": target, "cartons": cartons},
                by=by,
                key=key,
                guards_of=lambda c: replenishing.guards_of(c, wanted),
                act=lambda work: replenishing.replenish(work, wanted),
            )
        )

    def _found(self, order_id: str) -> OpenTransport:
        found = self._core.read(lambda c: find(c, order_id))
        if found is None:
            raise _unknown(order_id)
        return found


def _call_off(work: Work, order_id: str, reason: str, by: str) -> None:
    row = _order(work.connection, order_id)
    state = TransportState(row.state)
    if state in (TransportState.DROPPED, TransportState.CANCELLED, TransportState.FAILED):
        raise ConflictError(
            f"The order {order_id} is {state.value}, there is nothing to call off",
            mend="Decide its ticket" if state is TransportState.FAILED else "Look at where it is",
            order=order_id,
        )
    bound = row.on_board or (state is TransportState.PICKED and row.target == QUARANTINE)
    if bound:
        raise ConflictError(
            f"The load of {order_id} is on a vehicle and must be set down",
            mend=f"It goes to {row.target}; ask for it from there",
            order=order_id,
        )
    if not transport.cancel(work, order_id):
        wanted = t.transport.c.order_id == order_id
        transport.stop(work, wanted, transport.CALLED_OFF, by=by, reason=reason)


def _ask(work: Work, carton_id: str) -> str:
    before = _newest(work.connection, carton_id)
    if before is not None and before.state not in _SETTLED:
        raise ConflictError(
            f"The order {before.order_id} for carton {carton_id} is {before.state}",
            mend="Wait until it is done, or call it off first",
            order=before.order_id,
        )
    transport.ask_for(work, carton_id)
    made = _newest(work.connection, carton_id)
    if made is None or (before is not None and made.order_id == before.order_id):
        raise ConflictError(
            f"Carton {carton_id} needs no vehicle, or no slot has room for it",
            mend="Look where it stands; its batch's history says why",
            carton=carton_id,
        )
    return str(made.order_id)


def _recall(work: Work, key: BatchKey) -> list[str]:
    batch = find_batch(work.connection, key)
    rows = work.connection.execute(
        select(t.carton.c.carton_id, t.carton.c.location)
        .where(
            t.carton.c.batch_id == batch.id,
            t.carton.c.status == StockStatus.BLOCKED.value,
            t.carton.c.location != QUARANTINE,
        )
        .order_by(t.carton.c.carton_id)
    ).all()
    made: list[str] = []
    for row in rows:
        before = _newest(work.connection, row.carton_id)
        transport.request(work, row.carton_id, source=row.location, batch_id=batch.id)
        after = _newest(work.connection, row.carton_id)
        if after is not None and (before is None or after.order_id != before.order_id):
            made.append(str(after.order_id))
    return made


_SETTLED = (
    TransportState.DROPPED.value,
    TransportState.CANCELLED.value,
    TransportState.FAILED.value,
)


def _newest(connection: Connection, carton_id: str) -> Row[Any] | None:
    return connection.execute(
        select(t.transport)
        .where(t.transport.c.load_id == carton_id)
        .order_by(t.transport.c.id.desc())
        .limit(1)
    ).one_or_none()


def _guards_of_order(connection: Connection, order_id: str) -> set[Guard]:
    row = _order(connection, order_id)
    return {
        *_guards_of_carton(connection, row.load_id),
        location_guard(row.source),
        location_guard(row.target),
    }


def _guards_of_carton(connection: Connection, carton_id: str) -> set[Guard]:
    carton = connection.execute(
        select(t.carton).where(t.carton.c.carton_id == carton_id)
    ).one_or_none()
    if carton is None:
        raise NotFoundError(
            f"There is no carton {carton_id[:80]!r}",
            mend="Check its number",
            carton=carton_id[:80],
        )
    found = {location_guard(carton.location)}
    if carton.batch_id is not None:
        batch = connection.execute(select(t.batch).where(t.batch.c.id == carton.batch_id)).one()
        found |= batch_guards(connection, batch)
    return found


def _order(connection: Connection, order_id: str) -> Row[Any]:
    row = connection.execute(
        select(t.transport).where(t.transport.c.order_id == order_id)
    ).one_or_none()
    if row is None:
        raise _unknown(order_id)
    return row


def _unknown(order_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no transport order {order_id[:80]!r}",
        mend="Look in the list of transport orders",
        order=order_id[:80],
    )


def _reason(words: str) -> str:
    said = words.strip()
    if not said or len(said) > _LONGEST:
        raise BadInputError(
            "A transport order is called off with a reason",
            mend=f"Say in at most {_LONGEST} characters why",
        )
    return said
