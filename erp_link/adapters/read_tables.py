"""What was read of each carton: a projection of journal entries, kept in their transaction.

A row may begin with either of its halves: `judged_by` and `settled_by` order the entries that wrote
them, so that any order of entries gives the same rows. A row's `cell` is everything that it counts
under, time apart: counting 100,000 cartons is then grouping one integer. `quarter` is the quarter of
an hour since 1970; `was_right` is 1, 0, or -1 while nobody has said what the label says.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from erp_link.adapters.tables import UtcMicros, metadata, new_id

FACETS = ("camera", "supplier", "carrier", "print_style", "source", "model_set")
COUNTED = (*FACETS, "cause", "accepted", "audited", "was_right")

read_cell = Table(
    "read_cell",
    metadata,
    new_id(),
    *(Column(name, String, nullable=False) for name in (*FACETS, "cause")),
    Column("accepted", Integer, nullable=False),
    Column("audited", Integer, nullable=False),
    Column("was_right", Integer, nullable=False),
    UniqueConstraint(*COUNTED, name="uq_read_cell"),
)

carton_read = Table(
    "carton_read",
    metadata,
    Column("carton_id", String, primary_key=True),
    Column("judged_by", String, nullable=False, default=""),
    Column("at", UtcMicros),
    Column("quarter", Integer),
    Column("cell_id", ForeignKey("read_cell.id")),
    Column("accepted", Integer, nullable=False, default=0),
    Column("confidence", Float),
    Column("band", Integer),
    Column("gtin", String, nullable=False, default=""),
    Column("batch", String, nullable=False, default=""),
    Column("expiry", String, nullable=False, default=""),
    Column("reasons", JSON, nullable=False, default=list),
    Column("pictures", JSON, nullable=False, default=list),
    Column("settled_by", String, nullable=False, default=""),
    Column("how", String, nullable=False, default=""),
    Column("true_gtin", String, nullable=False, default=""),
    Column("true_batch", String, nullable=False, default=""),
    Column("true_expiry", String, nullable=False, default=""),
    # Rates are counted from this index alone, without the rows.
    Index("ix_carton_read_counted", "quarter", "cell_id", "accepted", "band"),
)
