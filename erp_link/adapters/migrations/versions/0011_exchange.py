"""EPCIS events, webhooks, file drops"""

from __future__ import annotations

revision: str = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
