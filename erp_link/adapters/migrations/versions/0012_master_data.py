"""unclean master data, forecasts"""

from __future__ import annotations

revision: str = "0012"
down_revision: str | None = "0011"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
