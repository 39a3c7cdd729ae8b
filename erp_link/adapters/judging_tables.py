"""Who judges which batch, what was said of each carton and under whom, and what ran on which box.

Append-only: judge_pin, session_pin, judgement, box_sets, shadow_result. `rejudge` is the list of what
is to be judged again, with where it stands.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
)

from erp_link.adapters.tables import UtcMicros, metadata, new_id

judge_pin = Table(
    "judge_pin",
    metadata,
    Column("batch_id", ForeignKey("batch.id"), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("judge", String, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("made_at", UtcMicros, nullable=False),
    Column("made_by", String, nullable=False),
    Column("why", String, nullable=False, default=""),
    CheckConstraint("generation >= 1", name="counts_from_one"),
    Index("ix_judge_pin_made_at", "made_at"),
)

session_pin = Table(
    "session_pin",
    metadata,
    Column("session", String, primary_key=True),
    Column("model_set", String, nullable=False),
    Column("made_at", UtcMicros, nullable=False),
    Column("made_by", String, nullable=False),
)

judgement = Table(
    "judgement",
    metadata,
    new_id(),
    Column("carton_id", String, nullable=False),
    Column("batch_id", ForeignKey("batch.id")),
    Column("kind", String, nullable=False),
    Column("judge", String, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("provisional", Integer, nullable=False, default=0),
    Column("standing", String, nullable=False),
    Column("decision", String, nullable=False),
    Column("station", String, nullable=False),
    Column("device", String, nullable=False),
    Column("seq", BigInteger, nullable=False, default=0),
    Column("at", UtcMicros, nullable=False),
    Column("picture", String, nullable=False, default=""),
    Column("model_sets", JSON, nullable=False),
    Column("variant", String, nullable=False, default=""),
    Index("ix_judgement_carton_id", "carton_id"),
    Index("ix_judgement_batch_id_generation", "batch_id", "generation"),
)

rejudge = Table(
    "rejudge",
    metadata,
    Column("carton_id", String, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("batch_id", ForeignKey("batch.id"), nullable=False),
    Column("station", String, nullable=False),
    Column("picture", String, nullable=False),
    Column("state", String, nullable=False),
    Column("asked_at", UtcMicros, nullable=False),
    Column("done_at", UtcMicros),
    Column("ticket_id", String, nullable=False, default=""),
    Index("ix_rejudge_state_station", "state", "station"),
    Index("ix_rejudge_batch_id", "batch_id"),
)

box_sets = Table(
    "box_sets",
    metadata,
    Column("device", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", UtcMicros, nullable=False),
    Column("station", String, nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    Column("variant", JSON, nullable=False),
    Column("why", String, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("rollout", String, nullable=False),
    Column("notes", JSON, nullable=False),
    Index("ix_box_sets_at", "at"),
)

shadow_result = Table(
    "shadow_result",
    metadata,
    Column("device", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", UtcMicros, nullable=False),
    Column("station", String, nullable=False),
    Column("carton_id", String, nullable=False),
    Column("rollout", String, nullable=False),
    Column("lane", String, nullable=False),
    Column("model_set", String, nullable=False),
    Column("running", String, nullable=False),
    Column("said", String, nullable=False),
    Column("stood", String, nullable=False),
    Column("harmful", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("error", String, nullable=False),
    Column("elapsed_ms", Float, nullable=False),
    Index("ix_shadow_result_rollout_device_seq", "rollout", "device", "seq"),
)
