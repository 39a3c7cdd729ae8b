"""what a transport order is for, who has the goods already, why it is to be stopped"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"


def upgrade() -> None:
    op.add_column(
        "transport", sa.Column("kind", sa.String(), nullable=False, server_default="put_away")
    )
    for name in ("on_board", "stop_code"):
        op.add_column("transport", sa.Column(name, sa.String(), nullable=False, server_default=""))
    op.add_column("transport", sa.Column("stop_params", sa.JSON(), nullable=True))
    op.execute("UPDATE transport SET kind = 'recall' WHERE target = 'QUARANTINE'")


def downgrade() -> None:
    with op.batch_alter_table("transport") as batch_op:
        for name in ("kind", "on_board", "stop_code", "stop_params"):
            batch_op.drop_column(name)
