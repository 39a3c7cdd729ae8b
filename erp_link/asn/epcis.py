"""A supplier's EPCIS 2.0 document as an announced list: the shipping events say what is on its way.

What a pallet or carton holds is told by aggregation events, the expiry by the events that
commissioned the goods, by master data in the document's header, or by AI 17 in a Digital Link. A
quantity counts what its GTIN names. What is not said is asked for, not guessed: goods without lot
or expiry are refused as in the other lists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from contracts.asn import Asn, AsnLine
from contracts.errors import BadInputError
from contracts.gs1 import is_lot
from erp_link.asn.findings import Finding, bad_asn
from erp_link.epcis import cbv, keys
from erp_link.epcis.check import read_document, read_json

_EXPIRY = ("itemExpirationDate", "expirationDate", "bestBeforeDate", "sellByDate")
_LOT = ("lotNumber", "batchLot", "hasBatchLotNumber")
_SHIPS = frozenset(("shipping", "departing"))
_MOST = 1_000_000_000


@dataclass(slots=True)
class _Told:
    """What a document tells beside its shipping events: contents by container, facts by goods."""

    contents: dict[str, list[tuple[str, object, object]]] = field(default_factory=dict)
    expiries: dict[str, str] = field(default_factory=dict)
    lots: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def wrong(self, what: str, mend: str) -> None:
        finding = Finding(None, what, mend)
        if finding not in self.findings:
            self.findings.append(finding)


def parse_epcis(text: str, *, name: str) -> Asn:
    """The announced lines of the shipping events in an EPCIS 2.0 JSON-LD document.

    Its number is that of the despatch advice (`desadv`), its supplier the GLN of the source party,
    or its name. Raises BadAsnError with every finding; nothing of the list is returned then.
    """
    try:
        body = read_json(text)
        events = read_document(body).events
    except ValueError as error:
        raise bad_asn(
            name, [Finding(None, f"it is no JSON: {error}", "Send EPCIS 2.0 as JSON-LD")]
        ) from error
    except BadInputError as error:
        raise bad_asn(name, [Finding(None, error.message, error.mend)]) from error
    told = _told(events, body if isinstance(body, dict) else {})
    ships = [event for event in events if _step(event) in _SHIPS]
    if not ships:
        told.wrong("no event ships goods", "Ask the sender for the event with bizStep shipping")
    supplier = _party(ships, told)
    number = _paper(ships, "desadv", told)
    if ships and not number:
        told.wrong(
            "the shipping event names no despatch advice",
            "Ask the sender for a bizTransaction of type desadv",
        )
    lines = _lines(ships, told, supplier=supplier, order=_paper(ships, "po", told))
    if not lines and not told.findings:
        told.wrong("the shipping event names no goods", "Ask the sender what is on its way")
    if told.findings:
        raise bad_asn(name, told.findings)
    return Asn(number=number, supplier=supplier, lines=tuple(lines))


def _told(events: tuple[dict[str, Any], ...], body: Mapping[str, Any]) -> _Told:
    told = _Told()
    for named, attributes in _master_data(body):
        _facts(told, [named], attributes)
    for event in events:
        if event["type"] == "AggregationEvent" and "parentID" in event:
            inside = list(_named(event, "childEPCs", "childQuantityList"))
            if event.get("action") == "DELETE":
                told.contents.pop(keys.canonical(event["parentID"]), None)
            else:
                told.contents.setdefault(keys.canonical(event["parentID"]), []).extend(inside)
        ilmd = event.get("ilmd")
        if isinstance(ilmd, dict):
            goods = [uri for uri, _, _ in _named(event, "epcList", "quantityList")]
            goods += [uri for uri, _, _ in _named(event, "outputEPCList", "outputQuantityList")]
            _facts(told, goods, ilmd)
    return told


def _facts(told: _Told, goods: list[str], attributes: Mapping[str, Any]) -> None:
    for key, value in attributes.items():
        local = re.split(r"[:#/]", key)[-1]
        text = str(value.get("@value", "")) if isinstance(value, dict) else str(value)
        for uri in goods:
            if local in _EXPIRY:
                told.expiries.setdefault(uri, text)
            elif local in _LOT:
                told.lots.setdefault(uri, text)


def _master_data(body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    header = body.get("epcisHeader")
    master = header.get("epcisMasterData") if isinstance(header, dict) else None
    vocabularies = master.get("vocabularyList") if isinstance(master, dict) else None
    for vocabulary in _objects(vocabularies):
        for element in _objects(vocabulary.get("vocabularyElementList")):
            yield (
                keys.canonical(str(element.get("id", ""))),
                {
                    str(each.get("id", "")): each.get("attribute", "")
                    for each in _objects(element.get("attributes"))
                },
            )


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _named(
    event: Mapping[str, Any], epcs: str, classes: str
) -> Iterator[tuple[str, object, object]]:
    """URI, quantity and unit of what an event names; the expiry of a link stays with it."""
    for uri in event.get(epcs, ()):
        yield _with_expiry(uri), 1, None
    for each in event.get(classes, ()):
        yield _with_expiry(each["epcClass"]), each.get("quantity"), each.get("uom")


def _with_expiry(uri: str) -> str:
    """The canonical URI, and AI 17 behind it where the link had it: other goods than without."""
    found = parse_qs(urlsplit(uri).query).get("17", [""])[0]
    return keys.canonical(uri) + (f"?17={found}" if found else "")


def _lines(ships: list[dict[str, Any]], told: _Told, *, supplier: str, order: str) -> list[AsnLine]:
    sums: dict[tuple[str, str, date], int] = {}
    for uri, quantity, uom in _unpacked(ships, told):
        read = _read(uri, quantity, uom, told)
        if read is not None:
            gtin, lot, expiry, count = read
            sums[gtin, lot, expiry] = sums.get((gtin, lot, expiry), 0) + count
    dates: dict[tuple[str, str], date] = {}
    for gtin, lot, expiry in sums:
        if dates.setdefault((gtin, lot), expiry) != expiry:
            told.wrong(
                f"batch {lot} of {gtin} has two expiry dates, {dates[gtin, lot]} and {expiry}",
                "Ask the sender which one is printed",
            )
    return [
        AsnLine(
            number=number,
            gtin=gtin,
            batch=lot,
            expiry=expiry,
            quantity=count,
            supplier=supplier,
            order=order,
        )
        for number, ((gtin, lot, expiry), count) in enumerate(sums.items(), start=1)
    ]


def _unpacked(ships: list[dict[str, Any]], told: _Told) -> Iterator[tuple[str, object, object]]:
    """The goods themselves: containers are opened, each once, however deep."""
    waiting: list[tuple[str, object, object]] = []
    for event in ships:
        if event["type"] == "AggregationEvent":
            waiting.append((keys.canonical(str(event.get("parentID", ""))), 1, None))
        else:
            waiting += _named(event, "epcList", "quantityList")
            if "parentID" in event:
                waiting.append((keys.canonical(event["parentID"]), 1, None))
    opened: set[str] = set()
    while waiting:
        uri, quantity, uom = waiting.pop(0)
        item = keys.item_of(uri)
        is_one = item is None or bool(item.serial)
        if is_one and uri in opened:
            continue
        if is_one:
            opened.add(uri)
        if uri in told.contents:
            waiting += told.contents[uri]
        elif item is None:
            told.wrong(
                f"nothing is said of what {keys.sscc_of(uri) or uri} holds",
                "Ask the sender for the aggregation events of this delivery",
            )
        else:
            yield uri, quantity, uom


def _read(
    uri: str, quantity: object, uom: object, told: _Told
) -> tuple[str, str, date, int] | None:
    item = keys.item_of(uri)
    assert item is not None  # noqa: S101 -- only goods come here
    bare, _, link = uri.partition("?17=")
    lot = item.lot or told.lots.get(bare, "")
    named = f"{item.gtin} {lot or item.serial}".strip()
    before = len(told.findings)
    if not is_lot(lot):
        what = f"{lot!r} is not a GS1 batch number" if lot else "its lot is not said"
        told.wrong(f"{named}: {what}", "Ask the sender to name the lot (lgtin, or ilmd lotNumber)")
    of_lot = f"{keys.GS1_ID}/01/{item.gtin}/10/{keys.encoded(lot)}"
    said = link or told.expiries.get(bare, "") or told.expiries.get(of_lot, "")
    expiry = _date(said)
    if expiry is None:
        what = f"expiry {said!r} is not a date" if said else "its expiry is not said"
        told.wrong(
            f"{named}: {what}", "Ask the sender for itemExpirationDate, or for AI 17 in the link"
        )
    count = _count(quantity, uom)
    if count is None:
        unit = f" {uom}" if uom else ""
        told.wrong(
            f"{named}: {quantity!r}{unit} is not a number of pieces",
            "Ask the sender for whole pieces, without a unit of measure",
        )
    if len(told.findings) > before or expiry is None or count is None:
        return None
    return item.gtin, lot, expiry, count


def _count(quantity: object, uom: object) -> int | None:
    whole = isinstance(quantity, int | float) and not isinstance(quantity, bool)
    if uom or not whole or quantity != int(quantity):  # type: ignore[call-overload]  # a number
        return None
    count = int(quantity)  # type: ignore[call-overload]  # a number
    return count if 1 <= count <= _MOST else None


def _date(text: str) -> date | None:
    if re.fullmatch(r"\d{6}", text, re.ASCII):
        # GS1 General Specifications, 7.12: the century by the year; day 00 is the month's last.
        text = f"20{text[:2]}-{text[2:4]}-{text[4:]}"
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _step(event: Mapping[str, Any]) -> str:
    return cbv.bare(str(event.get("bizStep", "")), cbv.STEP)


def _paper(ships: list[dict[str, Any]], kind: str, told: _Told) -> str:
    found = {
        _last_part(each["bizTransaction"])
        for event in ships
        for each in event.get("bizTransactionList", ())
        if cbv.bare(str(each.get("type", "")), cbv.BTT) == kind
    }
    if kind == "desadv" and len(found) > 1:
        told.wrong(
            f"the document ships {len(found)} despatch advices", "Send each as a file of its own"
        )
    return min(found, default="")


def _party(ships: list[dict[str, Any]], told: _Told) -> str:
    found = {
        kind: _last_part(each["source"])
        for kind in ("possessing_party", "owning_party")
        for event in ships
        for each in event.get("sourceList", ())
        if cbv.bare(str(each["type"]), cbv.SDT) == kind
    }
    supplier = found.get("owning_party") or found.get("possessing_party") or ""
    if ships and not supplier:
        told.wrong(
            "the shipping event does not say who sends",
            "Ask the sender for a sourceList with owning_party",
        )
    return supplier


def _last_part(uri: str) -> str:
    """A GLN or a paper's number out of its URI."""
    gs1 = re.match(re.escape(keys.GS1_ID) + r"/(?:417|414|253)/([^/]+)", keys.canonical(uri))
    if gs1:
        return gs1[1]
    return unquote(re.split(r"[/:]", uri.rstrip("/"))[-1])
