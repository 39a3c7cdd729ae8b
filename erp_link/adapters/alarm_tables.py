"""Tables of the building's alarms and of what they did to goods.

`alarm` and `excursion` are how things stand; `alarm_change` is what a gateway told, and only grows.
Times that sensors told are microseconds as they came (`_us`), for a sensor's clock may be anything.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, String, Table

from erp_link.adapters.tables import UtcMicros, metadata

alarm = Table(
    "alarm",
    metadata,
    Column("alarm_id", String, primary_key=True),
    Column("gateway", String, nullable=False),
    Column("state", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("fence", String, nullable=False),
    Column("fence_version", Integer, nullable=False),
    Column("fence_sha256", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("effect", String, nullable=False),
    Column("sensor", String, nullable=False),
    Column("quantity", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("site", String, nullable=False),
    Column("place", String, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("value", Float),
    Column("limit", Float),
    Column("worst", Float),
    Column("escalated", Integer, nullable=False, default=0),
    Column("batch", String, nullable=False, default=""),
    Column("product", String, nullable=False, default=""),
    Column("calibration", JSON, nullable=False),
    Column("ticket_id", String, nullable=False, default=""),
    Column("excursion_id", String, nullable=False, default=""),
    Column("heard_at", UtcMicros, nullable=False),
    Column("acknowledged_at", UtcMicros),
    Column("acknowledged_by", String, nullable=False, default=""),
    Column("note", String, nullable=False, default=""),
    Index("ix_alarm_state_since_us", "state", "since_us"),
)

alarm_change = Table(
    "alarm_change",
    metadata,
    Column("alarm_id", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("change", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("value", Float),
    Column("worst", Float),
    Column("trace", JSON, nullable=False),
    Column("gateway", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("heard_at", UtcMicros, nullable=False),
)

excursion = Table(
    "excursion",
    metadata,
    Column("excursion_id", String, primary_key=True),
    Column("alarm_id", ForeignKey("alarm.alarm_id"), nullable=False, unique=True),
    Column("state", String, nullable=False),
    Column("begun_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger, nullable=False),
    Column("opened_at", UtcMicros, nullable=False),
    Column("closed_at", UtcMicros),
    Column("measured_at", UtcMicros, nullable=False),
    # The newest entry of the history that the measuring knew: goods may be told late.
    Column("measured_event", BigInteger, nullable=False),
    Column("settled", Integer, nullable=False, default=0),
)

excursion_batch = Table(
    "excursion_batch",
    metadata,
    Column("excursion_id", ForeignKey("excursion.excursion_id"), primary_key=True),
    Column("batch_id", ForeignKey("batch.id"), primary_key=True),
    Column("quantity", BigInteger, nullable=False),
    Column("present", JSON, nullable=False),
    Column("present_s", BigInteger, nullable=False),
    Column("outside_s", BigInteger, nullable=False),
    Column("unmeasured_s", BigInteger, nullable=False),
    Column("assumed_s", BigInteger, nullable=False),
    Column("earlier_s", BigInteger, nullable=False),
    Column("least", Float),
    Column("most", Float),
    Column("kinetic", Float),
    Column("limits", JSON, nullable=False),
    Column("beyond", Integer, nullable=False),
    Column("code", String, nullable=False),
    Column("params", JSON, nullable=False),
    Column("hold_id", String, nullable=False, default=""),
    Column("ticket_id", String, nullable=False, default=""),
    Index("ix_excursion_batch_batch_id", "batch_id"),
)

excursion_limits = Table(
    "excursion_limits",
    metadata,
    # A GTIN, or `class:` and a temperature class for every product without its own.
    Column("subject", String, primary_key=True),
    *(
        Column(name, Float)
        for name in ("low", "high", "floor", "ceiling", "kinetic", "usual", "activation_kj_mol")
    ),
    Column("allowed_minutes", Integer, nullable=False),
    Column("kinetic_hours", Integer, nullable=False),
    Column("set_at", UtcMicros, nullable=False),
    Column("set_by", String, nullable=False),
)

zone_place = Table(
    "zone_place",
    metadata,
    Column("location", String, primary_key=True),
    Column("zone", String, nullable=False),
)
