"""The hash of all that offline logs have an influence on (I6).

Numbers that the database gave out, moments of booking and names of cartons are not in it; what
stands where, what is held, owed, due back and disputed is.
"""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, func, select

from contracts.canonical import canonical
from erp_link.adapters import merge_tables as m
from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t
from erp_link.service.merge.reading import first_name
from erp_link.service.work import key_of


def digest(connection: Connection) -> str:
    """SHA-256 over canonical JSON, hex."""
    return hashlib.sha256(canonical(image(connection))).hexdigest()


def image(connection: Connection) -> dict[str, Any]:
    """What is hashed."""
    names = {row.id: str(key_of(row)) for row in connection.execute(select(t.batch))}
    return {
        "stock": _stock(connection, names),
        "accounts": _accounts(connection, names),
        "cells": sorted(
            [names[row.batch_id], row.location, row.count_taken, row.count_added, row.owed,
             row.unconfirmed]
            for row in connection.execute(select(m.offline_cell))
        ),
        "reserved": _reserved(connection, names),
        "quotas": sorted(
            [row.quota_id, row.used, row.returned] for row in connection.execute(select(o.quota))
        ),
        "beyond": sorted(
            [row.entry_id, row.beyond]
            for row in connection.execute(
                select(m.offline_entry).where(m.offline_entry.c.beyond > 0)
            )
        ),
        "holds": _open_holds(connection),
        "conflicts": sorted(
            [row.conflict_id, row.kind]
            for row in connection.execute(
                select(m.offline_conflict).where(m.offline_conflict.c.withdrawn_at.is_(None))
            )
        ),
        "expiry": sorted(
            [names[row.id], str(row.expiry or "")] for row in connection.execute(select(t.batch))
        ),
        "suspects": sorted(
            [row.device, row.state, row.suspect_from or 0]
            for row in connection.execute(select(m.offline_device))
        ),
    }  # fmt: skip


def _stock(connection: Connection, names: dict[int, str]) -> list[list[object]]:
    rows = connection.execute(select(t.stock).where(t.stock.c.quantity > 0))
    return sorted(
        [names[row.batch_id], row.location, row.status, row.quantity, row.reserved] for row in rows
    )


def _accounts(connection: Connection, names: dict[int, str]) -> list[list[object]]:
    line = t.move_line
    rows = connection.execute(
        select(
            line.c.batch_id, line.c.location, line.c.status, func.sum(line.c.quantity).label("n")
        )
        .where(line.c.location.startswith("@"))
        .group_by(line.c.batch_id, line.c.location, line.c.status)
    )
    return sorted(
        [names[row.batch_id], row.location, row.status, int(row.n)] for row in rows if row.n
    )


def _reserved(connection: Connection, names: dict[int, str]) -> list[list[object]]:
    rows = connection.execute(select(t.reservation))
    return sorted([row.order_ref, names[row.batch_id], row.quantity, row.state] for row in rows)


def _open_holds(connection: Connection) -> list[str]:
    rows = connection.execute(select(t.hold.c.hold_id).where(t.hold.c.released_at.is_(None)))
    return sorted({first_name(name) for name in rows.scalars()})
