"""What a message says beside its quantities: names, dates, partners, as the books have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from erp_link.adapters import erp_tables as e
from erp_link.adapters import tables as t
from erp_link.domain.erp.messages import Goods, Message, MessageKind, Zone
from erp_link.domain.erp.zones import Flow
from erp_link.service.work import key_of


class Facts:
    """`prefix` begins every reference, so that people in the ERP know who wrote it."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix

    def receipt(self, session: str, rows: Sequence[Row[Any]]) -> Message:
        """A delivery, whole; what came after its close is told as a delivery of its own."""
        found = self._connection.execute(
            select(t.session.c.asn, t.asn.c.supplier)
            .join(t.asn, t.asn.c.number == t.session.c.asn)
            .where(t.session.c.id == int(session))
        ).one()
        damaged = self._connection.execute(
            select(func.coalesce(func.sum(t.session_line.c.damaged), 0)).where(
                t.session_line.c.session_id == int(session)
            )
        ).scalar_one()
        told = self._told(f"session:{session}")
        return Message(
            MessageKind.RECEIPT,
            self._reference("R", max(row.last_event for row in rows), f"s{session}"),
            tuple(self.goods(row.batch_id, row.free + row.blocked, row.blocked) for row in rows),
            subjects=(f"session:{session}", *(f"batch:{row.batch_id}" for row in rows)),
            document="" if told else found.asn,
            partner=found.supplier,
            damaged=0 if told else int(damaged),
        )

    def by_hand_receipt(self, flow: Flow, event_id: int) -> Message:
        """Goods that came without an announced list."""
        blocked = flow.quantity if flow.target is Zone.QUARANTINE else 0
        goods = self.goods(flow.batch_id, flow.quantity, blocked)
        return Message(
            MessageKind.RECEIPT,
            self._reference("R", event_id, str(flow.batch_id)),
            (goods,),
            subjects=(f"batch:{flow.batch_id}",),
            partner=goods.batch.supplier,
        )

    def issue(self, order: str, rows: Sequence[Row[Any]]) -> Message:
        """What left for an order."""
        return Message(
            MessageKind.ISSUE,
            self._reference("I", max(row.last_event for row in rows), ""),
            tuple(self.goods(row.batch_id, row.free + row.blocked) for row in rows),
            subjects=(f"order:{order}", *(f"batch:{row.batch_id}" for row in rows)),
            document="" if self._told(f"order:{order}") else order,
            why=order,
        )

    def shift(self, flow: Flow, quantity: int, event_id: int, why: str) -> Message:
        """Goods that the ERP knows became blocked, or free."""
        return Message(
            MessageKind.SHIFT,
            self._reference("S", event_id, str(flow.batch_id)),
            (self.goods(flow.batch_id, quantity),),
            subjects=(f"batch:{flow.batch_id}",),
            to=flow.target,
            why=why,
        )

    def stop(self, batch_id: int, hold: str, why: str) -> Message:
        """Nothing of a batch may leave."""
        return Message(
            MessageKind.STOP,
            f"{self._prefix}-{hold}-{batch_id}",
            (self.goods(batch_id, 0),),
            subjects=(f"batch:{batch_id}",),
            why=why,
        )

    def by_hand(self, flow: Flow, event_id: int, what: str) -> Message:
        """What a person books in the ERP."""
        return Message(
            MessageKind.BY_HAND,
            self._reference("H", event_id, f"{flow.batch_id}-{flow.source}-{flow.target}"),
            (self.goods(flow.batch_id, flow.quantity),),
            subjects=(f"batch:{flow.batch_id}",),
            to=flow.target,
            why=what,
        )

    def goods(self, batch_id: int, quantity: int, blocked: int = 0) -> Goods:
        """Units of a batch, by the name that its lot has in the ERP."""
        batch = self._connection.execute(select(t.batch).where(t.batch.c.id == batch_id)).one()
        return Goods(
            key_of(batch),
            quantity,
            blocked=blocked,
            lot=self._lot(batch),
            description=batch.description,
            expiry=batch.expiry,
        )

    def _lot(self, batch: Row[Any]) -> str:
        """Two suppliers may use one lot number, and ERPs know lots by product and number only: the
        batch that was known first keeps it.
        """
        older = self._connection.execute(
            select(t.batch.c.id)
            .where(
                t.batch.c.gtin == batch.gtin, t.batch.c.lot == batch.lot, t.batch.c.id < batch.id
            )
            .limit(1)
        ).first()
        return str(batch.lot) if older is None else f"{batch.lot} ({batch.supplier or '?'})"

    def _reference(self, letter: str, event_id: int, what: str) -> str:
        return f"{self._prefix}-{letter}{event_id}" + (f"-{what}" if what else "")

    def _told(self, topic: str) -> bool:
        told = select(e.erp_outbox.c.id).where(e.erp_outbox.c.topic == topic)
        return self._connection.execute(told.limit(1)).first() is not None
