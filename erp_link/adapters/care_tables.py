"""Tables of the care for stock: what each day did to a batch, how products are replenished, and
master data that waits for a person.

`stock_day` is a view of the books, filled from the feed: losing it loses nothing. Its `day` is
`date.toordinal()` by the site's calendar, because years of days are read at once.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
)

from erp_link.adapters.tables import UtcMicros, metadata, new_id

stock_day = Table(
    "stock_day",
    metadata,
    Column("day", Integer, primary_key=True),
    Column("batch_id", ForeignKey("batch.id"), primary_key=True),
    Column("shipped", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("net", BigInteger, nullable=False),
    Column("net_free", BigInteger, nullable=False),
    Index("ix_stock_day_batch_id", "batch_id"),
    # Half a year is read as one stretch: the rows lie in the order of their days.
    sqlite_with_rowid=False,
)

reorder_policy = Table(
    "reorder_policy",
    metadata,
    Column("gtin", String, primary_key=True),
    Column("lead_days", Integer, nullable=False),
    Column("late_days", Integer, nullable=False),
    Column("review_days", Integer, nullable=False),
    Column("cycle_days", Integer, nullable=False),
    Column("service_percent", Integer, nullable=False),
    Column("pack", BigInteger, nullable=False),
    Column("least", BigInteger, nullable=False),
    Column("set_at", UtcMicros, nullable=False),
    Column("set_by", String, nullable=False),
)

master_import = Table(
    "master_import",
    metadata,
    new_id(),
    Column("name", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("state", String, nullable=False),
    Column("imported_at", UtcMicros, nullable=False),
    Column("imported_by", String, nullable=False),
    Column("ended_at", UtcMicros),
    Column("ended_by", String, nullable=False, default=""),
)

master_row = Table(
    "master_row",
    metadata,
    Column("import_id", ForeignKey("master_import.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String, nullable=False),
    Column("written", JSON, nullable=False),
    Column("answers", JSON, nullable=False),
)
