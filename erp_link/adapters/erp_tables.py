"""What the ERP is to be told (outbox), what waits to be told whole, names that differ there.

`erp_line` is how the talk with the ERP stands, for the console: losing it loses nothing.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table

from erp_link.adapters.tables import UtcMicros, metadata, new_id

erp_outbox = Table(
    "erp_outbox",
    metadata,
    new_id(),
    Column("kind", String, nullable=False),
    Column("reference", String, nullable=False, unique=True),
    Column("message", JSON, nullable=False),
    Column("subjects", JSON, nullable=False),
    Column("topic", String, nullable=False),
    Column("made_at", UtcMicros, nullable=False),
    Column("state", String, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("tried_at", UtcMicros),
    Column("error", JSON),
    Column("number", String, nullable=False, default=""),
    Column("ended_at", UtcMicros),
    Column("ended_by", String, nullable=False, default=""),
    Column("note", String, nullable=False, default=""),
    Index("ix_erp_outbox_state_id", "state", "id"),
    Index("ix_erp_outbox_topic", "topic"),
)

# A delivery is told when its session is closed, an order when nothing of it is left to ship.
erp_pending = Table(
    "erp_pending",
    metadata,
    Column("kind", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("batch_id", ForeignKey("batch.id"), primary_key=True),
    Column("free", BigInteger, nullable=False, default=0),
    Column("blocked", BigInteger, nullable=False, default=0),
    Column("last_event", BigInteger, nullable=False),
)

erp_name = Table(
    "erp_name",
    metadata,
    Column("kind", String, primary_key=True),
    Column("ours", String, primary_key=True),
    Column("theirs", String, nullable=False),
    Column("changed_at", UtcMicros, nullable=False),
    Column("changed_by", String, nullable=False),
)

erp_line = Table(
    "erp_line",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False, default=""),
    Column("until", UtcMicros),
    Column("ok_at", UtcMicros),
    Column("down_since", UtcMicros),
    Column("tries", Integer, nullable=False, default=0),
    Column("tried_at", UtcMicros),
    Column("error", JSON),
)
