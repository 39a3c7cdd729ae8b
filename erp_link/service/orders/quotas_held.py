"""Which offline quotas a hold came too late for."""

from __future__ import annotations

from sqlalchemy import Connection, select

from erp_link.adapters import order_tables as o
from erp_link.adapters import tables as t

ACCOUNT = "@quota/"
"""Goods on a quota stand on their device's account: issued, and not yet with a customer."""


def granted_from(connection: Connection, location: str) -> list[str]:
    """The open quotas with goods that stood, or still stand, in a place."""
    rows = connection.execute(
        select(o.quota.c.quota_id, o.quota.c.parts).where(o.quota.c.ended_at.is_(None))
    )
    return [x.quota_id for x in rows if any(part["location"] == location for part in x.parts)]


def cartons_granted(connection: Connection, batch_id: int) -> set[str]:
    """The cartons of a batch that devices may ship offline."""
    rows = connection.execute(
        select(t.carton.c.carton_id).where(
            t.carton.c.batch_id == batch_id, t.carton.c.location.startswith(ACCOUNT)
        )
    )
    return set(rows.scalars())
