"""Alembic's entry: it runs in the transaction that erp_link.adapters.migrate opened,
so tables and version appear together or not at all.
"""

from __future__ import annotations

from alembic import context

from erp_link.adapters.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
