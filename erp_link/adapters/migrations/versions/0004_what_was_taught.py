"""what stations taught, for the quality lead's signature"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    op.create_table(
        "profile_event",
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("station", "gtin", "kind")),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device", "seq", name=op.f("pk_profile_event")),
    )
    op.create_index("ix_profile_event_at", "profile_event", ["at", "device", "seq"])


def downgrade() -> None:
    op.drop_table("profile_event")
