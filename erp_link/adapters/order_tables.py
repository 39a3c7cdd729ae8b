"""Tables of customer orders: lines, how they were allocated, parcels, quotas, recalls.

Append-only: allocation, order_event. An order's state is worked out from its lines and their
reservations, so that picking and shipping never wait for the order's own row.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
)

from erp_link.adapters.tables import UtcMicros, metadata, new_id

customer_order = Table(
    "customer_order",
    metadata,
    new_id(),
    Column("order_ref", String, nullable=False, unique=True),
    Column("customer", String, nullable=False),
    Column("due_on", Date),
    Column("placed_at", UtcMicros, nullable=False),
    Column("placed_by", String, nullable=False),
    Column("closed_at", UtcMicros),
    Column("cancelled_by", String, nullable=False, default=""),
    Column("cancel_reason", String, nullable=False, default=""),
    Index("ix_customer_order_closed_at_id", "closed_at", "id"),
)

order_line = Table(
    "order_line",
    metadata,
    Column("order_ref", ForeignKey("customer_order.order_ref"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("gtin", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("ordered", BigInteger, nullable=False),
    Column("unit", String, nullable=False),
    Column("least_days", Integer, nullable=False, default=0),
    Column("replan_since", UtcMicros),
    CheckConstraint("quantity > 0", name="positive"),
    Index("ix_order_line_gtin", "gtin"),
    Index("ix_order_line_replan_since", "replan_since"),
)

allocation = Table(
    "allocation",
    metadata,
    new_id(),
    Column("order_ref", ForeignKey("customer_order.order_ref"), nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("by", String, nullable=False),
    Column("rotation", String, nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("taken", BigInteger, nullable=False),
    Column("choices", JSON, nullable=False),
    Index("ix_allocation_order_ref", "order_ref"),
)

order_event = Table(
    "order_event",
    metadata,
    new_id(),
    Column("order_ref", ForeignKey("customer_order.order_ref"), nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("by", String, nullable=False),
    Column("what", String, nullable=False),
    Column("code", String, nullable=False),
    Column("params", JSON, nullable=False),
    Index("ix_order_event_order_ref", "order_ref"),
)

parcel = Table(
    "parcel",
    metadata,
    Column("label", String, primary_key=True),
    Column("order_ref", ForeignKey("customer_order.order_ref"), nullable=False),
    Column("packed_at", UtcMicros, nullable=False),
    Column("packed_by", String, nullable=False),
    Index("ix_parcel_order_ref", "order_ref"),
)

packed = Table(
    "packed",
    metadata,
    Column("reservation_id", ForeignKey("reservation.id"), primary_key=True),
    Column("label", ForeignKey("parcel.label"), nullable=False),
    Index("ix_packed_label", "label"),
)

quota = Table(
    "quota",
    metadata,
    Column("quota_id", String, primary_key=True),
    Column("device", String, nullable=False),
    Column("batch_id", ForeignKey("batch.id"), nullable=False),
    Column("granted", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False, default=0),
    Column("returned", BigInteger, nullable=False, default=0),
    Column("parts", JSON, nullable=False),
    Column("expires_at", UtcMicros, nullable=False),
    Column("granted_at", UtcMicros, nullable=False),
    Column("granted_by", String, nullable=False),
    Column("ended_at", UtcMicros),
    Column("hold_id", String, nullable=False, default=""),
    CheckConstraint("used >= 0 AND returned >= 0", name="not_negative"),
    CheckConstraint("used + returned <= granted", name="within_grant"),
    Index("ix_quota_batch_id", "batch_id"),
    Index("ix_quota_device", "device"),
    Index("ix_quota_ended_at_expires_at", "ended_at", "expires_at"),
)

recall = Table(
    "recall",
    metadata,
    Column("ticket_id", ForeignKey("ticket.ticket_id"), primary_key=True),
    Column("hold_id", ForeignKey("hold.hold_id"), nullable=False),
    Column("what", String, nullable=False),
    Column("reference", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Index("ix_recall_hold_id", "hold_id"),
    Index("ix_recall_reference", "reference"),
)
