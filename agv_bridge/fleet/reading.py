"""Parts of messages that only the fleet view looks at, whether they are fields or kept in `extra`.

They are for the eye: what is missing or of the wrong kind is not there, and nothing is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

_UPPER = re.compile(r"(?<!^)(?=[A-Z])")
_FARTHEST_M = 1_000_000.0
"""A coordinate beyond this is none; it would push everything else off the map."""


def part(value: object, name: str) -> object | None:
    """The part `name` (camel case, as on the wire) of a message, of a part of one, or of JSON."""
    if isinstance(value, Mapping):
        return value.get(name)
    found: object | None = getattr(value, _UPPER.sub("_", name).lower(), None)
    if found is not None:
        return found
    extra = getattr(value, "extra", None)
    return extra.get(name) if isinstance(extra, Mapping) else None


def parts(value: object, name: str) -> Sequence[object]:
    """The list `name`; empty where it is none."""
    found = part(value, name)
    return found if isinstance(found, Sequence) and not isinstance(found, str | bytes) else ()


def number(value: object, name: str) -> float | None:
    """A finite number."""
    found = part(value, name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        as_float = float(found)
    except OverflowError:
        return None
    return as_float if math.isfinite(as_float) else None


def text(value: object, name: str) -> str:
    """A text; empty where there is none."""
    found = part(value, name)
    return found if isinstance(found, str) else ""


def point(value: object) -> tuple[float, float] | None:
    """`x` and `y` in metres."""
    x, y = number(value, "x"), number(value, "y")
    if x is None or y is None or max(abs(x), abs(y)) > _FARTHEST_M:
        return None
    return x, y
