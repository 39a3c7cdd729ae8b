"""What a start does with the segments: know messages again, and bring the rules up to date."""

from __future__ import annotations

import logging

from contracts.errors import BadInputError
from contracts.telemetry import AlarmChanged
from telemetry.ingest.arrival import Arrival
from telemetry.ingest.counts import Counts
from telemetry.ingest.sieve import Sieve
from telemetry.ingest.store import Store
from telemetry.ports import Engine
from telemetry.segments.files import START, Position
from telemetry.segments.reading import Damage

_log = logging.getLogger(__name__)


def recover(
    store: Store, sieve: Sieve, engine: Engine, counts: Counts, arrival: Arrival, now_us: int
) -> list[AlarmChanged]:
    """Changes that may not have been told yet. Blocking.

    The newest part of the segments is read so that messages are known again; the rules see what
    came after their checkpoint, in the same groups with the same times as the first time (I2).
    """
    after, untold = _restore(store, engine)

    def note(damage: Damage) -> None:
        counts.damaged_bytes += damage.length
        _log.error(
            "Segment %d is damaged at byte %d: %d bytes are passed over",
            damage.segment, damage.offset, damage.length,
        )  # fmt: skip

    for group in store.newest_groups(after, note):
        if group.position <= after:
            sieve.remember(group.messages)
        else:
            arrival.come_to(group.received_us)
            sieve.sift(group.messages, group.received_us, again=True)
            counts.replayed += len(group.messages)
    untold += engine.take_changes()
    arrival.begin(now_us)
    untold += engine.take_changes()
    return untold


def _restore(store: Store, engine: Engine) -> tuple[Position, list[AlarmChanged]]:
    checkpoint = store.last_checkpoint()
    if checkpoint is None:
        return START, []
    try:
        engine.restore(checkpoint.state)
    except BadInputError as error:
        _log.warning("The rules start from the oldest segment kept: %s", error)
        return START, list(checkpoint.untold)
    return checkpoint.position, list(checkpoint.untold)
