"""What stations taught and enrolled, as they said it: append-only, written in the entry's transaction.

`body` is the entry's own JSON text, so what the quality lead signs is what the device recorded.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from erp_link.adapters.tables import UtcMicros, metadata

profile_event = Table(
    "profile_event",
    metadata,
    Column("device", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", UtcMicros, nullable=False),
    Column("station", String, nullable=False),
    Column("gtin", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_profile_event_at", "at", "device", "seq"),
)
