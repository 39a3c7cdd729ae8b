"""what each day did to a batch, how products are replenished, master data that waits"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "stock_day",
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("batch_id", _Id, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("shipped", "received", "net", "net_free")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_stock_day_batch_id")),
        sa.PrimaryKeyConstraint("day", "batch_id", name=op.f("pk_stock_day")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_stock_day_batch_id", "stock_day", ["batch_id"])
    op.create_table(
        "reorder_policy",
        sa.Column("gtin", sa.String(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("lead_days", "late_days", "review_days", "cycle_days", "service_percent")
        ),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("pack", "least")),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("gtin", name=op.f("pk_reorder_policy")),
    )
    op.create_table(
        "master_import",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("name", "digest", "state")),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_master_import")),
    )
    op.create_table(
        "master_row",
        sa.Column("import_id", _Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("written", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["master_import.id"], name=op.f("fk_master_row_import_id")
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_master_row")),
    )


def downgrade() -> None:
    for name in ("master_row", "master_import", "reorder_policy", "stock_day"):
        op.drop_table(name)
