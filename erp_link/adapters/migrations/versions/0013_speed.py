"""indexes for long histories"""

from __future__ import annotations

revision: str = "0013"
down_revision: str | None = "0012"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
