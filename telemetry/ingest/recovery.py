"""What a start does with the segments: know messages again, and bring the rules up to date."""

from __future__ import annotations

import logging

from contracts.errors import BadInputError
from contracts.telemetry import AlarmChanged
from telemetry.ingest.counts import Counts
from telemetry.ingest.judging import pass_time
from telemetry.ingest.sieve import Sieve
from telemetry.ingest.store import Store
from telemetry.ports import Engine
from telemetry.segments.files import START, Position
from telemetry.segments.reading import Damage

_log = logging.getLogger(__name__)


def recover(
    store: Store, sieve: Sieve, engine: Engine, counts: Counts, now_us: int
) -> tuple[list[AlarmChanged], int]:
    """(changes that may not have been told yet, newest time of arrival). Blocking.

    The newest part of the segments is read so that messages are known again; the rules see what
    came after their checkpoint, in the same groups with the same times as the first time (I2).
    """
    after, untold = _restore(store, engine)
    newest_us = now_us

    def note(damage: Damage) -> None:
        counts.damaged_bytes += damage.length
        _log.error(
            "Segment %d is damaged at byte %d: %d bytes are passed over",
            damage.segment, damage.offset, damage.length,
        )  # fmt: skip

    for group in store.newest_groups(after, note):
        newest_us = max(newest_us, group.received_us)
        if group.position <= after:
            sieve.remember(group.messages)
        else:
            pass_time(engine, group.received_us, counts)
            sieve.sift(group.messages, group.received_us, again=True)
            counts.replayed += len(group.messages)
    untold += engine.take_changes()
    engine.resume(newest_us)
    untold += engine.take_changes()
    return untold, newest_us


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
