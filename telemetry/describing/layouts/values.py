"""Values that need a look: words for states, units named by the message, moments in ISO 8601."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from telemetry.describing.binding import Refused
from telemetry.describing.layouts.paths import number
from telemetry.describing.layouts.source import Fields, Slot, beyond
from telemetry.units import UnitError, conversion


def stated(value: object, states: Mapping[str, float], word: str) -> float:
    """A state's number, from its word, from true or false, or said as that number."""
    if isinstance(value, bool):
        value = states.get("true" if value else "false", float(value))
    if isinstance(value, str):
        if value not in states:
            raise Refused("unknown_state", f"{word} is {value!r}; known: {', '.join(states)}")
        return states[value]
    return number(value, word)


def said_in(value: float, said: object, unit: str, word: str) -> float:
    """The value in `unit`, where the message names the unit it is in."""
    try:
        return value if said == unit else conversion(str(said), unit)(value)
    except UnitError as error:
        raise Refused("unit_mismatch", f"{word}: {error.message}") from None


def moment(said: str) -> int:
    """ISO 8601 with its zone -> microseconds since 1970 UTC."""
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise Refused("wrong_type", f"time {said!r} is not ISO 8601") from None
    if at.tzinfo is None:
        raise Refused("wrong_type", f"time {said!r} has no zone")
    return round(at.timestamp() * 1_000_000)


def described(slot: Slot, value: float, fields: Fields | None) -> float:
    """A value in its measure's unit, looked at and said in the quantity's own. Kept in `fields`
    where it is tried out. Raises Refused.
    """
    measure = slot.measure
    if fields is not None:
        fields[measure.word] = value
    low, high = measure.range or (-1e300, 1e300)
    if not low <= value <= high and fields is None:
        raise beyond(measure.word, value, low, high)
    return slot.conversion(value)
