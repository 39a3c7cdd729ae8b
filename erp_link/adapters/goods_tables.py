"""Tables of goods: what a product is, who asks for how much life, what waits for acceptance, how
lots were sampled, and how far each batch is towards its date.

Append-only: inspection_result, sampling_resumed. Quantities in base units.
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
    UniqueConstraint,
)

from erp_link.adapters.tables import UtcMicros, metadata, new_id

product = Table(
    "product",
    metadata,
    Column("gtin", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("base_unit", String, nullable=False),
    Column("units", JSON, nullable=False),
    Column("carton_unit", String, nullable=False),
    Column("temperature", String, nullable=False),
    Column("rotation", String, nullable=False),
    Column("mover", String, nullable=False),
    Column("warn_days", Integer, nullable=False),
    Column("freeze_days", Integer, nullable=False),
    Column("pull_days", Integer, nullable=False),
    Column("least_days", Integer, nullable=False),
    Column("least_percent", Integer, nullable=False),
    Column("total_life_days", Integer, nullable=False),
    Column("dated", Integer, nullable=False),
    Column("not_older", Integer, nullable=False),
    Column("acceptance", Integer, nullable=False),
    Column("aql", String, nullable=False),
    Column("level", String, nullable=False),
    Column("min_stock", BigInteger),
    Column("max_stock", BigInteger),
    Column("described_at", UtcMicros, nullable=False),
    Column("described_by", String, nullable=False),
)

life_rule = Table(
    "life_rule",
    metadata,
    Column("gtin", String, primary_key=True),
    Column("customer", String, primary_key=True),
    Column("least_days", Integer, nullable=False),
    Column("least_percent", Integer, nullable=False),
    Column("set_at", UtcMicros, nullable=False),
    Column("set_by", String, nullable=False),
)

acceptance = Table(
    "acceptance",
    metadata,
    new_id(),
    Column("batch_id", ForeignKey("batch.id"), nullable=False),
    Column("session_id", ForeignKey("session.id")),
    Column("state", String, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("loose", JSON, nullable=False),
    Column("opened_at", UtcMicros, nullable=False),
    Column("decided_at", UtcMicros),
    Column("decided_by", String, nullable=False, default=""),
    Column("decided_role", String, nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Index("ix_acceptance_batch_id_state", "batch_id", "state"),
    Index("ix_acceptance_state", "state"),
)

inspection_lot = Table(
    "inspection_lot",
    metadata,
    new_id(),
    Column("acceptance_id", ForeignKey("acceptance.id"), nullable=False),
    Column("supplier", String, nullable=False),
    Column("gtin", String, nullable=False),
    Column("batch_id", ForeignKey("batch.id"), nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("aql", String, nullable=False),
    Column("level", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("letter", String, nullable=False),
    Column("sample", Integer, nullable=False),
    Column("accept", Integer, nullable=False),
    Column("reject", Integer, nullable=False),
    Column("arrived", BigInteger, nullable=False),
    Column("inspected", Integer, nullable=False, default=0),
    Column("bad", Integer, nullable=False, default=0),
    Column("outcome", String, nullable=False, default=""),
    Column("opened_at", UtcMicros, nullable=False),
    Column("judged_at", UtcMicros),
    Column("judged_by", String, nullable=False, default=""),
    UniqueConstraint("acceptance_id"),
    CheckConstraint("inspected >= 0 AND bad >= 0 AND bad <= inspected", name="counted"),
    Index("ix_inspection_lot_supplier_gtin", "supplier", "gtin"),
)

inspection_result = Table(
    "inspection_result",
    metadata,
    new_id(),
    Column("lot_id", ForeignKey("inspection_lot.id"), nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("by", String, nullable=False),
    Column("inspected", Integer, nullable=False),
    Column("bad", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Index("ix_inspection_result_lot_id", "lot_id"),
)

sampling_resumed = Table(
    "sampling_resumed",
    metadata,
    new_id(),
    Column("supplier", String, nullable=False),
    Column("gtin", String, nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Index("ix_sampling_resumed_supplier_gtin", "supplier", "gtin"),
)

expiry_stage = Table(
    "expiry_stage",
    metadata,
    Column("batch_id", ForeignKey("batch.id"), primary_key=True),
    Column("stage", String, nullable=False),
    Column("since", UtcMicros, nullable=False),
    Column("hold_id", String, nullable=False, default=""),
)
