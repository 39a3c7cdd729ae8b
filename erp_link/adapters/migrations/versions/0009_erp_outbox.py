"""what an ERP is to be told, and what it refused"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "erp_outbox",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erp_outbox")),
        sa.UniqueConstraint("reference", name=op.f("uq_erp_outbox_reference")),
    )
    op.create_index("ix_erp_outbox_state_id", "erp_outbox", ["state", "id"])
    op.create_index("ix_erp_outbox_topic", "erp_outbox", ["topic"])
    op.create_table(
        "erp_pending",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("batch_id", _ID, nullable=False),
        sa.Column("free", sa.BigInteger(), nullable=False),
        sa.Column("blocked", sa.BigInteger(), nullable=False),
        sa.Column("last_event", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_erp_pending_batch_id")),
        sa.PrimaryKeyConstraint("kind", "subject", "batch_id", name=op.f("pk_erp_pending")),
    )
    op.create_table(
        "erp_name",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ours", sa.String(), nullable=False),
        sa.Column("theirs", sa.String(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "ours", name=op.f("pk_erp_name")),
    )
    op.create_table(
        "erp_line",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("ok_at", sa.BigInteger(), nullable=True),
        sa.Column("down_since", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_erp_line")),
    )


def downgrade() -> None:
    op.drop_table("erp_line")
    op.drop_table("erp_name")
    op.drop_table("erp_pending")
    op.drop_index("ix_erp_outbox_topic", "erp_outbox")
    op.drop_index("ix_erp_outbox_state_id", "erp_outbox")
    op.drop_table("erp_outbox")
