"""products, units, expiry policies, inspection lots"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ADDED = (
    ("location", "temperature"),
    ("carton", "quantity"),
    ("asn_line", "stated"),
    ("asn_line", "stated_unit"),
)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _words(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _key() -> sa.Column[int]:
    return sa.Column("id", _ID, autoincrement=True, nullable=False)


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def _primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*(columns or ("id",)), name=op.f(f"pk_{table}"))


def upgrade() -> None:
    _add_columns()
    _add_products()
    _add_acceptance()
    _add_sampling()
    op.create_table(
        "expiry_stage",
        sa.Column("batch_id", _ID, nullable=False),
        _text("stage"),
        _number("since"),
        _text("hold_id"),
        _to("expiry_stage", "batch_id", "batch.id"),
        _primary("expiry_stage", "batch_id"),
    )


def _add_columns() -> None:
    one = sa.Column("quantity", sa.BigInteger(), nullable=False, server_default="1")
    op.add_column("carton", one)
    kept = sa.Column("temperature", sa.String(), nullable=False, server_default="ambient")
    op.add_column("location", kept)
    stated = sa.Column("stated", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("asn_line", stated)
    unit = sa.Column("stated_unit", sa.String(), nullable=False, server_default="")
    op.add_column("asn_line", unit)
    op.execute("UPDATE asn_line SET stated = quantity, stated_unit = unit")


def _add_products() -> None:
    op.create_table(
        "product",
        _text("gtin"),
        _text("name"),
        _text("base_unit"),
        sa.Column("units", sa.JSON(), nullable=False),
        _text("carton_unit"),
        _text("temperature"),
        _text("rotation"),
        _text("mover"),
        _whole("warn_days"),
        _whole("freeze_days"),
        _whole("pull_days"),
        _whole("least_days"),
        _whole("least_percent"),
        _whole("total_life_days"),
        _whole("dated"),
        _whole("not_older"),
        _whole("acceptance"),
        _text("aql"),
        _text("level"),
        _number("min_stock", nullable=True),
        _number("max_stock", nullable=True),
        _number("described_at"),
        _text("described_by"),
        _primary("product", "gtin"),
    )
    op.create_table(
        "life_rule",
        _text("gtin"),
        _text("customer"),
        _whole("least_days"),
        _whole("least_percent"),
        _number("set_at"),
        _text("set_by"),
        _primary("life_rule", "gtin", "customer"),
    )


def _add_acceptance() -> None:
    op.create_table(
        "acceptance",
        _key(),
        sa.Column("batch_id", _ID, nullable=False),
        sa.Column("session_id", _ID, nullable=True),
        _text("state"),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("loose", sa.JSON(), nullable=False),
        _number("opened_at"),
        _number("decided_at", nullable=True),
        _text("decided_by"),
        _text("decided_role"),
        _words("reason"),
        _to("acceptance", "batch_id", "batch.id"),
        _to("acceptance", "session_id", "session.id"),
        _primary("acceptance"),
    )
    op.create_index("ix_acceptance_batch_id_state", "acceptance", ["batch_id", "state"])
    op.create_index("ix_acceptance_state", "acceptance", ["state"])


def _add_sampling() -> None:
    op.create_table(
        "inspection_lot",
        _key(),
        sa.Column("acceptance_id", _ID, nullable=False),
        _text("supplier"),
        _text("gtin"),
        sa.Column("batch_id", _ID, nullable=False),
        _number("quantity"),
        _text("aql"),
        _text("level"),
        _text("severity"),
        _text("letter"),
        _whole("sample"),
        _whole("accept"),
        _whole("reject"),
        _number("arrived"),
        _whole("inspected"),
        _whole("bad"),
        _text("outcome"),
        _number("opened_at"),
        _number("judged_at", nullable=True),
        _text("judged_by"),
        sa.CheckConstraint(
            "inspected >= 0 AND bad >= 0 AND bad <= inspected",
            name=op.f("ck_inspection_lot_counted"),
        ),
        _to("inspection_lot", "acceptance_id", "acceptance.id"),
        _to("inspection_lot", "batch_id", "batch.id"),
        sa.UniqueConstraint("acceptance_id", name=op.f("uq_inspection_lot_acceptance_id")),
        _primary("inspection_lot"),
    )
    op.create_index("ix_inspection_lot_supplier_gtin", "inspection_lot", ["supplier", "gtin"])
    op.create_table(
        "inspection_result",
        _key(),
        sa.Column("lot_id", _ID, nullable=False),
        _number("at"),
        _text("by"),
        _whole("inspected"),
        _whole("bad"),
        _words("note"),
        _to("inspection_result", "lot_id", "inspection_lot.id"),
        _primary("inspection_result"),
    )
    op.create_index("ix_inspection_result_lot_id", "inspection_result", ["lot_id"])
    op.create_table(
        "sampling_resumed",
        _key(),
        _text("supplier"),
        _text("gtin"),
        _number("at"),
        _text("by"),
        _words("reason"),
        _primary("sampling_resumed"),
    )
    op.create_index("ix_sampling_resumed_supplier_gtin", "sampling_resumed", ["supplier", "gtin"])


def downgrade() -> None:
    for table in (
        "expiry_stage",
        "sampling_resumed",
        "inspection_result",
        "inspection_lot",
        "acceptance",
        "life_rule",
        "product",
    ):
        op.drop_table(table)
    for table, column in _ADDED:
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
