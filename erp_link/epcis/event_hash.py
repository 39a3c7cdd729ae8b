"""The standard's hash id of an event (CBV 2.0, 8.9): the same for every spelling of one event.

The event's fields are written in the standard's order as one text, brought to one form (times in
UTC with milliseconds, words and keys as full URIs, lists sorted), and hashed. `recordTime`,
`eventID` and an error declaration take no part.

Where the text of the standard and the reference implementation differ (their order of lists when an
event has sensor data beside business transactions, or sources beside destinations), this follows
the text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from erp_link.epcis import cbv, keys

_LEFT_OUT = frozenset(
    ("type", "eventID", "recordTime", "errorDeclaration", "@context", "rdfs:comment", "comment")
)
PREFIXES = {
    "cbv": cbv.CBV,
    "gs1": cbv.GS1,
    "epcis": "https://ref.gs1.org/epcis/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
}


def hash_id(event: Mapping[str, Any], prefixes: Mapping[str, str] | None = None) -> str:
    """The event's id, `ni:///sha-256;...?ver=CBV2.0` (RFC 6920).

    `prefixes` are the document's own, for its extension fields. The event is one that `check`
    accepts.
    """
    text = pre_hash(event, prefixes)
    return f"ni:///sha-256;{hashlib.sha256(text.encode()).hexdigest()}?ver=CBV2.0"


def pre_hash(event: Mapping[str, Any], prefixes: Mapping[str, str] | None = None) -> str:
    """The text that is hashed."""
    names = {**PREFIXES, **(prefixes or {})}
    return f"eventType={event['type']}" + _fields(event, _EVENT, names, sets_apart=_LEFT_OUT)


_Writer = Callable[[str, Any, Mapping[str, str]], str]


def _fields(
    node: Mapping[str, Any],
    order: Mapping[str, _Writer],
    names: Mapping[str, str],
    *,
    sets_apart: Iterable[str] = (),
) -> str:
    """The known fields in their order, then whatever else there is, sorted."""
    known = "".join(order[name](name, node[name], names) for name in order if name in node)
    others = {key: node[key] for key in node if key not in order and key not in sets_apart}
    return known + _extensions(others, names)


def _extensions(fields: Mapping[str, Any], names: Mapping[str, str]) -> str:
    return "".join(sorted(_generic(key, value, names) for key, value in fields.items()))


def _generic(key: str, value: Any, names: Mapping[str, str]) -> str:
    name = _expanded_name(key, names)
    match value:
        case list():
            return "".join(sorted(_generic(key, each, names) for each in value))
        case dict():
            own = f"={_canonical(key, value['#text'], names)}" if "#text" in value else ""
            rest = {k: v for k, v in value.items() if k not in ("#text", "type")}
            return name + own + _extensions(rest, names)
        case _:
            return f"{name}={_canonical(key, value, names)}"


def _expanded_name(key: str, names: Mapping[str, str]) -> str:
    prefix, _, local = key.partition(":")
    return f"{{{names[prefix]}}}{local}" if local and prefix in names else key


def _value(name: str, value: Any, names: Mapping[str, str]) -> str:
    text = _canonical(name, value, names)
    return f"{name}={text}" if text else ""


def _canonical(name: str, value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).strip()
    lower = name.lower()
    if "time" in lower and "offset" not in lower:
        return _time(text)
    prefix, _, local = text.partition(":")
    if local and prefix in names and not local.startswith("//"):
        text = names[prefix] + local
    return keys.canonical(cbv.web_uri(_number(text)))


def _time(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is None:
        return text
    at = at.astimezone(UTC)
    # Half a millisecond goes to the even neighbour, as the reference rounds.
    at += timedelta(microseconds=round(at.microsecond, -3) - at.microsecond)
    return at.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _number(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or not text.isascii():
        return text
    plain = format(number.normalize(), "f")
    return "0" if plain == "-0" else plain


def _word(kind: str) -> _Writer:
    return lambda name, value, _: f"{name}={cbv.expanded(str(value).strip(), kind)}"


def _epcs(name: str, values: Any, names: Mapping[str, str]) -> str:
    text = "".join(sorted(_value("epc", each, names) for each in values))
    return name + text if text else ""


def _quantities(name: str, values: Any, names: Mapping[str, str]) -> str:
    rows = [
        "quantityElement"
        + "".join(_value(f, each[f], names) for f in ("epcClass", "quantity", "uom") if f in each)
        for each in values
    ]
    return name + "".join(sorted(rows)) if rows else ""


def _dispositions(name: str, value: Any, _: Mapping[str, str]) -> str:
    def row(field: str) -> str:
        words = sorted(cbv.expanded(each, cbv.DISP) for each in value.get(field, ()))
        return "".join(f"{field}={word}" for word in words)

    text = row("set") + row("unset")
    return name + text if text else ""


def _place(name: str, value: Any, names: Mapping[str, str]) -> str:
    return name + _fields(value, {"id": _value}, names)


def _typed(kind: str, field: str) -> _Writer:
    """A list whose members have a type: the type first, then the member, sorted by both."""

    def write(name: str, values: Any, names: Mapping[str, str]) -> str:
        rows = [
            (_word(kind)("type", each["type"], names) if "type" in each else "")
            + _value(field, each[field], names)
            for each in values
        ]
        return name + "".join(sorted(rows)) if rows else ""

    return write


def _voc(name: str, value: Any, names: Mapping[str, str]) -> str:
    text = str(value).strip()
    return _value(name, text if ":" in text else cbv.GS1 + text, names)


def _component(name: str, value: Any, names: Mapping[str, str]) -> str:
    text = str(value).strip()
    return _value(name, text if ":" in text else f"{cbv.CBV}Comp-{text}", names)


def _sensors(name: str, values: Any, names: Mapping[str, str]) -> str:
    rows = ["sensorElement" + _fields(each, _SENSOR, names) for each in values]
    return name + "".join(sorted(rows)) if rows else ""


def _metadata(name: str, value: Any, names: Mapping[str, str]) -> str:
    return name + _fields(value, _METADATA, names)


def _reports(name: str, values: Any, names: Mapping[str, str]) -> str:
    return "".join(sorted(name + _fields(each, _REPORT, names) for each in values))


def _ilmd(name: str, value: Any, names: Mapping[str, str]) -> str:
    text = _extensions(value, names)
    return name + text if text else ""


def _plain(*fields: str) -> dict[str, _Writer]:
    return dict.fromkeys(fields, _value)


_METADATA = _plain(
    "time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData",
    "dataProcessingMethod", "bizRules",
)  # fmt: skip
_REPORT: dict[str, _Writer] = {
    "type": _voc,
    "exception": _voc,
    **_plain(
        "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "time", "microorganism",
        "chemicalSubstance", "value",
    ),
    "component": _component,
    **_plain(
        "stringValue", "booleanValue", "hexBinaryValue", "uriValue", "minValue", "maxValue",
        "meanValue", "sDev", "percRank", "percValue", "uom", "coordinateReferenceSystem",
    ),
}  # fmt: skip
_SENSOR: dict[str, _Writer] = {"sensorMetadata": _metadata, "sensorReport": _reports}
_EVENT: dict[str, _Writer] = {
    **_plain("eventTime", "eventTimeZoneOffset", "certificationInfo", "parentID"),
    "epcList": _epcs,
    "inputEPCList": _epcs,
    "childEPCs": _epcs,
    "quantityList": _quantities,
    "childQuantityList": _quantities,
    "inputQuantityList": _quantities,
    "outputEPCList": _epcs,
    "outputQuantityList": _quantities,
    **_plain("action", "transformationID"),
    "bizStep": _word(cbv.STEP),
    "disposition": _word(cbv.DISP),
    "persistentDisposition": _dispositions,
    "readPoint": _place,
    "bizLocation": _place,
    "bizTransactionList": _typed(cbv.BTT, "bizTransaction"),
    "sourceList": _typed(cbv.SDT, "source"),
    "destinationList": _typed(cbv.SDT, "destination"),
    "sensorElementList": _sensors,
    "ilmd": _ilmd,
}
