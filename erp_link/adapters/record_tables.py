"""The record of changes: every row's image as it was written, appended by the database's triggers."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from erp_link.adapters.tables import metadata, new_id

change = Table(
    "change",
    metadata,
    new_id(),
    Column("name", String, nullable=False),
    Column("what", String, nullable=False),
    Column("image", Text, nullable=False),
)
