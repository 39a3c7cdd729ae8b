"""Shipments against quotas granted beforehand (I1): what is beyond one was shipped all the same.

A device's shipments of one quota count in the order of its log, so which of them went beyond does
not depend on when the log came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from contracts.device_log import Shipped
from contracts.stock import BatchKey
from erp_link.domain.merge.entries import Entry


@dataclass(frozen=True, slots=True)
class Grant:
    """Units of a batch that one device may ship until a time, in microseconds since 1970 UTC."""

    device: str
    batch: BatchKey
    quantity: int
    expires_us: int


def beyond(shipments: Iterable[Entry], grants: Mapping[str, Grant]) -> dict[str, int]:
    """Of each shipment, by its entry, the units that its quota did not cover; only those that are
    not zero. `grants` are by the quota's id: it covers its own device's shipments of its own batch
    until it expires, by the time that the device wrote down.
    """
    left = {name: grant.quantity for name, grant in grants.items()}
    over: dict[str, int] = {}
    for entry in sorted(shipments, key=lambda e: (e.device, e.seq, e.entry_id)):
        if not isinstance(entry.fact, Shipped):
            raise TypeError(f"{entry.entry_id} is no shipment")
        quantity, quota = entry.fact.quantity, entry.fact.quota
        within = min(quantity, left[quota]) if _covers(grants.get(quota), entry, entry.fact) else 0
        if within:
            left[quota] -= within
        if within < quantity:
            over[entry.entry_id] = quantity - within
    return over


def _covers(grant: Grant | None, entry: Entry, shipped: Shipped) -> bool:
    return (
        grant is not None
        and grant.device == entry.device
        and grant.batch == shipped.batch
        and entry.at_us <= grant.expires_us
    )
