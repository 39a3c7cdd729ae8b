"""the site's lists for its shelves: contacts, prices, codes, planogram, places"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"


def upgrade() -> None:
    op.create_table(
        "shelf_list",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_shelf_list")),
    )
    op.create_table(
        "shelf_row",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "number", name=op.f("pk_shelf_row")),
        sa.ForeignKeyConstraint(
            ["kind"], ["shelf_list.kind"], name=op.f("fk_shelf_row_kind_shelf_list")
        ),
    )


def downgrade() -> None:
    op.drop_table("shelf_row")
    op.drop_table("shelf_list")
