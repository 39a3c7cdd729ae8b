"""Keys that people sign with, what they signed, and how tickets follow from each other.

`signature` and `ticket_link` are append-only. A `usage_decision` waits for its second person or is
in force; one that was overtaken by a hold stays on record.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, String, Table, Text

from erp_link.adapters.tables import UtcMicros, metadata, new_id

signing_key = Table(
    "signing_key",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("label", String, nullable=False),
    Column("public_pem", Text, nullable=False),
    Column("registered_at", UtcMicros, nullable=False),
    Column("registered_by", String, nullable=False),
    Column("revoked_at", UtcMicros),
    Column("revoked_by", String, nullable=False, default=""),
    Index("ix_signing_key_person", "person"),
)

usage_decision = Table(
    "usage_decision",
    metadata,
    new_id(),
    Column("ticket_id", ForeignKey("ticket.ticket_id"), nullable=False),
    Column("batch_id", ForeignKey("batch.id")),
    Column("decision", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("cartons", JSON, nullable=False),
    Column("holds", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_at", UtcMicros, nullable=False),
    Column("child_ticket", String, nullable=False, default=""),
    Column("done_at", UtcMicros),
    Index("ix_usage_decision_ticket_id", "ticket_id"),
    Index("ix_usage_decision_batch_id", "batch_id"),
)

signature = Table(
    "signature",
    metadata,
    Column("digest", String, primary_key=True),
    Column("decision_id", ForeignKey("usage_decision.id"), nullable=False),
    Column("person", String, nullable=False),
    Column("key_id", ForeignKey("signing_key.key_id"), nullable=False),
    Column("statement", Text, nullable=False),
    Column("signature", String, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Index("ix_signature_decision_id", "decision_id"),
)

ticket_link = Table(
    "ticket_link",
    metadata,
    Column("child", ForeignKey("ticket.ticket_id"), primary_key=True),
    Column("parent", ForeignKey("ticket.ticket_id"), nullable=False),
    Column("why", String, nullable=False),
    Index("ix_ticket_link_parent", "parent"),
)
