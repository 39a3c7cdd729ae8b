"""What a field is called, and how it is spelled, in each edition of the standard. Pure.

Our own names follow 3.0 in snake case. A field that is called so in every edition needs nothing;
the others carry a `Named` or a `Form` in their annotation, beside what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum


class Dialect(Enum):
    """2.0 and 2.1 differ by added fields only; 3.0 renames. The value is the topic's major."""

    V2 = "v2"
    V3 = "v3"


class Edition(Enum):
    """The editions whose official schemas we read and write by."""

    V2_0 = "2.0"
    V2_1 = "2.1"
    V3_0 = "3.0"

    @property
    def dialect(self) -> Dialect:
        return Dialect.V3 if self is Edition.V3_0 else Dialect.V2


_CAMEL = ""
"""The field's own name in camel case."""
_AS_2_1 = "as 2.1"


@dataclass(frozen=True, slots=True)
class Named:
    """Wire names where they are not simply the field's own; None: the edition lacks the field."""

    v2: str | None = _CAMEL
    v3: str | None = _CAMEL
    v2_0: str | None = _AS_2_1

    def names(self, attribute: str) -> dict[Edition, str | None]:
        own = camel(attribute)
        v2_0 = self.v2 if self.v2_0 == _AS_2_1 else self.v2_0
        raw = {Edition.V2_0: v2_0, Edition.V2_1: self.v2, Edition.V3_0: self.v3}
        return {edition: own if name == _CAMEL else name for edition, name in raw.items()}


SINCE_2_1 = Named(v2_0=None)
SINCE_3 = Named(v2=None)
ONLY_2 = Named(v3=None)


@dataclass(frozen=True, slots=True)
class Form:
    """A value that 2.x writes in another way than 3.0, which is ours.

    `read` makes ours of either form and leaves alone what it does not know; `write` makes 2.x's.
    """

    read: Callable[[object], object]
    write: Callable[[object], object]


def spelled(**theirs: str) -> Form:
    """Words that 2.x spells otherwise: `spelled(TEACH_IN="TEACHIN")`, ours on the left."""
    ours = {their: our for our, their in theirs.items()}
    return Form(_replacing(ours), _replacing(theirs))


def _replacing(words: Mapping[str, str]) -> Callable[[object], object]:
    def replace(value: object) -> object:
        return words.get(value, value) if isinstance(value, str) else value

    return replace


def camel(attribute: str) -> str:
    first, *rest = attribute.split("_")
    return first + "".join(part.capitalize() for part in rest)
