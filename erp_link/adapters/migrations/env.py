"""Alembic's entry: it runs in the transaction that erp_link.adapters.migrate opened,
so tables, version and record appear together or not at all.
"""

from __future__ import annotations

from alembic import context

from erp_link.adapters import (  # noqa: F401 -- an area's tables join the metadata
    alarm_tables,
    care_tables,
    exchange_tables,
    goods_tables,
    judging_tables,
    merge_tables,
    shelf_tables,
)
from erp_link.adapters.record.triggers import around_migrations
from erp_link.adapters.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
)
newest = context.get_head_revision()
with around_migrations(connection, newest if isinstance(newest, str) else None):
    context.run_migrations()
