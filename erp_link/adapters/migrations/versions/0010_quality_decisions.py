"""signed usage decisions and second persons"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("public_pem", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("registered_by", sa.String(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_signing_key")),
    )
    op.create_index("ix_signing_key_person", "signing_key", ["person"])
    op.create_table(
        "usage_decision",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("ticket_id", sa.String(), nullable=False),
        sa.Column("batch_id", _ID, nullable=True),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("cartons", sa.JSON(), nullable=False),
        sa.Column("holds", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("child_ticket", sa.String(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["ticket.ticket_id"], name=op.f("fk_usage_decision_ticket_id")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_usage_decision_batch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_decision")),
    )
    op.create_index("ix_usage_decision_ticket_id", "usage_decision", ["ticket_id"])
    op.create_index("ix_usage_decision_batch_id", "usage_decision", ["batch_id"])
    op.create_table(
        "signature",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("decision_id", _ID, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["usage_decision.id"], name=op.f("fk_signature_decision_id")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["signing_key.key_id"], name=op.f("fk_signature_key_id")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_signature")),
    )
    op.create_index("ix_signature_decision_id", "signature", ["decision_id"])
    op.create_table(
        "ticket_link",
        sa.Column("child", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["child"], ["ticket.ticket_id"], name=op.f("fk_ticket_link_child")),
        sa.ForeignKeyConstraint(
            ["parent"], ["ticket.ticket_id"], name=op.f("fk_ticket_link_parent")
        ),
        sa.PrimaryKeyConstraint("child", name=op.f("pk_ticket_link")),
    )
    op.create_index("ix_ticket_link_parent", "ticket_link", ["parent"])


def downgrade() -> None:
    op.drop_table("ticket_link")
    op.drop_table("signature")
    op.drop_table("usage_decision")
    op.drop_table("signing_key")
