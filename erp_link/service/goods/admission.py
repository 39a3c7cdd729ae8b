"""What happens to sound goods at the moment of receipt: let in, or kept in inspection until their
delivery is accepted. Asked under the guards, in the transaction of the receipt.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from contracts.reason import Reason
from erp_link.adapters import clock_floor
from erp_link.adapters import tables as t
from erp_link.adapters.goods_tables import acceptance
from erp_link.adapters.order_tables import customer_order
from erp_link.domain.acceptance import BY_POLICY, BY_SAMPLE, AcceptanceState
from erp_link.domain.products import Product
from erp_link.domain.shelf_life import Arriving, gate
from erp_link.service.goods import inspection
from erp_link.service.goods.product_rows import life_for, product_of
from erp_link.service.work import Work, new_id


def reasons_to_wait(
    work: Work, batch_id: int, session_id: int | None, line: int | None
) -> tuple[Reason, ...]:
    """Why sound goods of a batch are not let in by themselves; empty where they are. What comes
    after its delivery was decided goes the same way: in, or under the refusal's hold.
    """
    batch = work.batch(batch_id)
    product = product_of(work, batch_id)
    sure = clock_floor.is_sure(work.connection, work.now)
    if not product.described and sure:
        return ()
    customers = _customers(work.connection, session_id, line)
    reasons = _by_gate(work, batch, product, customers, sure=sure)
    if product.acceptance:
        reasons += (Reason(BY_POLICY),)
    if product.sampling is not None:
        values: dict[str, str | int | float] = {
            "aql": product.sampling.aql,
            "level": product.sampling.level.value,
        }
        reasons += (Reason(BY_SAMPLE, values),)
    if reasons and session_id is not None:
        newest = _newest(work.connection, batch_id, session_id)
        if newest is not None and newest.state != AcceptanceState.WAITING.value:
            return ()
    return reasons


def wait(
    work: Work,
    batch_id: int,
    session_id: int | None,
    reasons: tuple[Reason, ...],
    *,
    units: int,
    line: int | None = None,
    loose_at: str = "",
) -> int:
    """Goods were booked to inspection: they join what waits of their delivery. `loose_at` is
    the place of goods that have no carton in the books. The number of the acceptance.
    """
    row = _newest(work.connection, batch_id, session_id)
    if row is None or row.state != AcceptanceState.WAITING.value:
        row = _open(work, batch_id, session_id, reasons)
    if loose_at:
        loose = {**row.loose, loose_at: row.loose.get(loose_at, 0) + units}
        work.connection.execute(
            update(acceptance).where(acceptance.c.id == row.id).values(loose=loose)
        )
    product = product_of(work, batch_id)
    if product.sampling is not None:
        announced = _announced(work.connection, session_id, line)
        inspection.grow(work, row.id, batch_id, product.sampling, units, announced=announced)
    return int(row.id)


def follow(work: Work, batch_id: int, units: int, source: str, target: str) -> None:
    """Loose goods that wait were moved: their acceptance finds them where they stand now."""
    rows = work.connection.execute(
        select(acceptance)
        .where(
            acceptance.c.batch_id == batch_id, acceptance.c.state == AcceptanceState.WAITING.value
        )
        .order_by(acceptance.c.id)
        .with_for_update()
    ).all()
    for row in rows:
        moved = min(units, row.loose.get(source, 0))
        if moved <= 0:
            continue
        units -= moved
        loose = {**row.loose, source: row.loose[source] - moved}
        loose[target] = loose.get(target, 0) + moved
        kept = {place: count for place, count in loose.items() if count}
        work.connection.execute(
            update(acceptance).where(acceptance.c.id == row.id).values(loose=kept)
        )


def name_of(acceptance_id: int) -> str:
    return f"AC-{acceptance_id}"


def _open(
    work: Work, batch_id: int, session_id: int | None, reasons: tuple[Reason, ...]
) -> Row[Any]:
    made = work.connection.execute(
        insert(acceptance).values(
            batch_id=batch_id,
            session_id=session_id,
            state=AcceptanceState.WAITING.value,
            reasons=[[reason.code, reason.params] for reason in reasons],
            loose={},
            opened_at=work.now,
        )
    )
    number = new_id(made)
    for reason in reasons:
        work.event(
            "waits", reason, batch_id=batch_id, session_id=session_id, reference=name_of(number)
        )
    work.tell("waits", name_of(number), reasons[0])
    return work.connection.execute(select(acceptance).where(acceptance.c.id == number)).one()


def _by_gate(
    work: Work, batch: Row[Any], product: Product, customers: tuple[str, ...], *, sure: bool
) -> tuple[Reason, ...]:
    newest = None
    if product.not_older:
        newest = work.connection.execute(
            select(func.max(t.batch.c.expiry))
            .join(t.stock, t.stock.c.batch_id == t.batch.c.id)
            .where(t.batch.c.gtin == batch.gtin, t.batch.c.id != batch.id, t.stock.c.quantity > 0)
        ).scalar_one_or_none()
    goods = Arriving(
        batch.expiry,
        newest,
        product.total_life_days,
        not_older=product.not_older,
        dated=product.dated,
    )
    rule = life_for(work.connection, product, customers)
    return gate(goods, rule, now=work.now, zone=work.zone, clock_is_sure=sure)


def _customers(connection: Connection, session_id: int | None, line: int | None) -> tuple[str, ...]:
    """For whom a line was ordered, where its order is a customer's."""
    if session_id is None or line is None:
        return ()
    rows = connection.execute(
        select(customer_order.c.customer)
        .join(t.asn_line, t.asn_line.c.order_ref == customer_order.c.order_ref)
        .join(t.session, t.session.c.asn == t.asn_line.c.asn)
        .where(t.session.c.id == session_id, t.asn_line.c.number == line)
    )
    return tuple(rows.scalars())


def _announced(connection: Connection, session_id: int | None, line: int | None) -> int:
    if session_id is None or line is None:
        return 0
    found = connection.execute(
        select(t.asn_line.c.quantity)
        .join(t.session, t.session.c.asn == t.asn_line.c.asn)
        .where(t.session.c.id == session_id, t.asn_line.c.number == line)
    ).scalar_one_or_none()
    return int(found or 0)


def _newest(connection: Connection, batch_id: int, session_id: int | None) -> Row[Any] | None:
    """The newest acceptance of a delivery's batch. Goods without a session have one until it is
    decided.
    """
    return connection.execute(
        select(acceptance)
        .where(
            acceptance.c.batch_id == batch_id,
            acceptance.c.session_id.is_(None)
            if session_id is None
            else acceptance.c.session_id == session_id,
        )
        .order_by(acceptance.c.id.desc())
        .limit(1)
    ).one_or_none()
