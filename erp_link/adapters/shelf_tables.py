"""Tables of what a site knows about its shelves and no ERP told: lists that are imported whole.

A list is `contacts`, `prices`, `codes`, `planogram` or `places` (domain/shelf/lists.py).
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Integer, String, Table

from erp_link.adapters.tables import UtcMicros, metadata

shelf_list = Table(
    "shelf_list",
    metadata,
    Column("kind", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("imported_at", UtcMicros, nullable=False),
    Column("imported_by", String, nullable=False),
)

# One row of a list, its values in the order of its columns; `number` counts from 1.
shelf_row = Table(
    "shelf_row",
    metadata,
    Column("kind", ForeignKey("shelf_list.kind"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("values", JSON, nullable=False),
)
