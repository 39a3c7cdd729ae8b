"""What a part of a message is made of in one edition: its annotations, taken apart once. Pure."""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from msgspec.structs import fields

from agv_bridge.vda5050.messages.parts import Part
from agv_bridge.vda5050.naming import Edition, Form, Named, camel

_PLAIN = Named()


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of a part."""

    attribute: str
    camel: str
    """As the converter knows it, and as most editions call it."""
    own: str | None
    """What this edition calls it; None: it lacks it."""
    others: tuple[str, ...]
    """What other editions call it, where that differs."""
    kind: Any
    """Its type, or that of its items."""
    child: type[Part] | None
    """The same, where it is a part itself."""
    is_many: bool
    form: Form | None


def slots_of(kind: type[Part], edition: Edition) -> tuple[Slot, ...]:
    """The fields of a class of parts but `extra`."""
    return _slots(cast("Any", kind), edition)


@cache
def _slots(kind: Any, edition: Edition) -> tuple[Slot, ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        _slot(each.name, hints[each.name], edition) for each in fields(kind) if each.name != "extra"
    )


def _slot(attribute: str, hint: Any, edition: Edition) -> Slot:
    hint, named, form = _taken_apart(hint)
    bare, is_many = _without_none_and_tuple(hint)
    names = named.names(attribute)
    own = names[edition]
    others = sorted({name for name in names.values() if name and name != own})
    child = bare if isinstance(bare, type) and issubclass(bare, Part) else None
    return Slot(attribute, camel(attribute), own, tuple(others), bare, child, is_many, form)


def _taken_apart(hint: Any) -> tuple[Any, Named, Form | None]:
    if get_origin(hint) is not Annotated:
        return hint, _PLAIN, None
    kind, *notes = get_args(hint)
    named = next((note for note in notes if isinstance(note, Named)), _PLAIN)
    return kind, named, next((note for note in notes if isinstance(note, Form)), None)


def _without_none_and_tuple(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) in {Union, types.UnionType}:
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        if len(kinds) > 1:
            return hint, False
        hint = kinds[0]
    if get_origin(hint) is tuple:
        return get_args(hint)[0], True
    return hint, False
