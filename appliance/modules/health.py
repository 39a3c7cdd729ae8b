"""Module stations as rows of the health page: each with its counts, and what could not be used."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agv_bridge.bridge.modules import StationSeen
from appliance.modules.listener import ModuleListener
from appliance.web.ports import HealthItem
from contracts.reason import Reason

_DAY_S = 86_400.0


def module_items(listener: ModuleListener | None, *, now: datetime) -> Iterator[HealthItem]:
    """One row for the connection, one for each station."""
    if listener is None or listener.subscriber is None:
        return
    stations, inbox = listener.stations, listener.inbox
    refused, newest = stations.refused.total(), stations.last_refused
    up = listener.connected and not inbox.away
    yield HealthItem(
        "module",
        "MQTT",
        "down" if not up else "warn" if refused else "ok",
        detail=newest.topic if newest is not None else listener.subscriber.trouble,
        notes=(Reason("module_refused", {"count": refused}), newest.reason) if newest else (),
        at=now,
    )
    for seen in stations.stations():
        yield HealthItem(
            "module",
            seen.station,
            "ok",
            notes=(Reason("module_counts", _counts(seen)),),
            at=seen.heard_at,
            max_age_s=_DAY_S,
        )


def _counts(seen: StationSeen) -> dict[str, str | int | float]:
    return {
        "passed": seen.passed,
        "failed": seen.failed,
        "stored": seen.stored,
        "retrieved": seen.retrieved,
    }
