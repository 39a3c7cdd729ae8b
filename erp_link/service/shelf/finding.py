"""What somebody should go and find: orders to pick, places to count again, goods to fetch back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, select

from contracts.shelf import FindLine, FindList
from contracts.stock import TicketState
from erp_link.adapters import merge_tables as m
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.domain.merge.conflicts import ConflictKind
from erp_link.domain.places import is_account
from erp_link.domain.shelf.lists import ListKind, PlaceName
from erp_link.service.booking import RESERVED
from erp_link.service.shelf.gathering import walking_order
from erp_link.service.shelf.lists import rows_of

_RECOUNTS = (ConflictKind.COUNTS_DIFFER, ConflictKind.COUNT_CROSSED, ConflictKind.SHORT)
_WAITING = (TicketState.OPEN.value, TicketState.CONTAINED.value)
_MOST_ORDERS = 200


def find_lists(connection: Connection) -> list[FindList]:
    """Orders by the day they are due, the oldest first; then recounts; then recalls."""
    places = rows_of(connection, PlaceName, ListKind.PLACES)
    rank = {place: at for at, place in enumerate(walking_order(connection, places))}
    return [
        *_orders(connection, rank),
        *_recounts(connection, rank),
        *_recalls(connection, rank),
    ]


def _orders(connection: Connection, rank: Mapping[str, int]) -> list[FindList]:
    """Goods that are reserved and not yet picked."""
    query: Select[Any] = (
        select(
            t.reservation.c.order_ref,
            t.reservation.c.location,
            t.reservation.c.quantity,
            t.batch.c.supplier,
            t.batch.c.gtin,
            t.batch.c.lot,
            o.customer_order.c.due_on,
            o.customer_order.c.id,
        )
        .join(t.batch, t.batch.c.id == t.reservation.c.batch_id)
        .join(o.customer_order, o.customer_order.c.order_ref == t.reservation.c.order_ref)
        .where(t.reservation.c.state == RESERVED)
    )
    lines: dict[tuple[str, int, str], list[FindLine]] = defaultdict(list)
    for row in connection.execute(query):
        due = row.due_on.isoformat() if row.due_on else ""
        lines[due or "9999", row.id, row.order_ref].append(
            FindLine(row.gtin, row.quantity, row.location, row.supplier, row.lot)
        )
    return [
        FindList(
            id=f"order:{order}",
            kind="order",
            title=order,
            lines=_walked(found, rank),
            due="" if due == "9999" else due,
        )
        for (due, _, order), found in sorted(lines.items())[:_MOST_ORDERS]
    ]


def _recounts(connection: Connection, rank: Mapping[str, int]) -> list[FindList]:
    """Places where counts disagree, as one round."""
    found = connection.execute(
        select(m.offline_conflict, t.batch.c.supplier, t.batch.c.gtin, t.batch.c.lot)
        .join(t.batch, t.batch.c.id == m.offline_conflict.c.batch_id)
        .where(
            m.offline_conflict.c.withdrawn_at.is_(None),
            m.offline_conflict.c.kind.in_([kind.value for kind in _RECOUNTS]),
            m.offline_conflict.c.location != "",
        )
    )
    lines = {
        (row.location, row.batch_id): FindLine(row.gtin, 0, row.location, row.supplier, row.lot)
        for row in found
    }
    told = _walked(list(lines.values()), rank)
    return [FindList("recount", "recount", "", told)] if told else []


def _recalls(connection: Connection, rank: Mapping[str, int]) -> list[FindList]:
    """Blocked goods in slots, by the recall that looks for them."""
    query: Select[Any] = (
        select(
            t.ticket.c.ticket_id,
            t.batch.c.supplier,
            t.batch.c.gtin,
            t.batch.c.lot,
            t.stock.c.location,
            t.stock.c.quantity,
        )
        .join(o.recall, o.recall.c.ticket_id == t.ticket.c.ticket_id)
        .join(t.batch, t.batch.c.id == t.ticket.c.batch_id)
        .join(t.stock, t.stock.c.batch_id == t.batch.c.id)
        .where(t.ticket.c.state.in_(_WAITING), t.stock.c.quantity > 0)
        .order_by(t.ticket.c.opened_at, t.ticket.c.ticket_id)
    )
    lines: dict[str, list[FindLine]] = defaultdict(list)
    for row in connection.execute(query):
        if not is_account(row.location):
            lines[row.ticket_id].append(
                FindLine(row.gtin, row.quantity, row.location, row.supplier, row.lot)
            )
    return [
        FindList(f"recall:{ticket}", "recall", ticket, _walked(found, rank))
        for ticket, found in lines.items()
    ]


def _walked(lines: list[FindLine], rank: Mapping[str, int]) -> tuple[FindLine, ...]:
    last = len(rank)
    return tuple(
        sorted(lines, key=lambda each: (rank.get(each.location, last), each.gtin, each.lot))
    )
