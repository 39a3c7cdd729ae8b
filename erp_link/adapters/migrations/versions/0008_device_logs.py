"""logs of devices that were offline"""

from __future__ import annotations

revision: str = "0008"
down_revision: str | None = "0007"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
