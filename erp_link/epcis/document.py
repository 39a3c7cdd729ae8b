"""Documents around events: what is exported, and what a query answers (EPCIS 2.0, 10.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from erp_link.epcis.story import NAMESPACE, PREFIX

CONTEXT: list[Any] = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {PREFIX: NAMESPACE},
]
_QUERY = "SimpleEventQuery"


def document(events: Sequence[dict[str, Any]], *, at: datetime) -> dict[str, Any]:
    """An EPCIS document of `events`."""
    return {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": stamp(at),
        "epcisBody": {"eventList": list(events)},
    }


def answer(
    events: Sequence[dict[str, Any]], *, at: datetime, prefixes: dict[str, str]
) -> dict[str, Any]:
    """The answer to a query; `prefixes` are those of captured events' own extensions."""
    context = [CONTEXT[0], {**prefixes, PREFIX: NAMESPACE}]
    return {
        "@context": context,
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": stamp(at),
        "epcisBody": {
            "queryResults": {"queryName": _QUERY, "resultsBody": {"eventList": list(events)}}
        },
    }


def stamp(at: datetime) -> str:
    """A time as EPCIS writes it: UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
