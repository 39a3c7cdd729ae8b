"""What an entry of the history is in EPCIS: what, when, where and why, for partners to read.

Moves tell by their lines where goods went and in which status; judgements, holds, releases,
decisions and excursions by what they are. What concerns no goods (a session opened, a device
started) is no EPCIS event.

Every event carries the number of its entry as an extension: two equal picks in one millisecond are
two events, with two hash ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from contracts.stock import BatchKey, StockStatus
from erp_link.domain.moves import Line
from erp_link.domain.places import (
    CUSTOMER_ACCOUNT,
    QUARANTINE,
    SCRAP_ACCOUNT,
    STAGING,
    SUPPLIER_ACCOUNT,
    is_account,
)
from erp_link.epcis.event_hash import hash_id
from erp_link.epcis.site import Site

NAMESPACE = "urn:tallyman:epcis:"
PREFIX = "tallyman"
SELLABLE, NOT_SELLABLE = "sellable_not_accessible", "non_sellable_other"
_QUOTA = "@quota/"


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry of the history with what its events need beside it. `batches` names those of its
    lines; `cartons` what a hold or a judgement is about by name.
    """

    number: int
    at: datetime
    what: str
    code: str
    params: dict[str, str | int | float]
    reference: str = ""
    batch: BatchKey | None = None
    lines: tuple[Line, ...] = ()
    batches: dict[int, BatchKey] = field(default_factory=dict)
    cartons: tuple[str, ...] = ()


Event = dict[str, Any]


def events_of(entry: Happened, site: Site, zone: tzinfo) -> list[Event]:
    """The EPCIS events of an entry, with their hash ids; none where it tells of no goods."""
    if entry.lines:
        made = _moved(entry, site)
    else:
        made = [event for event in (_told(entry, site),) if event is not None]
    return [_finished(event, entry, zone, part) for part, event in enumerate(made)]


def _finished(event: Event, entry: Happened, zone: tzinfo, part: int) -> Event:
    at = entry.at.astimezone(UTC)
    number = f"e{entry.number}" + (f".{part}" if part else "")
    whole = {
        "type": event.pop("type", "ObjectEvent"),
        "eventTime": at.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z",
        "eventTimeZoneOffset": _offset(entry.at, zone),
        "action": "OBSERVE",
        **event,
        f"{PREFIX}:entry": number,
        f"{PREFIX}:what": entry.what,
        f"{PREFIX}:reason": entry.code,
    }
    return {"eventID": hash_id(whole, {PREFIX: NAMESPACE}), **whole}


def _offset(at: datetime, zone: tzinfo) -> str:
    offset = at.astimezone(zone).utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


# What has lines: goods that changed place, status or owner


def _moved(entry: Happened, site: Site) -> list[Event]:
    """One event for each batch and way: most moves have one."""
    made = []
    for taken, given in _ways(entry.lines):
        batch = entry.batches.get(given.batch_id)
        if batch is None:
            continue
        event = _why(entry, taken, given)
        goods = [{"epcClass": site.batch(batch), "quantity": given.quantity}]
        if entry.reference and entry.reference in entry.cartons:
            # The carton contained them at that moment; what it contains is not counted twice.
            event |= {
                "type": "AggregationEvent",
                "parentID": site.unit(entry.reference),
                "childQuantityList": goods,
            }
            event.pop("persistentDisposition", None)
        else:
            event["quantityList"] = goods
        event |= _where(taken, given, site)
        event |= _papers(entry, taken, given, site, batch)
        made.append(event)
    return made


def _ways(lines: Sequence[Line]) -> list[tuple[Line, Line]]:
    """What was given with where it came from: the line of the same batch that it was taken by."""
    taken = [line for line in lines if line.quantity < 0]
    pairs = []
    for given in (line for line in lines if line.quantity > 0):
        same = [line for line in taken if line.batch_id == given.batch_id]
        exact = [line for line in same if line.quantity == -given.quantity]
        source = next(iter(exact or same or taken), None)
        if source is not None:
            if source in exact:
                taken.remove(source)
            pairs.append((source, given))
    return pairs


def _why(entry: Happened, taken: Line, given: Line) -> Event:
    source, target = taken.place.location, given.place.location
    if entry.what == "corrected":
        # Booked wrong before and put right now: nothing came or left.
        return _step("stock_taking", "unknown")
    if is_account(target):
        return _gone(target)
    if is_account(source):
        return _came(source, given)
    if source == target:
        return _status_changed(entry, taken, given)
    step, disposition = {
        STAGING: ("picking", "reserved"),
        QUARANTINE: ("holding", NOT_SELLABLE),
    }.get(target, ("storing", _disposition(given)))
    return _step(step, disposition)


def _gone(target: str) -> Event:
    """Out of the house, or out of the books."""
    if target == SCRAP_ACCOUNT:
        return {**_step("destroying", "destroyed"), "action": "DELETE"}
    if target.startswith(_QUOTA):
        return _step("staging_outbound", "reserved")
    step, disposition = {
        CUSTOMER_ACCOUNT: ("shipping", "in_transit"),
        SUPPLIER_ACCOUNT: ("shipping", "returned"),
    }.get(target, ("stock_taking", "unknown"))
    return _step(step, disposition)


def _came(source: str, given: Line) -> Event:
    """Into the house, or into the books."""
    if source == SUPPLIER_ACCOUNT:
        blocked = given.place.status is StockStatus.BLOCKED
        return _step("receiving", NOT_SELLABLE if blocked else "in_progress")
    if source == CUSTOMER_ACCOUNT:
        return _step("receiving", "returned")
    return _step("stock_taking", _disposition(given))


def _status_changed(entry: Happened, taken: Line, given: Line) -> Event:
    match given.place.status:
        case StockStatus.BLOCKED:
            expired = "expir" in entry.code
            return _step("holding", "expired" if expired else NOT_SELLABLE, sets="unavailable")
        case StockStatus.UNRESTRICTED:
            unset = "unavailable" if taken.place.status is StockStatus.BLOCKED else ""
            return _step("inspecting", SELLABLE, unsets=unset)
        case _:
            return _step("inspecting", _disposition(given))


def _disposition(given: Line) -> str:
    return {
        StockStatus.UNRESTRICTED: SELLABLE,
        StockStatus.BLOCKED: NOT_SELLABLE,
        StockStatus.INSPECTION: "in_progress",
        StockStatus.IN_TRANSIT: "in_transit",
    }[given.place.status]


def _where(taken: Line, given: Line, site: Site) -> Event:
    """The read point is in the house; goods that left have no business location here."""
    if is_account(given.place.location):
        inside = taken.place.location
        return {} if is_account(inside) else {"readPoint": {"id": site.place(inside)}}
    place = {"id": site.place(given.place.location)}
    return {"readPoint": place, "bizLocation": place}


def _papers(entry: Happened, taken: Line, given: Line, site: Site, batch: BatchKey) -> Event:
    made: Event = {}
    order = entry.params.get("order")
    if isinstance(order, str) and order:
        made["bizTransactionList"] = [{"type": "po", "bizTransaction": site.paper("order", order)}]
    if taken.place.location == SUPPLIER_ACCOUNT and batch.supplier:
        made["sourceList"] = [{"type": "owning_party", "source": site.party(batch.supplier)}]
    if given.place.location == SUPPLIER_ACCOUNT and batch.supplier:
        made["destinationList"] = [
            {"type": "owning_party", "destination": site.party(batch.supplier)}
        ]
    return made


# What has no lines: what somebody found out or decided about goods


def _told(entry: Happened, site: Site) -> Event | None:
    if entry.what == "excursion":
        return _excursion(entry, site)
    step = _found(entry)
    return None if step is None else _about(entry, site, step)


def _found(entry: Happened) -> Event | None:
    match entry.what:
        case "judged" | "settled":
            step = _step("inspecting", _judged(entry))
        case "held":
            expired = "expir" in entry.code
            step = _step("holding", "expired" if expired else NOT_SELLABLE, sets="unavailable")
        case "released":
            step = _step("inspecting", SELLABLE, unsets="unavailable")
        case "decided":
            released = entry.code.endswith("_release")
            step = _step("inspecting", "conformant" if released else "non_conformant")
        case "on_the_way":
            step = _step("transporting", "in_progress")
        case _:
            return None
    return step


def _judged(entry: Happened) -> str:
    if entry.what == "settled":
        refused = entry.code.endswith("_refused")
        return "non_conformant" if refused else "conformant"
    return {
        "story_judged_accept": "conformant",
        "story_judged_hold": "non_conformant",
    }.get(entry.code, "in_progress")


def _about(entry: Happened, site: Site, step: Event) -> Event | None:
    """Named cartons, each with what it holds where that is known, or the whole batch."""
    made = dict(step)
    if len(entry.cartons) == 1 and entry.batch is not None and "persistentDisposition" not in made:
        return made | {
            "type": "AggregationEvent",
            "parentID": site.unit(entry.cartons[0]),
            "childQuantityList": [{"epcClass": site.batch(entry.batch)}],
        }
    if entry.cartons:
        made["epcList"] = [site.unit(carton) for carton in sorted(set(entry.cartons))]
        return made
    if entry.batch is None:
        return None
    return made | {"quantityList": [{"epcClass": site.batch(entry.batch)}]}


def _excursion(entry: Happened, site: Site) -> Event:
    """Goods or a place outside their range. The entry's values: `device`, `measurement` (a GS1
    measurement type, default Temperature), `unit` (UN/ECE Rec. 20, default CEL), `least`, `most`,
    `begun` and `ended` (ISO 8601), `location`.
    """
    said = entry.params
    report: Event = {
        "type": str(said.get("measurement", "Temperature")),
        "exception": "ALARM_CONDITION",
        **{field: said[name] for name, field in _EXTREMES.items() if name in said},
        "uom": str(said.get("unit", "CEL")),
    }
    metadata: Event = {field: said[name] for name, field in _SPAN.items() if name in said}
    if "device" in said:
        metadata["deviceID"] = site.device(str(said["device"]))
    element: Event = {"sensorReport": [report]}
    if metadata:
        element = {"sensorMetadata": metadata, **element}
    made = _step("sensor_reporting", "")
    made["sensorElementList"] = [element]
    if entry.batch is not None:
        made["quantityList"] = [{"epcClass": site.batch(entry.batch)}]
    made["readPoint"] = {"id": site.place(str(said.get("location") or entry.reference or "site"))}
    return made


_EXTREMES = {"least": "minValue", "most": "maxValue"}
_SPAN = {"begun": "startTime", "ended": "endTime"}


def _step(step: str, disposition: str, *, sets: str = "", unsets: str = "") -> Event:
    made: Event = {"bizStep": step}
    if disposition:
        made["disposition"] = disposition
    if sets or unsets:
        made["persistentDisposition"] = {"set": [sets]} if sets else {"unset": [unsets]}
    return made
