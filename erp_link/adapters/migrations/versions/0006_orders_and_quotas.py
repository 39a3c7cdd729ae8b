"""orders, allocations, offline quotas"""

from __future__ import annotations

revision: str = "0006"
down_revision: str | None = "0005"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
