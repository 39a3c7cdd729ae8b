"""Is this an EPCIS 2.0 event? Every finding with its place and its mend; nothing is mended silently.

The shape follows the standard's JSON binding (section 10), the words the vocabulary's lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.errors import BadInputError
from erp_link.epcis import cbv

MAX_EVENTS = 10_000
_SHOWN = 20
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_OFFSET = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)", re.ASCII)
_UOM = re.compile(r"[A-Z0-9]{2,3}")


@dataclass(frozen=True, slots=True)
class Finding:
    where: str
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Captured:
    """The events of a document that was found right, and the prefixes of their extensions."""

    events: tuple[dict[str, Any], ...]
    prefixes: dict[str, str]


def read_json(text: str | bytes) -> object:
    """JSON as RFC 8259 has it: NaN and infinities are none. Raises ValueError, and also where the
    text is nested deeper than we go.
    """

    def refuse(name: str) -> object:
        raise ValueError(f"{name} is no JSON number")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read_document(body: object) -> Captured:
    """The events of an EPCIS document, or of one event standing for itself.

    Raises BadInputError with every finding (`data["findings"]`); then none of it counts.
    """
    if not isinstance(body, dict):
        raise _bad([Finding("$", "it is no JSON object", "Send an EPCISDocument")])
    prefixes = _prefixes(body.get("@context"))
    if body.get("type") == "EPCISDocument":
        inner = body.get("epcisBody")
        events = inner.get("eventList") if isinstance(inner, dict) else None
        where = "$.epcisBody.eventList"
    else:
        events, where = [body], "$"
    if not isinstance(events, list) or not events:
        raise _bad([Finding(where, "there are no events", "Send at least one event")])
    if len(events) > MAX_EVENTS:
        raise _bad([Finding(where, f"{len(events)} events", f"Send at most {MAX_EVENTS} at once")])
    findings = [
        found
        for at, event in enumerate(events)
        for found in findings_of(event, where if where == "$" else f"{where}[{at}]")
    ]
    if findings:
        raise _bad(findings)
    for event in events:
        prefixes |= _prefixes(event.get("@context"))
    return Captured(tuple(events), prefixes)


def _bad(findings: Sequence[Finding]) -> BadInputError:
    first = findings[0]
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    return BadInputError(
        f"No EPCIS 2.0 events: {first.where}: {first.what}{more}",
        mend=first.mend,
        findings=[{"where": f.where, "what": f.what, "mend": f.mend} for f in findings[:_SHOWN]],
        total=len(findings),
    )


def _prefixes(context: object) -> dict[str, str]:
    parts = context if isinstance(context, list) else [context]
    return {
        name: uri
        for part in parts
        if isinstance(part, dict)
        for name, uri in part.items()
        if isinstance(name, str) and isinstance(uri, str)
    }


def findings_of(event: object, where: str = "$") -> list[Finding]:
    """What is wrong with one event; nothing where it is right."""
    if not isinstance(event, dict):
        return [Finding(where, "it is no JSON object", "Send the event as an object")]
    kind = event.get("type")
    if kind not in cbv.EVENT_TYPES:
        wanted = ", ".join(sorted(cbv.EVENT_TYPES))
        return [Finding(f"{where}.type", f"{kind!r} is no event type", f"Use one of {wanted}")]
    return [*_required(event, where), *_wrong_fields(event, where), *_wrong_objects(event, where)]


def _required(event: Mapping[str, Any], where: str) -> Iterator[Finding]:
    needed = ["eventTime", "eventTimeZoneOffset"]
    if event["type"] != "TransformationEvent":
        needed.append("action")
    for name in needed:
        if name not in event:
            yield Finding(where, f"{name} is missing", f"Add {name}")


def _wrong_fields(event: Mapping[str, Any], where: str) -> Iterator[Finding]:
    for name, value in event.items():
        check = _FIELDS.get(name)
        if check is not None:
            yield from check(value, f"{where}.{name}")
        elif name not in _OTHERS and ":" not in name:
            yield Finding(
                f"{where}.{name}",
                f"{name} is no field of EPCIS",
                "Check its spelling, or give it a prefix of your own",
            )


def _wrong_objects(event: Mapping[str, Any], where: str) -> Iterator[Finding]:
    kind = event["type"]
    named = any(event.get(name) for name in _OBJECTS)
    sensed = event.get("sensorElementList") and event.get("readPoint")
    if not named and not (kind == "ObjectEvent" and sensed):
        yield Finding(where, "it names no goods", "Add epcList or quantityList")
    if "ilmd" in event and kind == "ObjectEvent" and event.get("action") != "ADD":
        yield Finding(f"{where}.ilmd", "ilmd stands with action ADD only", "Leave it out")
    parent_needed = kind == "AssociationEvent" or (
        kind == "AggregationEvent" and event.get("action") != "OBSERVE"
    )
    if parent_needed and "parentID" not in event:
        yield Finding(where, "parentID is missing", "Name what contains the goods")


_Check = Callable[[Any, str], Iterator[Finding]]


def _time(value: Any, where: str) -> Iterator[Finding]:
    try:
        right = datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        right = False
    if not right:
        yield Finding(where, f"{value!r} is no time with a zone", "Write 2026-11-22T08:00:00.000Z")


def _offset(value: Any, where: str) -> Iterator[Finding]:
    if not isinstance(value, str) or not _OFFSET.fullmatch(value):
        yield Finding(where, f"{value!r} is no offset from UTC", "Write +08:00")


def _uri(value: Any, where: str) -> Iterator[Finding]:
    if not isinstance(value, str) or not _URI.fullmatch(value):
        yield Finding(where, f"{value!r} is no URI", "Give an EPC URI or a GS1 Digital Link")


def _action(value: Any, where: str) -> Iterator[Finding]:
    if value not in cbv.ACTIONS:
        yield Finding(where, f"{value!r} is no action", "Use ADD, OBSERVE or DELETE")


def _word(kind: str) -> _Check:
    def check(value: Any, where: str) -> Iterator[Finding]:
        if not isinstance(value, str) or not cbv.is_known(value, kind):
            yield Finding(
                where,
                f"{value!r} is not in the Core Business Vocabulary",
                "Use a word of its list, or a URI of your own",
            )

    return check


def _every(check: _Check) -> _Check:
    def checks(values: Any, where: str) -> Iterator[Finding]:
        if not isinstance(values, list):
            yield Finding(where, "it is no list", "Write it in square brackets")
            return
        for at, value in enumerate(values):
            yield from check(value, f"{where}[{at}]")

    return checks


def _object(fields: Mapping[str, _Check], *needed: str) -> _Check:
    def check(value: Any, where: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield Finding(where, "it is no object", "Write it in braces")
            return
        for name in needed:
            if name not in value:
                yield Finding(where, f"{name} is missing", f"Add {name}")
        for name, inner in value.items():
            if name in fields:
                yield from fields[name](inner, f"{where}.{name}")

    return check


def _quantity(value: Any, where: str) -> Iterator[Finding]:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        yield Finding(where, f"{value!r} is no quantity", "Give a number of at least 0")


def _uom(value: Any, where: str) -> Iterator[Finding]:
    if not isinstance(value, str) or not _UOM.fullmatch(value):
        yield Finding(where, f"{value!r} is no unit", "Use a code of UN/ECE Rec. 20, such as KGM")


_EPCS = _every(_uri)
_QUANTITIES = _every(_object({"epcClass": _uri, "quantity": _quantity, "uom": _uom}, "epcClass"))
_PLACE = _object({"id": _uri}, "id")
_FIELDS: dict[str, _Check] = {
    "eventTime": _time,
    "recordTime": _time,
    "eventTimeZoneOffset": _offset,
    "eventID": _uri,
    "action": _action,
    "bizStep": _word(cbv.STEP),
    "disposition": _word(cbv.DISP),
    "persistentDisposition": _object(
        {"set": _every(_word(cbv.DISP)), "unset": _every(_word(cbv.DISP))}
    ),
    "parentID": _uri,
    "epcList": _EPCS,
    "childEPCs": _EPCS,
    "inputEPCList": _EPCS,
    "outputEPCList": _EPCS,
    "quantityList": _QUANTITIES,
    "childQuantityList": _QUANTITIES,
    "inputQuantityList": _QUANTITIES,
    "outputQuantityList": _QUANTITIES,
    "readPoint": _PLACE,
    "bizLocation": _PLACE,
    "bizTransactionList": _every(
        _object({"type": _word(cbv.BTT), "bizTransaction": _uri}, "bizTransaction")
    ),
    "sourceList": _every(_object({"type": _word(cbv.SDT), "source": _uri}, "type", "source")),
    "destinationList": _every(
        _object({"type": _word(cbv.SDT), "destination": _uri}, "type", "destination")
    ),
    "sensorElementList": _every(
        _object({"sensorReport": _every(_object({}, "type"))}, "sensorReport")
    ),
    "ilmd": _object({}),
    "errorDeclaration": _object({"declarationTime": _time}, "declarationTime"),
}
_OTHERS = frozenset(("type", "@context", "certificationInfo", "transformationID", "comment"))
_OBJECTS = (
    "epcList", "quantityList", "parentID", "childEPCs", "childQuantityList", "inputEPCList",
    "inputQuantityList", "outputEPCList", "outputQuantityList",
)  # fmt: skip
