"""Tables of what goes out: how far each reader of the feed has come."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table

from erp_link.adapters.tables import UtcMicros, metadata, new_id

feed_cursor = Table(
    "feed_cursor",
    metadata,
    Column("consumer", String, primary_key=True),
    Column("position", String, nullable=False),
    Column("moved_at", UtcMicros, nullable=False),
)

# After a restore into another PostgreSQL server: the events up to here go by their number alone.
feed_restore = Table(
    "feed_restore",
    metadata,
    new_id(),
    Column("last_old_event", BigInteger, nullable=False),
    Column("at", UtcMicros, nullable=False),
)
