"""The core's tables, for SQLite and PostgreSQL alike.

Append-only: event, move_line, device_log, progress. Projections kept in the same transaction:
stock, carton, session_line. Times are microseconds since 1970 UTC; quantities are integers.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UtcMicros(TypeDecorator[datetime]):
    """An aware UTC time as integer microseconds: the same bytes on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 -- SQLAlchemy's signature
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives out row ids only for a column declared INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")


def new_id() -> Column[int]:
    return Column("id", _Id, primary_key=True, autoincrement=True)


guard = Table(
    "guard",
    metadata,
    Column("kind", String, primary_key=True),
    Column("ref", String, primary_key=True),
    Column("open_holds", Integer, nullable=False, default=0),
    Column("generation", Integer, nullable=False, default=0),
    CheckConstraint("open_holds >= 0", name="not_negative"),
)

batch = Table(
    "batch",
    metadata,
    new_id(),
    Column("supplier", String, nullable=False),
    Column("gtin", String, nullable=False),
    Column("lot", String, nullable=False),
    Column("description", String, nullable=False, default=""),
    Column("expiry", Date),
    UniqueConstraint("supplier", "gtin", "lot"),
)

asn = Table(
    "asn",
    metadata,
    Column("number", String, primary_key=True),
    Column("supplier", String, nullable=False),
    Column("digest", String, nullable=False),
    Column("imported_at", UtcMicros, nullable=False),
    Column("imported_by", String, nullable=False),
)

asn_line = Table(
    "asn_line",
    metadata,
    Column("asn", ForeignKey("asn.number"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("batch_id", ForeignKey("batch.id"), nullable=False),
    Column("expiry", Date, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("unit", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("description", String, nullable=False),
    Column("order_ref", String, nullable=False),
    Column("stated", BigInteger, nullable=False, default=0),
    Column("stated_unit", String, nullable=False, default=""),
    CheckConstraint("quantity > 0", name="positive"),
)

session = Table(
    "session",
    metadata,
    new_id(),
    Column("asn", ForeignKey("asn.number"), nullable=False),
    Column("dock", String, nullable=False),
    Column("opened_at", UtcMicros, nullable=False),
    Column("opened_by", String, nullable=False),
    Column("closed_at", UtcMicros),
    Column("closed_by", String, nullable=False, default=""),
)

session_line = Table(
    "session_line",
    metadata,
    Column("session_id", ForeignKey("session.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("counted", Integer, nullable=False, default=0),
    Column("damaged", Integer, nullable=False, default=0),
    Column("in_review", Integer, nullable=False, default=0),
)

carton = Table(
    "carton",
    metadata,
    Column("carton_id", String, primary_key=True),
    Column("session_id", ForeignKey("session.id")),
    Column("line_number", Integer),
    Column("batch_id", ForeignKey("batch.id")),
    Column("state", String, nullable=False),
    Column("off_list", Integer, nullable=False, default=0),
    Column("location", String, nullable=False),
    Column("status", String, nullable=False),
    Column("cause", String, nullable=False, default=""),
    Column("station", String, nullable=False),
    Column("device", String, nullable=False),
    Column("judged_at", UtcMicros, nullable=False),
    Column("printed", JSON, nullable=False),
    Column("quantity", BigInteger, nullable=False, default=1),
    Index("ix_carton_batch_location", "batch_id", "location"),
    Index("ix_carton_session", "session_id"),
)

location = Table(
    "location",
    metadata,
    Column("code", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("capacity", Integer, nullable=False, default=0),
    Column("used", Integer, nullable=False, default=0),
    Column("batch_id", ForeignKey("batch.id")),
    Column("position", Integer, nullable=False, default=0),
    Column("temperature", String, nullable=False, default="ambient"),
    CheckConstraint("used >= 0", name="not_negative"),
)

stock = Table(
    "stock",
    metadata,
    Column("batch_id", ForeignKey("batch.id"), primary_key=True),
    Column("location", String, primary_key=True),
    Column("status", String, primary_key=True),
    Column("quantity", BigInteger, nullable=False, default=0),
    Column("reserved", BigInteger, nullable=False, default=0),
    CheckConstraint("quantity >= 0", name="not_negative"),
    CheckConstraint("reserved >= 0 AND reserved <= quantity", name="reserved_on_hand"),
)

event = Table(
    "event",
    metadata,
    new_id(),
    Column("at", UtcMicros, nullable=False),
    Column("what", String, nullable=False),
    Column("by", String, nullable=False),
    Column("batch_id", ForeignKey("batch.id")),
    Column("session_id", ForeignKey("session.id")),
    Column("reference", String, nullable=False, default=""),
    Column("code", String, nullable=False),
    Column("params", JSON, nullable=False),
    # The transaction that wrote the row, on PostgreSQL: the order of the feed (service/feed.py).
    Column("txid", BigInteger, nullable=False, server_default=text("0")),
    Index("ix_event_batch_id_id", "batch_id", "id"),
    # What moved since an excursion began (service/excursions/whereabouts.py).
    Index("ix_event_at", "at"),
    # SQLite needs no order but the number: there the index has no rows.
    Index("ix_event_txid_id", "txid", "id", sqlite_where=text("txid > 0")),
)

move_line = Table(
    "move_line",
    metadata,
    new_id(),
    Column("event_id", ForeignKey("event.id"), nullable=False),
    Column("batch_id", ForeignKey("batch.id"), nullable=False),
    Column("location", String, nullable=False),
    Column("status", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Index("ix_move_line_batch_id", "batch_id"),
    Index("ix_move_line_event_id", "event_id"),
)

hold = Table(
    "hold",
    metadata,
    Column("hold_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("batch_id", ForeignKey("batch.id")),
    Column("location", String, nullable=False, default=""),
    Column("supplier", String, nullable=False, default=""),
    Column("cartons", JSON, nullable=False),
    Column("code", String, nullable=False),
    Column("params", JSON, nullable=False),
    Column("raised_by", String, nullable=False),
    Column("raised_at", UtcMicros, nullable=False),
    Column("at_risk", JSON, nullable=False),
    Column("released_at", UtcMicros),
    Column("released_by", String, nullable=False, default=""),
    Column("release_reason", String, nullable=False, default=""),
    Column("quantity", BigInteger, nullable=False, default=0),
    Index("ix_hold_batch_id", "batch_id"),
)

ticket = Table(
    "ticket",
    metadata,
    Column("ticket_id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("batch_id", ForeignKey("batch.id")),
    Column("code", String, nullable=False),
    Column("params", JSON, nullable=False),
    Column("opened_at", UtcMicros, nullable=False),
    Column("due_at", UtcMicros, nullable=False),
    Column("owner", String, nullable=False, default=""),
    Column("carton_id", String, nullable=False, default=""),
    Column("device", String, nullable=False, default=""),
    Column("station", String, nullable=False, default=""),
    Column("score", Float),
    Column("threshold", Float),
    Column("model_sets", JSON, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("decision", String),
    Column("kind", String, nullable=False),
    Column("cartons", JSON, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("regions", JSON, nullable=False),
    Index("ix_ticket_batch_id", "batch_id"),
    Index("ix_ticket_carton_id", "carton_id"),
)

ticket_hold = Table(
    "ticket_hold",
    metadata,
    Column("ticket_id", ForeignKey("ticket.ticket_id"), primary_key=True),
    Column("hold_id", ForeignKey("hold.hold_id"), primary_key=True),
    Index("ix_ticket_hold_hold_id", "hold_id"),
)

ticket_event = Table(
    "ticket_event",
    metadata,
    new_id(),
    Column("ticket_id", ForeignKey("ticket.ticket_id"), nullable=False),
    Column("at", UtcMicros, nullable=False),
    Column("by", String, nullable=False),
    Column("what", String, nullable=False),
    Column("note", String, nullable=False, default=""),
    Index("ix_ticket_event_ticket_id", "ticket_id"),
)

reservation = Table(
    "reservation",
    metadata,
    new_id(),
    Column("order_ref", String, nullable=False),
    Column("batch_id", ForeignKey("batch.id"), nullable=False),
    Column("location", String, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("made_by", String, nullable=False),
    Column("made_at", UtcMicros, nullable=False),
    Column("line_number", Integer),
    CheckConstraint("quantity > 0", name="positive"),
    Index("ix_reservation_batch_id_state", "batch_id", "state"),
    Index("ix_reservation_order_ref", "order_ref"),
)

transport = Table(
    "transport",
    metadata,
    new_id(),
    Column("order_id", String, nullable=False, unique=True),
    Column("load_id", String, nullable=False),
    Column("source", String, nullable=False),
    Column("target", String, nullable=False),
    Column("batch_id", ForeignKey("batch.id")),
    Column("state", String, nullable=False),
    Column("vehicle", String, nullable=False, default=""),
    Column("slot_claimed", Integer, nullable=False, default=0),
    Column("attempt", Integer, nullable=False, default=1),
    Column("requested_at", UtcMicros, nullable=False),
    Column("sent_at", UtcMicros),
    Column("kind", String, nullable=False, default="put_away"),
    Column("on_board", String, nullable=False, default=""),
    Column("stop_code", String, nullable=False, default=""),
    Column("stop_params", JSON),
    Index("ix_transport_state", "state"),
    Index("ix_transport_load_id", "load_id"),
)

progress = Table(
    "progress",
    metadata,
    Column("vehicle", String, primary_key=True),
    Column("order_id", String, primary_key=True),
    Column("action", String, primary_key=True),
    Column("at", UtcMicros, nullable=False),
)

device = Table(
    "device",
    metadata,
    Column("device", String, primary_key=True),
    Column("seq", BigInteger, nullable=False, default=0),
    Column("hash", String, nullable=False, default=""),
    Column("last_at", UtcMicros),
    Column("seen_at", UtcMicros),
    Column("boot", String, nullable=False, default=""),
    Column("station", String, nullable=False, default=""),
    Column("version", String, nullable=False, default=""),
    Column("model_sets", JSON, nullable=False),
    Column("cameras", JSON, nullable=False),
)

device_log = Table(
    "device_log",
    metadata,
    Column("device", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("hash", String, nullable=False),
    Column("kind", String, nullable=False),
)

command = Table(
    "command",
    metadata,
    Column("key", String, primary_key=True),
    Column("request_hash", String, nullable=False),
    Column("result", JSON),
    Column("at", UtcMicros, nullable=False),
)

counter = Table(
    "counter",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False, default=0),
)
