"""Shipments against quotas granted beforehand (I1): what is beyond one was shipped all the same.

A device's shipments of one quota count in the order of its log, so which of them went beyond does
not depend on when the log came in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contracts.device_log import Shipped
from erp_link.domain.merge.entries import Entry


def beyond(shipments: Iterable[Entry], granted: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Of each shipment, by its entry, the units that its quota did not cover; only those that are
    not zero. `granted` is by device and quota: another device's quota covers nothing.
    """
    left = dict(granted)
    over: dict[str, int] = {}
    for entry in sorted(shipments, key=lambda e: (e.device, e.seq, e.entry_id)):
        if not isinstance(entry.fact, Shipped):
            raise TypeError(f"{entry.entry_id} is no shipment")
        key = (entry.device, entry.fact.quota)
        within = min(entry.fact.quantity, left.get(key, 0))
        left[key] = left.get(key, 0) - within
        if within < entry.fact.quantity:
            over[entry.entry_id] = entry.fact.quantity - within
    return over
