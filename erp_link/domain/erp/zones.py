"""From the lines of a move to what it means to an ERP: which goods went from which zone to which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contracts.stock import StockStatus
from erp_link.domain.erp.messages import Zone
from erp_link.domain.moves import Line, Place
from erp_link.domain.places import CUSTOMER_ACCOUNT, SUPPLIER_ACCOUNT, is_account

_QUOTAS = "@quota/"
_MAY_LEAVE = frozenset({StockStatus.UNRESTRICTED, StockStatus.IN_TRANSIT})


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """`quantity` units of a batch, from one zone to another."""

    batch_id: int
    source: Zone
    target: Zone
    quantity: int


def zone_of(place: Place) -> Zone:
    """Stock lent to a device is the house's until it is shipped."""
    if place.location == SUPPLIER_ACCOUNT:
        return Zone.SUPPLIER
    if place.location == CUSTOMER_ACCOUNT:
        return Zone.CUSTOMER
    if place.location.startswith(_QUOTAS):
        return Zone.FREE
    if is_account(place.location):
        return Zone.ELSEWHERE
    return Zone.FREE if place.status in _MAY_LEAVE else Zone.QUARANTINE


def flows(lines: Sequence[Line]) -> list[Flow]:
    """What the lines of one event moved between zones; nothing for moves inside one."""
    sums: dict[int, dict[Zone, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        sums[line.batch_id][zone_of(line.place)] += line.quantity
    return [flow for batch_id in sorted(sums) for flow in _flows_of(batch_id, sums[batch_id])]


def _flows_of(batch_id: int, zones: Mapping[Zone, int]) -> list[Flow]:
    given = {zone: -change for zone, change in sorted(zones.items()) if change < 0}
    found: list[Flow] = []
    for target, change in sorted(zones.items()):
        left = change
        for source, there in list(given.items()):
            part = min(left, there)
            if part > 0:
                found.append(Flow(batch_id, source, target, part))
                given[source] -= part
                left -= part
    return found
