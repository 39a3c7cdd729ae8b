"""A supplier announces a delivery by EPCIS: pallets, cartons, lots, dates."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import FixedClock
from contracts.errors import BadAsnError
from contracts.stock import BatchKey
from contracts.verdict import Decision
from erp_link.asn.files import parse_asn
from erp_link.epcis.document import document
from erp_link.service.core import Core
from tests.erp_link.story import Station

GTIN, LOT = "06933132577789", "8842-740"
CLASS = f"urn:epc:class:lgtin:6933132.057778.{LOT}"
PALLET = "urn:epc:id:sscc:0614141.1234567890"
CARTON = "https://id.gs1.org/00/106141412345678915"
GLN = "4012345000009"


def event(kind: str = "ObjectEvent", **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "eventTime": "2026-11-20T10:00:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "action": "OBSERVE",
        **more,
    }


def ships(**more: Any) -> dict[str, Any]:
    papers = [
        {"type": "desadv", "bizTransaction": f"urn:epcglobal:cbv:bt:{GLN}:DESP-9"},
        {"type": "po", "bizTransaction": "https://buyer.example/bt/PO-4711"},
    ]
    sources = [{"type": "owning_party", "source": f"https://id.gs1.org/417/{GLN}"}]
    return event(bizStep="shipping", bizTransactionList=papers, sourceList=sources, **more)


def made(gtin_class: str = CLASS, expiry: str = "2027-06-30") -> dict[str, Any]:
    return event(
        action="ADD",
        bizStep="commissioning",
        quantityList=[{"epcClass": gtin_class, "quantity": 1000}],
        ilmd={"cbvmda:itemExpirationDate": expiry},
    )


def read(clock: FixedClock, *events: dict[str, Any], header: Any = None):
    whole = document(events, at=clock.now())
    if header:
        whole["epcisHeader"] = header
    return parse_asn(json.dumps(whole).encode(), name="d.jsonld")


def test_lots_with_their_quantities(clock: FixedClock) -> None:
    asn = read(clock, made(), ships(quantityList=[{"epcClass": CLASS, "quantity": 40}]))
    assert (asn.number, asn.supplier) == ("DESP-9", GLN)
    (line,) = asn.lines
    assert line.key == BatchKey(GLN, GTIN, LOT)
    assert (line.quantity, line.expiry, line.order) == (40, date(2027, 6, 30), "PO-4711")


def test_what_a_pallet_holds_is_unpacked_once(clock: FixedClock) -> None:
    asn = read(
        clock,
        made(),
        event("AggregationEvent", action="ADD", parentID=CARTON,
              childQuantityList=[{"epcClass": CLASS, "quantity": 24}]),
        event("AggregationEvent", action="ADD", parentID=PALLET, childEPCs=[CARTON],
              childQuantityList=[{"epcClass": CLASS, "quantity": 6.0}]),
        ships(epcList=[PALLET, CARTON]),
    )  # fmt: skip
    assert [line.quantity for line in asn.lines] == [30]


def test_a_shipping_aggregation_alone(clock: FixedClock) -> None:
    shipped = ships() | {
        "type": "AggregationEvent",
        "parentID": PALLET,
        "childQuantityList": [{"epcClass": CLASS, "quantity": 5}],
    }
    assert [line.quantity for line in read(clock, made(), shipped).lines] == [5]


def test_single_pieces_count_one_each(clock: FixedClock) -> None:
    pieces = [f"urn:epc:id:sgtin:6933132.057778.S{n}" for n in range(3)]
    commissioned = event(
        action="ADD",
        bizStep="commissioning",
        epcList=pieces,
        ilmd={"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": "2027-06-30"},
    )
    (line,) = read(clock, commissioned, ships(epcList=pieces)).lines
    assert (line.batch, line.quantity) == (LOT, 3)


def test_the_expiry_may_stand_in_the_link_or_in_the_header(clock: FixedClock) -> None:
    link = f"https://supplier.example/01/{GTIN}/10/{LOT}?17=270630"
    (line,) = read(clock, ships(quantityList=[{"epcClass": link, "quantity": 2}])).lines
    assert (line.batch, line.expiry) == (LOT, date(2027, 6, 30))
    attribute = {"id": "urn:epcglobal:cbv:mda#itemExpirationDate", "attribute": "2027-06-30"}
    header = {
        "epcisMasterData": {
            "vocabularyList": [
                {
                    "type": "urn:epcglobal:epcis:vtype:EPCClass",
                    "vocabularyElementList": [{"id": CLASS, "attributes": [attribute]}],
                }
            ]
        }
    }
    shipped = ships(quantityList=[{"epcClass": CLASS, "quantity": 2}])
    assert read(clock, shipped, header=header).lines[0].expiry == date(2027, 6, 30)


def wrong(clock: FixedClock, *events: dict[str, Any]) -> str:
    with pytest.raises(BadAsnError) as caught:
        read(clock, *events)
    found = caught.value.data["findings"]
    assert isinstance(found, list)
    return "; ".join(f["what"] for f in found)


def test_what_is_not_said_is_asked_for(clock: FixedClock) -> None:
    goods = [{"epcClass": CLASS, "quantity": 2}]
    assert "expiry is not said" in wrong(clock, ships(quantityList=goods))
    assert "nothing is said of what 106141412345678908 holds" in wrong(
        clock, ships(epcList=[PALLET])
    )
    assert "no event ships" in wrong(clock, made())
    lotless = "urn:epc:idpat:sgtin:6933132.057778.*"
    assert "lot is not said" in wrong(
        clock, made(lotless), ships(quantityList=[{"epcClass": lotless, "quantity": 2}])
    )
    weighed = [{"epcClass": CLASS, "quantity": 2.5, "uom": "KGM"}]
    assert "2.5 KGM is not a number of pieces" in wrong(clock, made(), ships(quantityList=weighed))
    assert "two expiry dates" in wrong(
        clock,
        ships(quantityList=[
            {"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{LOT}?17=270630", "quantity": 1},
            {"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{LOT}?17=270730", "quantity": 1},
        ]),
    )  # fmt: skip
    nobody = ships(quantityList=goods) | {"sourceList": [], "bizTransactionList": []}
    assert "despatch advice" in wrong(clock, made(), nobody)
    assert "who sends" in wrong(clock, made(), nobody)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"),
        ('{"a": NaN}', "NaN"),
        ('{"a":' + "[" * 100_000, "deep"),
        ("{}", "no event type"),
        ("<epcis:EPCISDocument/>", "XML"),
    ],
)
def test_a_file_that_cannot_be_read(text: str, why: str) -> None:
    with pytest.raises(BadAsnError, match=why):
        parse_asn(text.encode(), name="d.json")


def test_an_announced_delivery_is_received(core: Core, station: Station, clock: FixedClock) -> None:
    core.import_asn(
        read(clock, made(), ships(quantityList=[{"epcClass": CLASS, "quantity": 2}])), by="ops"
    )
    station.session = core.open_session("DESP-9", dock="dock-1", by="op")
    station.judges("c-1", Decision.ACCEPT, BatchKey(GLN, GTIN, LOT))
    assert core.session_report(station.session).counted == 1


@pytest.mark.data
def test_gs1s_examples_are_answered_with_words(data_dir: Path) -> None:
    for file in (data_dir / "stock/epcis/JSON").rglob("*.jsonld"):
        with pytest.raises(BadAsnError):
            parse_asn(file.read_bytes(), name=file.name)
