"""Tables of what goes out: how far each reader of the feed has come, EPCIS, webhooks, files."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from erp_link.adapters.tables import UtcMicros, metadata, new_id

feed_cursor = Table(
    "feed_cursor",
    metadata,
    Column("consumer", String, primary_key=True),
    Column("position", String, nullable=False),
    Column("moved_at", UtcMicros, nullable=False),
)

# After a restore into another PostgreSQL server: the events up to here go by their number alone.
feed_restore = Table(
    "feed_restore",
    metadata,
    new_id(),
    Column("last_old_event", BigInteger, nullable=False),
    Column("at", UtcMicros, nullable=False),
)

# EPCIS: the site's own events and those that partners sent. Append-only. The event as JSON text,
# just as it is given out again.
epcis_event = Table(
    "epcis_event",
    metadata,
    new_id(),
    Column("event_id", String, nullable=False, unique=True),
    Column("event_time", UtcMicros, nullable=False),
    Column("record_time", UtcMicros, nullable=False),
    Column("captured_by", String, nullable=False),
    Column("entry", BigInteger),
    Column("kind", String, nullable=False),
    Column("action", String, nullable=False),
    Column("biz_step", String, nullable=False),
    Column("disposition", String, nullable=False),
    Column("read_point", String, nullable=False),
    Column("biz_location", String, nullable=False),
    Column("prefixes", JSON, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_epcis_event_event_time_id", "event_time", "id"),
    Index("ix_epcis_event_record_time_id", "record_time", "id"),
)
epcis_key = Table(
    "epcis_key",
    metadata,
    Column("event", ForeignKey("epcis_event.id"), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("value", String, primary_key=True),
    Index("ix_epcis_key_value_event", "value", "event"),
)

# Webhooks. A secret is sealed with a key that no database holds.
webhook = Table(
    "webhook",
    metadata,
    new_id(),
    Column("url", String, nullable=False),
    Column("topics", JSON, nullable=False),
    Column("note", String, nullable=False, default=""),
    Column("state", String, nullable=False),
    Column("why", String, nullable=False, default=""),
    Column("made_by", String, nullable=False),
    Column("made_at", UtcMicros, nullable=False),
)
webhook_secret = Table(
    "webhook_secret",
    metadata,
    new_id(),
    Column("webhook_id", ForeignKey("webhook.id"), nullable=False),
    Column("sealed", String, nullable=False),
    Column("made_at", UtcMicros, nullable=False),
    Column("valid_until", UtcMicros),
    Index("ix_webhook_secret_webhook_id", "webhook_id"),
)
webhook_message = Table(
    "webhook_message",
    metadata,
    new_id(),
    Column("webhook_id", ForeignKey("webhook.id"), nullable=False),
    Column("event_id", ForeignKey("event.id"), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", UtcMicros, nullable=False),
    Column("made_at", UtcMicros, nullable=False),
    Column("ended_at", UtcMicros),
    Column("last_status", Integer),
    Column("last_error", String, nullable=False, default=""),
    UniqueConstraint("webhook_id", "event_id"),
    Index("ix_webhook_message_state_next_at", "state", "next_at"),
)

# Files for old systems: what a file holds is settled before it is written, so that writing it
# again after a crash gives the same file.
file_drop = Table(
    "file_drop",
    metadata,
    new_id(),
    Column("name", String, nullable=False, unique=True),
    Column("events", JSON, nullable=False),
    Column("made_at", UtcMicros, nullable=False),
    Column("written_at", UtcMicros),
)
