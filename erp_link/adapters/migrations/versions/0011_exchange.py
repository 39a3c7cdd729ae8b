"""EPCIS events, webhooks, file drops"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OWN_TRANSACTION = "(pg_current_xact_id()::text::bigint)"


def upgrade() -> None:
    _follow_the_history()


def downgrade() -> None:
    op.drop_table("feed_restore")
    op.drop_table("feed_cursor")
    op.drop_index("ix_event_txid_id", "event")
    op.drop_column("event", "txid")


def _follow_the_history() -> None:
    op.add_column(
        "event", sa.Column("txid", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    if _is_postgresql():
        # What was written before this moment is all committed, and counts as oldest.
        op.execute(f"ALTER TABLE event ALTER COLUMN txid SET DEFAULT {_OWN_TRANSACTION}")
    op.create_index("ix_event_txid_id", "event", ["txid", "id"], sqlite_where=sa.text("txid > 0"))
    op.create_table(
        "feed_cursor",
        sa.Column("consumer", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", name=op.f("pk_feed_cursor")),
    )
    op.create_table(
        "feed_restore",
        sa.Column("id", _ID, nullable=False),
        sa.Column("last_old_event", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_restore")),
    )


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
