"""alarms of the building, excursions of goods, zones of places"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> Iterable[sa.Column[str]]:
    return (sa.Column(name, sa.String(), nullable=False) for name in names)


def _numbers(*names: str) -> Iterable[sa.Column[float]]:
    return (sa.Column(name, sa.Float()) for name in names)


def _wholes(*names: str) -> Iterable[sa.Column[int]]:
    return (sa.Column(name, sa.BigInteger(), nullable=False) for name in names)


def _small(*names: str) -> Iterable[sa.Column[int]]:
    return (sa.Column(name, sa.Integer(), nullable=False) for name in names)


def _texts_of_json(*names: str) -> Iterable[sa.Column[object]]:
    return (sa.Column(name, sa.JSON(), nullable=False) for name in names)


def upgrade() -> None:
    op.create_table(
        "alarm",
        *_texts("alarm_id", "gateway", "state"),
        *_small("number"),
        *_texts("fence"),
        *_small("fence_version"),
        *_texts(
            "fence_sha256", "kind", "severity", "effect", "sensor", "quantity", "channel", "unit",
            "site", "place",
        ),
        *_wholes("since_us", "at_us"),
        *_numbers("value", "limit", "worst"),
        *_small("escalated"),
        *_texts("batch", "product"),
        *_texts_of_json("calibration"),
        *_texts("ticket_id", "excursion_id"),
        *_wholes("heard_at"),
        sa.Column("acknowledged_at", sa.BigInteger()),
        *_texts("acknowledged_by", "note"),
        sa.PrimaryKeyConstraint("alarm_id", name=op.f("pk_alarm")),
    )  # fmt: skip
    op.create_index("ix_alarm_state_since_us", "alarm", ["state", "since_us"])
    op.create_table(
        "alarm_change",
        *_texts("alarm_id"),
        *_small("number"),
        *_texts("change"),
        *_wholes("at_us"),
        *_numbers("value", "worst"),
        *_texts_of_json("trace"),
        *_texts("gateway"),
        *_wholes("seq", "heard_at"),
        sa.PrimaryKeyConstraint("alarm_id", "number", name=op.f("pk_alarm_change")),
    )
    op.create_table(
        "excursion",
        *_texts("excursion_id", "alarm_id", "state"),
        *_wholes("begun_us", "ended_us", "opened_at"),
        sa.Column("closed_at", sa.BigInteger()),
        *_wholes("measured_at", "measured_event"),
        *_small("settled"),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["alarm.alarm_id"], name=op.f("fk_excursion_alarm_id")
        ),
        sa.PrimaryKeyConstraint("excursion_id", name=op.f("pk_excursion")),
        sa.UniqueConstraint("alarm_id", name=op.f("uq_excursion_alarm_id")),
    )
    op.create_table(
        "excursion_batch",
        *_texts("excursion_id"),
        sa.Column("batch_id", _Id, nullable=False),
        *_wholes("quantity"),
        *_texts_of_json("present"),
        *_wholes("present_s", "outside_s", "unmeasured_s", "assumed_s", "earlier_s"),
        *_numbers("least", "most", "kinetic"),
        *_texts_of_json("limits"),
        *_small("beyond"),
        *_texts("code"),
        *_texts_of_json("params"),
        *_texts("hold_id", "ticket_id"),
        sa.ForeignKeyConstraint(
            ["excursion_id"],
            ["excursion.excursion_id"],
            name=op.f("fk_excursion_batch_excursion_id"),
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batch.id"], name=op.f("fk_excursion_batch_batch_id")
        ),
        sa.PrimaryKeyConstraint("excursion_id", "batch_id", name=op.f("pk_excursion_batch")),
    )
    op.create_index("ix_excursion_batch_batch_id", "excursion_batch", ["batch_id"])
    op.create_table(
        "excursion_limits",
        *_texts("subject"),
        *_numbers("low", "high", "floor", "ceiling", "kinetic", "usual", "activation_kj_mol"),
        *_small("allowed_minutes", "kinetic_hours"),
        *_wholes("set_at"),
        *_texts("set_by"),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_excursion_limits")),
    )
    op.create_table(
        "zone_place",
        *_texts("location", "zone"),
        sa.PrimaryKeyConstraint("location", name=op.f("pk_zone_place")),
    )
    # What moved since an excursion began is asked by time, not by going through the whole history.
    op.create_index("ix_event_at", "event", ["at"])


def downgrade() -> None:
    op.drop_index("ix_event_at", "event")
    for name in (
        "zone_place",
        "excursion_limits",
        "excursion_batch",
        "excursion",
        "alarm_change",
        "alarm",
    ):
        op.drop_table(name)
