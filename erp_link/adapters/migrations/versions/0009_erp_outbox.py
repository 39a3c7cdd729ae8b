"""what an ERP is to be told, and what it refused"""

from __future__ import annotations

revision: str = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
