"""signed usage decisions and second persons"""

from __future__ import annotations

revision: str = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
