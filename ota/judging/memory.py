"""Pins in memory: meets `contracts.ports.Pins`, for simulations and tests."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from contracts.errors import BadInputError, ConflictError
from contracts.judging import Pin, SessionPin, judge_digest
from contracts.stock import BatchKey
from ota.judging.station import goods_parts


class MemoryPins:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pins: dict[BatchKey, list[Pin]] = {}
        self._sessions: dict[str, SessionPin] = {}

    def pin(self, batch: BatchKey, parts: Mapping[str, str], *, by: str) -> Pin:  # noqa: ARG002 -- the port's: who asked is for stores that keep it
        with self._lock:
            known = self._pins.get(batch)
            if known is None:
                known = self._pins[batch] = [_made(batch, 1, parts)]
            return known[-1]

    def find(self, batch: BatchKey) -> Pin | None:
        pins = self._pins.get(batch)
        return pins[-1] if pins else None

    def history(self, batch: BatchKey) -> Sequence[Pin]:
        return tuple(self._pins.get(batch, ()))

    def next_generation(
        self,
        batch: BatchKey,
        parts: Mapping[str, str],
        *,
        after: int,
        by: str,  # noqa: ARG002 -- as above
        why: str,  # noqa: ARG002 -- as above
    ) -> Pin:
        with self._lock:
            pins = self._pins.get(batch, [])
            if not 1 <= after <= len(pins):
                raise no_generation(batch, after, len(pins))
            if after == len(pins):
                pins.append(_made(batch, after + 1, parts))
            return pins[after]

    def pin_session(self, session: str, model_set: str, *, by: str) -> SessionPin:  # noqa: ARG002 -- as above
        with self._lock:
            return self._sessions.setdefault(session, SessionPin(session, model_set))


def no_generation(batch: BatchKey, after: int, newest: int) -> ConflictError:
    """What to raise where a generation is to follow one that is not there."""
    return ConflictError(
        f"Batch {batch} has no generation {after}: its newest is {newest}",
        mend="Ask for its pin again, and follow that one",
        batch=str(batch),
        generation=newest,
    )


def _made(batch: BatchKey, generation: int, parts: Mapping[str, str]) -> Pin:
    own = goods_parts(parts)
    if not own:
        raise BadInputError(
            "A batch is pinned to a judge, and no set that judges goods is named",
            mend="Name at least one of inspect, cracks, profile, detector",
        )
    return Pin(batch, generation, judge_digest(own), own)
