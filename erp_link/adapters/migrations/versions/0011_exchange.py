"""EPCIS events, webhooks, file drops"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OWN_TRANSACTION = "(pg_current_xact_id()::text::bigint)"


def upgrade() -> None:
    _follow_the_history()
    _epcis()
    _webhooks()
    _file_drop()


def downgrade() -> None:
    for name in (
        "file_drop", "webhook_message", "webhook_secret", "webhook", "epcis_key", "epcis_event",
    ):  # fmt: skip
        op.drop_table(name)
    op.drop_table("feed_restore")
    op.drop_table("feed_cursor")
    op.drop_index("ix_event_txid_id", "event")
    op.drop_column("event", "txid")


def _follow_the_history() -> None:
    op.add_column(
        "event", sa.Column("txid", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    if _is_postgresql():
        # What was written before this moment is all committed, and counts as oldest.
        op.execute(f"ALTER TABLE event ALTER COLUMN txid SET DEFAULT {_OWN_TRANSACTION}")
    op.create_index("ix_event_txid_id", "event", ["txid", "id"], sqlite_where=sa.text("txid > 0"))
    op.create_table(
        "feed_cursor",
        sa.Column("consumer", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", name=op.f("pk_feed_cursor")),
    )
    op.create_table(
        "feed_restore",
        sa.Column("id", _ID, nullable=False),
        sa.Column("last_old_event", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_restore")),
    )


def _epcis() -> None:
    op.create_table(
        "epcis_event",
        sa.Column("id", _ID, nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        *(sa.Column(n, sa.BigInteger(), nullable=False) for n in ("event_time", "record_time")),
        sa.Column("captured_by", sa.String(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=True),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in (
                "kind", "action", "biz_step", "disposition", "read_point", "biz_location",
            )
        ),
        sa.Column("prefixes", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epcis_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_epcis_event_event_id")),
    )  # fmt: skip
    for column in ("event_time", "record_time"):
        op.create_index(f"ix_epcis_event_{column}_id", "epcis_event", [column, "id"])
    op.create_table(
        "epcis_key",
        sa.Column("event", _ID, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("kind", "value")),
        sa.PrimaryKeyConstraint("event", "kind", "value", name=op.f("pk_epcis_key")),
        sa.ForeignKeyConstraint(
            ["event"], ["epcis_event.id"], name=op.f("fk_epcis_key_event_epcis_event")
        ),
    )
    op.create_index("ix_epcis_key_value_event", "epcis_key", ["value", "event"])


def _webhooks() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", _ID, nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        *(sa.Column(n, sa.String(), nullable=False) for n in ("note", "state", "why", "made_by")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "webhook_secret",
        sa.Column("id", _ID, nullable=False),
        sa.Column("webhook_id", _ID, nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secret")),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_secret_webhook_id_webhook")
        ),
    )
    op.create_index("ix_webhook_secret_webhook_id", "webhook_secret", ["webhook_id"])
    op.create_table(
        "webhook_message",
        sa.Column("id", _ID, nullable=False),
        *(sa.Column(n, _ID, nullable=False) for n in ("webhook_id", "event_id")),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        *(sa.Column(n, sa.BigInteger(), nullable=False) for n in ("next_at", "made_at")),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_message")),
        sa.UniqueConstraint(
            "webhook_id", "event_id", name=op.f("uq_webhook_message_webhook_id_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_message_webhook_id_webhook")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_webhook_message_event_id_event")
        ),
    )
    op.create_index("ix_webhook_message_state_next_at", "webhook_message", ["state", "next_at"])


def _file_drop() -> None:
    op.create_table(
        "file_drop",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_drop")),
        sa.UniqueConstraint("name", name=op.f("uq_file_drop_name")),
    )


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
