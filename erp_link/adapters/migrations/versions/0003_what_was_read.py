"""what was read of each carton, for the read rates"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WORDS = ("camera", "supplier", "carrier", "print_style", "source", "model_set", "cause")
_NUMBERS = ("accepted", "audited", "was_right")
_FIELDS = ("gtin", "batch", "expiry")


def upgrade() -> None:
    op.create_table(
        "read_cell",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in _WORDS),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _NUMBERS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_read_cell")),
        sa.UniqueConstraint(*_WORDS, *_NUMBERS, name="uq_read_cell"),
    )
    op.create_table(
        "carton_read",
        sa.Column("carton_id", sa.String(), nullable=False),
        sa.Column("judged_by", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("quarter", sa.Integer(), nullable=True),
        sa.Column("cell_id", _ID, nullable=True),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("band", sa.Integer(), nullable=True),
        *(sa.Column(name, sa.String(), nullable=False) for name in _FIELDS),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("pictures", sa.JSON(), nullable=False),
        sa.Column("settled_by", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        *(sa.Column(f"true_{name}", sa.String(), nullable=False) for name in _FIELDS),
        sa.ForeignKeyConstraint(["cell_id"], ["read_cell.id"], name=op.f("fk_carton_read_cell_id")),
        sa.PrimaryKeyConstraint("carton_id", name=op.f("pk_carton_read")),
    )
    op.create_index(
        "ix_carton_read_counted", "carton_read", ["quarter", "cell_id", "accepted", "band"]
    )


def downgrade() -> None:
    op.drop_table("carton_read")
    op.drop_table("read_cell")
