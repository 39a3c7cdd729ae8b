"""what a ticket is about, and the guards of lots"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"

_LOT_GUARDS = """
INSERT INTO guard (kind, ref, open_holds, generation)
SELECT 'lot', b.gtin || '/' || b.lot, count(*), 0
FROM hold h JOIN batch b ON b.id = h.batch_id
WHERE h.kind = 'batch' AND h.released_at IS NULL
GROUP BY b.gtin, b.lot
"""


def upgrade() -> None:
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(), nullable=False, server_default="finding")
        )
        batch_op.add_column(sa.Column("cartons", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(
            sa.Column("quantity", sa.BigInteger(), nullable=False, server_default="0")
        )
        batch_op.add_column(sa.Column("regions", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.create_index("ix_ticket_carton_id", ["carton_id"], unique=False)
    op.execute("UPDATE ticket SET kind = 'hold' WHERE carton_id = ''")
    op.execute(
        "UPDATE ticket SET kind = 'transport' WHERE code IN ('transport_failed', 'load_mismatch')"
    )
    op.execute("UPDATE ticket SET kind = 'expiry' WHERE code IN ('expired', 'stock_expired')")
    op.execute(_LOT_GUARDS)


def downgrade() -> None:
    op.execute("DELETE FROM guard WHERE kind = 'lot'")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_index("ix_ticket_carton_id")
        for name in ("regions", "quantity", "cartons", "kind"):
            batch_op.drop_column(name)
