"""products, units, expiry policies, inspection lots"""

from __future__ import annotations

revision: str = "0005"
down_revision: str | None = "0004"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
