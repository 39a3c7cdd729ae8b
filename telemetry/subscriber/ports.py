"""What the subscriber needs from outside: the one durable path."""

from telemetry.coap.ports import Takes

__all__ = ["Takes"]
