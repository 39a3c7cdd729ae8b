"""What an engine keeps over a restart, as MessagePack."""

from __future__ import annotations

import msgspec

from contracts.errors import BadInputError
from contracts.telemetry import Calibration, SeriesKey
from telemetry.watching.conditions.memory import Memory

_VERSION = 1


class SavedSeries(msgspec.Struct, array_like=True):
    key: SeriesKey
    unit: str
    site: str
    place: str
    value: float
    at_us: int
    calibration: Calibration = Calibration()


class SavedState(msgspec.Struct):
    now: int
    series: list[SavedSeries]
    conditions: dict[str, Memory]
    """Those that know more than that nothing was wrong so far."""
    heads: list[str]
    """Which fences were in force."""
    version: int = _VERSION


def encode(state: SavedState) -> bytes:
    return msgspec.msgpack.encode(state)


def decode(data: bytes) -> SavedState:
    """Raises BadInputError."""
    try:
        state = msgspec.msgpack.decode(data, type=SavedState)
    except msgspec.MsgspecError as error:
        raise BadInputError(
            f"The state of the fences cannot be read: {error}",
            mend="Go through the segments again from their beginning",
        ) from error
    if state.version != _VERSION:
        raise BadInputError(
            f"The state of the fences is of version {state.version}, this is {_VERSION}",
            mend="Go through the segments again from their beginning",
        )
    return state
