"""Rollouts' records as JSON: what a store keeps, and pages and programs read."""

from __future__ import annotations

import msgspec

from contracts.errors import BadInputError
from ota.rollout.events import KIND_OF, KINDS, Event

_encoder = msgspec.json.Encoder(order="deterministic")
_decoders = {kind: msgspec.json.Decoder(event) for kind, event in KINDS.items()}


def encode(event: Event) -> tuple[str, bytes]:
    """(kind, JSON) of an event."""
    return KIND_OF[type(event)], _encoder.encode(event)


def decode(kind: str, body: bytes | str) -> Event:
    """Raises BadInputError for what no version up to this one wrote."""
    try:
        event: Event = _decoders[kind].decode(body)
    except (KeyError, msgspec.MsgspecError) as error:
        raise BadInputError(
            f"A rollout's event of kind {kind[:40]!r} cannot be read: {error}",
            mend="It was written by a newer version; start that one",
        ) from error
    return event
