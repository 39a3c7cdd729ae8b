"""Which sensors a fence is about: where they stand, and where goods are now.

A sensor stands in a location, or in a zone and then speaks for every location of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from telemetry.describing.series import Series
from telemetry.watching.fences import Scope, ScopeKind


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What the core says of places and goods, as of the newest bundle."""

    zones: Mapping[str, str] = field(default_factory=dict)
    """Zone of a location."""
    products: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Locations that hold a GTIN now."""
    batches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Locations that hold a batch `supplier/GTIN/lot` now."""


def covers(scope: Scope, facts: Series, where: Whereabouts) -> bool:
    """Whether a sensor is within a scope."""
    match scope.kind:
        case ScopeKind.SITE:
            return True
        case ScopeKind.DEVICE:
            return facts.key.device == scope.name
        case ScopeKind.ZONE:
            return facts.place != "" and scope.name in {facts.place, where.zones.get(facts.place)}
    holding = {
        ScopeKind.PLACE: (scope.name,),
        ScopeKind.PRODUCT: where.products.get(scope.name, ()),
        ScopeKind.BATCH: where.batches.get(scope.name, ()),
    }
    return any(_speaks_for(facts.place, location, where) for location in holding[scope.kind])


def _speaks_for(place: str, location: str, where: Whereabouts) -> bool:
    return place != "" and place in {location, where.zones.get(location)}
