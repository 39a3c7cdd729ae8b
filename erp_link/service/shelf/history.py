"""What happened to a product's goods, over all its batches."""

from __future__ import annotations

from sqlalchemy import Connection, select

from contracts.reason import Reason
from contracts.shelf import ProductHistory, ShelfEvent
from erp_link.adapters import tables as t
from erp_link.service.merge.reading import micros


def product_history(connection: Connection, gtin: str, *, limit: int) -> ProductHistory:
    """Newest first, at most `limit`."""
    rows = connection.execute(
        select(t.event, t.batch.c.supplier, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == t.event.c.batch_id)
        .where(t.batch.c.gtin == gtin)
        .order_by(t.event.c.id.desc())
        .limit(limit + 1)
    ).all()
    events = tuple(
        ShelfEvent(
            at_us=micros(row.at),
            what=row.what,
            by=row.by,
            reason=Reason(row.code, row.params),
            supplier=row.supplier,
            lot=row.lot,
            reference=row.reference,
        )
        for row in rows[:limit]
    )
    return ProductHistory(gtin, events, more=len(rows) > limit)
