"""Tables of the offline merge: devices, their logs, what was booked of them, what they dispute.

Append-only: offline_refused, and of offline_entry everything but how far it has come.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from erp_link.adapters.tables import UtcMicros, metadata, new_id

offline_device = Table(
    "offline_device",
    metadata,
    Column("device", String, primary_key=True),
    Column("public_key", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("why", String, nullable=False),
    Column("suspect_from", BigInteger),
    Column("enrolled_at", UtcMicros, nullable=False),
    Column("enrolled_by", String, nullable=False),
)

offline_entry = Table(
    "offline_entry",
    metadata,
    Column("entry_id", String, primary_key=True),
    Column("device", ForeignKey("offline_device.device"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("by", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("signature", String, nullable=False),
    # The entry in which the device was last told how things stand; empty where it never was.
    Column("basis", String, nullable=False),
    Column("state", String, nullable=False),
    Column("uploaded_at", UtcMicros, nullable=False),
    Column("uploaded_by", String, nullable=False),
    Column("batch_id", ForeignKey("batch.id")),
    Column("location", String, nullable=False),
    Column("target", String, nullable=False),
    Column("quota", String, nullable=False),
    # Of a shipment, the units beyond its quota; of a count, 1 where the core moved goods beside it.
    Column("beyond", BigInteger, nullable=False),
    Column("crossed", Integer, nullable=False),
    Index("ix_offline_entry_device_seq", "device", "seq"),
    Index("ix_offline_entry_batch_id_location", "batch_id", "location"),
    Index("ix_offline_entry_batch_id_target", "batch_id", "target"),
    Index("ix_offline_entry_state", "state"),
    Index("ix_offline_entry_quota", "quota"),
)

offline_cell = Table(
    "offline_cell",
    metadata,
    Column("batch_id", ForeignKey("batch.id"), primary_key=True),
    Column("location", String, primary_key=True),
    # What the counts came to when they were last settled.
    Column("count_taken", BigInteger, nullable=False),
    Column("count_added", BigInteger, nullable=False),
    # Units taken beyond what the books had; units added that nobody has confirmed yet.
    Column("owed", BigInteger, nullable=False),
    Column("unconfirmed", BigInteger, nullable=False),
    CheckConstraint("owed >= 0 AND unconfirmed >= 0", name="not_negative"),
)

offline_release = Table(
    "offline_release",
    metadata,
    Column("entry_id", ForeignKey("offline_entry.entry_id"), primary_key=True),
    Column("hold_id", String, primary_key=True),
    Column("lifted", Integer, nullable=False),
    Index("ix_offline_release_hold_id", "hold_id"),
)

offline_conflict = Table(
    "offline_conflict",
    metadata,
    Column("conflict_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("sides", JSON, nullable=False),
    Column("batch_id", ForeignKey("batch.id")),
    Column("location", String, nullable=False),
    Column("device", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    # What the conflict is about: its cell, quota, hold or device. Settled together.
    Column("scope", String, nullable=False),
    Column("ticket_id", String, nullable=False),
    Column("opened_at", UtcMicros, nullable=False),
    Column("withdrawn_at", UtcMicros),
    Index("ix_offline_conflict_scope", "scope"),
    Index("ix_offline_conflict_withdrawn_at", "withdrawn_at"),
)

offline_refused = Table(
    "offline_refused",
    metadata,
    new_id(),
    Column("digest", String, nullable=False, unique=True),
    Column("device", String, nullable=False),
    Column("code", String, nullable=False),
    Column("message", String, nullable=False),
    Column("raw", Text, nullable=False),
    Column("uploaded_at", UtcMicros, nullable=False),
    Column("uploaded_by", String, nullable=False),
    Index("ix_offline_refused_device", "device"),
)
