"""orders, allocations, offline quotas"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _of_order(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["order_ref"], ["customer_order.order_ref"], name=op.f(f"fk_{table}_order_ref")
    )


def upgrade() -> None:
    op.add_column(
        "hold", sa.Column("quantity", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("reservation", sa.Column("line_number", sa.Integer(), nullable=True))
    _add_orders()
    _add_handling()
    _add_quotas()


def _add_orders() -> None:
    op.create_table(
        "customer_order",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        _text("order_ref"),
        _text("customer"),
        sa.Column("due_on", sa.Date(), nullable=True),
        _number("placed_at"),
        _text("placed_by"),
        _number("closed_at", nullable=True),
        _text("cancelled_by"),
        _text("cancel_reason"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_order")),
        sa.UniqueConstraint("order_ref", name=op.f("uq_customer_order_order_ref")),
    )
    op.create_index("ix_customer_order_closed_at_id", "customer_order", ["closed_at", "id"])
    op.create_table(
        "order_line",
        _text("order_ref"),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("gtin"),
        _number("quantity"),
        _number("ordered"),
        _text("unit"),
        sa.Column("least_days", sa.Integer(), nullable=False),
        _number("replan_since", nullable=True),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_line_positive")),
        _of_order("order_line"),
        sa.PrimaryKeyConstraint("order_ref", "number", name=op.f("pk_order_line")),
    )
    op.create_index("ix_order_line_gtin", "order_line", ["gtin"])
    op.create_index("ix_order_line_replan_since", "order_line", ["replan_since"])
    op.create_table(
        "allocation",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        _text("order_ref"),
        sa.Column("line_number", sa.Integer(), nullable=False),
        _number("at"),
        _text("by"),
        _text("rotation"),
        _number("asked"),
        _number("taken"),
        sa.Column("choices", sa.JSON(), nullable=False),
        _of_order("allocation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
    )
    op.create_index("ix_allocation_order_ref", "allocation", ["order_ref"])
    op.create_table(
        "order_event",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        _text("order_ref"),
        _number("at"),
        _text("by"),
        _text("what"),
        _text("code"),
        sa.Column("params", sa.JSON(), nullable=False),
        _of_order("order_event"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_event")),
    )
    op.create_index("ix_order_event_order_ref", "order_event", ["order_ref"])


def _add_handling() -> None:
    op.create_table(
        "parcel",
        _text("label"),
        _text("order_ref"),
        _number("packed_at"),
        _text("packed_by"),
        _of_order("parcel"),
        sa.PrimaryKeyConstraint("label", name=op.f("pk_parcel")),
    )
    op.create_index("ix_parcel_order_ref", "parcel", ["order_ref"])
    op.create_table(
        "packed",
        sa.Column("reservation_id", _ID, nullable=False),
        _text("label"),
        sa.ForeignKeyConstraint(
            ["reservation_id"], ["reservation.id"], name=op.f("fk_packed_reservation_id")
        ),
        sa.ForeignKeyConstraint(["label"], ["parcel.label"], name=op.f("fk_packed_label")),
        sa.PrimaryKeyConstraint("reservation_id", name=op.f("pk_packed")),
    )
    op.create_index("ix_packed_label", "packed", ["label"])
    op.create_table(
        "recall",
        _text("ticket_id"),
        _text("hold_id"),
        _text("what"),
        _text("reference"),
        _number("quantity"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.ticket_id"], name=op.f("fk_recall_ticket_id")
        ),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.hold_id"], name=op.f("fk_recall_hold_id")),
        sa.PrimaryKeyConstraint("ticket_id", name=op.f("pk_recall")),
    )
    op.create_index("ix_recall_hold_id", "recall", ["hold_id"])
    op.create_index("ix_recall_reference", "recall", ["reference"])


def _add_quotas() -> None:
    op.create_table(
        "quota",
        _text("quota_id"),
        _text("device"),
        sa.Column("batch_id", _ID, nullable=False),
        _number("granted"),
        _number("used"),
        _number("returned"),
        sa.Column("parts", sa.JSON(), nullable=False),
        _number("expires_at"),
        _number("granted_at"),
        _text("granted_by"),
        _number("ended_at", nullable=True),
        _text("hold_id"),
        sa.CheckConstraint("used >= 0 AND returned >= 0", name=op.f("ck_quota_not_negative")),
        sa.CheckConstraint("used + returned <= granted", name=op.f("ck_quota_within_grant")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_quota_batch_id")),
        sa.PrimaryKeyConstraint("quota_id", name=op.f("pk_quota")),
    )
    op.create_index("ix_quota_batch_id", "quota", ["batch_id"])
    op.create_index("ix_quota_device", "quota", ["device"])
    op.create_index("ix_quota_ended_at_expires_at", "quota", ["ended_at", "expires_at"])


def downgrade() -> None:
    for table in (
        "quota",
        "recall",
        "packed",
        "parcel",
        "order_event",
        "allocation",
        "order_line",
        "customer_order",
    ):
        op.drop_table(table)
    with op.batch_alter_table("reservation") as batch_op:
        batch_op.drop_column("line_number")
    with op.batch_alter_table("hold") as batch_op:
        batch_op.drop_column("quantity")
