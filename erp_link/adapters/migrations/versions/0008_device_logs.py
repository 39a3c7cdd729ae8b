"""logs of devices that were offline"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _to_batch(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f(f"fk_{table}_batch_id"))


def upgrade() -> None:
    _add_logs()
    _add_what_was_booked()


def _add_logs() -> None:
    op.create_table(
        "offline_device",
        *_texts("device", "public_key", "owner"),
        sa.Column("roles", sa.JSON(), nullable=False),
        *_texts("state", "why"),
        sa.Column("suspect_from", sa.BigInteger()),
        *_numbers("enrolled_at"),
        *_texts("enrolled_by"),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_offline_device")),
    )
    op.create_table(
        "offline_entry",
        *_texts("entry_id", "device"),
        *_numbers("seq", "at"),
        *_texts("by", "kind"),
        sa.Column("body", sa.Text(), nullable=False),
        *_texts("previous", "signature", "basis", "state"),
        *_numbers("uploaded_at"),
        *_texts("uploaded_by"),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        *_texts("location", "target", "quota"),
        *_numbers("beyond"),
        sa.Column("crossed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_offline_entry")),
        sa.ForeignKeyConstraint(
            ["device"], ["offline_device.device"], name=op.f("fk_offline_entry_device")
        ),
        _to_batch("offline_entry"),
    )
    for columns in (
        ["device", "seq"],
        ["batch_id", "location"],
        ["batch_id", "target"],
        ["state"],
        ["quota"],
    ):
        op.create_index(f"ix_offline_entry_{'_'.join(columns)}", "offline_entry", columns)
    op.create_table(
        "offline_refused",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        *_texts("digest", "device", "code", "message"),
        sa.Column("raw", sa.Text(), nullable=False),
        *_numbers("uploaded_at"),
        *_texts("uploaded_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offline_refused")),
        sa.UniqueConstraint("digest", name=op.f("uq_offline_refused_digest")),
    )
    op.create_index("ix_offline_refused_device", "offline_refused", ["device"])


def _add_what_was_booked() -> None:
    op.create_table(
        "offline_cell",
        sa.Column("batch_id", _ID, nullable=False),
        *_texts("location"),
        *_numbers("count_taken", "count_added", "owed", "unconfirmed"),
        sa.PrimaryKeyConstraint("batch_id", "location", name=op.f("pk_offline_cell")),
        _to_batch("offline_cell"),
        sa.CheckConstraint(
            "owed >= 0 AND unconfirmed >= 0", name=op.f("ck_offline_cell_not_negative")
        ),
    )
    op.create_table(
        "offline_release",
        *_texts("entry_id", "hold_id"),
        sa.Column("lifted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "hold_id", name=op.f("pk_offline_release")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["offline_entry.entry_id"], name=op.f("fk_offline_release_entry_id")
        ),
    )
    op.create_index("ix_offline_release_hold_id", "offline_release", ["hold_id"])
    op.create_table(
        "offline_conflict",
        *_texts("conflict_id", "kind"),
        sa.Column("sides", sa.JSON(), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        *_texts("location", "device"),
        *_numbers("quantity"),
        *_texts("scope", "ticket_id"),
        *_numbers("opened_at"),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("conflict_id", name=op.f("pk_offline_conflict")),
        _to_batch("offline_conflict"),
    )
    op.create_index("ix_offline_conflict_scope", "offline_conflict", ["scope"])
    op.create_index("ix_offline_conflict_withdrawn_at", "offline_conflict", ["withdrawn_at"])


def downgrade() -> None:
    for table in (
        "offline_conflict",
        "offline_release",
        "offline_cell",
        "offline_refused",
        "offline_entry",
        "offline_device",
    ):
        op.drop_table(table)
