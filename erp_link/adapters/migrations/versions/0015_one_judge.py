"""who judges which batch, what was said under whom, what is judged again, what ran on which box"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> Iterable[sa.Column[str]]:
    return (sa.Column(name, sa.String(), nullable=False) for name in names)


def _wholes(*names: str) -> Iterable[sa.Column[int]]:
    return (sa.Column(name, sa.BigInteger(), nullable=False) for name in names)


def _small(*names: str) -> Iterable[sa.Column[int]]:
    return (sa.Column(name, sa.Integer(), nullable=False) for name in names)


def _texts_of_json(*names: str) -> Iterable[sa.Column[object]]:
    return (sa.Column(name, sa.JSON(), nullable=False) for name in names)


def _batch(table: str, *, known: bool = True) -> tuple[sa.Column[int], sa.ForeignKeyConstraint]:
    name = op.f(f"fk_{table}_batch_id")
    return (
        sa.Column("batch_id", _Id, nullable=not known),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=name),
    )


def upgrade() -> None:
    op.create_table(
        "judge_pin",
        *_batch("judge_pin"),
        *_small("generation"),
        *_texts("judge"),
        *_texts_of_json("parts"),
        *_wholes("made_at"),
        *_texts("made_by", "why"),
        sa.CheckConstraint("generation >= 1", name=op.f("ck_judge_pin_counts_from_one")),
        sa.PrimaryKeyConstraint("batch_id", "generation", name=op.f("pk_judge_pin")),
    )
    op.create_index("ix_judge_pin_made_at", "judge_pin", ["made_at"])
    op.create_table(
        "session_pin",
        *_texts("session", "model_set"),
        *_wholes("made_at"),
        *_texts("made_by"),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_session_pin")),
    )
    op.create_table(
        "judgement",
        sa.Column("id", _Id, autoincrement=True, nullable=False),
        *_texts("carton_id"),
        *_batch("judgement", known=False),
        *_texts("kind", "judge"),
        *_small("generation", "provisional"),
        *_texts("standing", "decision", "station", "device"),
        *_wholes("seq", "at"),
        *_texts("picture"),
        *_texts_of_json("model_sets"),
        *_texts("variant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgement")),
    )
    op.create_index("ix_judgement_carton_id", "judgement", ["carton_id"])
    op.create_index("ix_judgement_batch_id_generation", "judgement", ["batch_id", "generation"])
    op.create_table(
        "rejudge",
        *_texts("carton_id"),
        *_small("generation"),
        *_batch("rejudge"),
        *_texts("station", "picture", "state"),
        *_wholes("asked_at"),
        sa.Column("done_at", sa.BigInteger()),
        *_texts("ticket_id"),
        sa.PrimaryKeyConstraint("carton_id", "generation", name=op.f("pk_rejudge")),
    )
    op.create_index("ix_rejudge_state_station", "rejudge", ["state", "station"])
    op.create_index("ix_rejudge_batch_id", "rejudge", ["batch_id"])
    _stories()


def _stories() -> None:
    op.create_table(
        "box_sets",
        *_texts("device"),
        *_wholes("seq", "at"),
        *_texts("station"),
        *_texts_of_json("before", "after", "variant"),
        *_texts("why"),
        *_wholes("epoch", "sequence"),
        *_texts("rollout"),
        *_texts_of_json("notes"),
        sa.PrimaryKeyConstraint("device", "seq", name=op.f("pk_box_sets")),
    )
    op.create_index("ix_box_sets_at", "box_sets", ["at"])
    op.create_table(
        "shadow_result",
        *_texts("device"),
        *_wholes("seq", "at"),
        *_texts("station", "carton_id", "rollout", "lane", "model_set", "running"),
        *_texts("said", "stood"),
        *_small("harmful", "late"),
        *_texts("error"),
        sa.Column("elapsed_ms", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("device", "seq", name=op.f("pk_shadow_result")),
    )
    op.create_index(
        "ix_shadow_result_rollout_device_seq", "shadow_result", ["rollout", "device", "seq"]
    )


def downgrade() -> None:
    for name in (
        "shadow_result",
        "box_sets",
        "rejudge",
        "judgement",
        "session_pin",
        "judge_pin",
    ):
        op.drop_table(name)
