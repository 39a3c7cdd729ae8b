"""the append-only record from which the state can be rebuilt"""

from __future__ import annotations

revision: str = "0007"
down_revision: str | None = "0006"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
