"""What happened to goods, told to partners: schema-valid, in the vocabulary, once, to be found again."""

from __future__ import annotations

import json
import threading
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jsonschema import Draft7Validator, FormatChecker

from contracts.clock import FixedClock
from contracts.errors import BadInputError, NotFoundError
from contracts.reason import Reason
from contracts.stock import HoldKind, UsageDecision
from contracts.verdict import Decision
from erp_link.epcis import cbv
from erp_link.epcis.check import findings_of
from erp_link.epcis.document import answer, document
from erp_link.epcis.query import read_query
from erp_link.epcis.site import Site
from erp_link.epcis.story import Happened, events_of
from erp_link.service.core import Core
from erp_link.service.exchange.epcis import Repository
from tests.erp_link.story import WATER, Station
from tests.support.deciding import decided

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LOT = "https://id.gs1.org/01/06933132577789/10/8842-740"
SSCC = "106141412345678908"


def a_whole_life(core: Core, station: Station) -> None:
    """Announced, received, judged, found wrong, held, released, moved, picked and shipped."""
    station.receives()
    station.accepts(SSCC)
    station.accepts("carton-2")
    station.judges("carton-3", Decision.REVIEW)
    station.settles("carton-3", "keyed")
    station.finds_defect("carton-4")
    for ticket in core.tickets():
        decided(
            core, ticket.ticket_id, UsageDecision.RELEASE, by="qa", role="quality", reason="looked"
        )
    core.receive(WATER, 10, location="A-01-1", by="op")
    core.move(WATER, 4, source="A-01-1", target="A-01-2", by="op")
    core.move(WATER, 2, source="A-01-1", target="QUARANTINE", by="op")
    order = core.reserve("SO-7", WATER, 3, by="sales")
    for each in order:
        core.pick(each.reservation_id, by="op")
        core.ship(each.reservation_id, by="op")
    core.add_hold(
        HoldKind.CARTONS, batch=WATER, cartons=("carton-2",), reason=Reason("dent"), by="qa"
    )
    core.add_hold(HoldKind.LOCATION, location="A-01-2", reason=Reason("warm"), by="qa")


def everything(core: Core, repository: Repository) -> list[dict[str, Any]]:
    while repository.project(limit=7):
        pass
    return list(
        repository.query(read_query([("orderDirection", "ASC"), ("perPage", "500")])).events
    )


@pytest.fixture
def told(core: Core, station: Station, repository: Repository) -> list[dict[str, Any]]:
    a_whole_life(core, station)
    return everything(core, repository)


def test_the_story_in_the_words_of_the_standard(told: list[dict[str, Any]]) -> None:
    steps = [(e["bizStep"], e.get("disposition")) for e in told]
    for wanted in [
        ("inspecting", "conformant"),
        ("inspecting", "non_conformant"),
        ("receiving", "in_progress"),
        ("holding", "non_sellable_other"),
        ("inspecting", "sellable_not_accessible"),
        ("storing", "sellable_not_accessible"),
        ("picking", "reserved"),
        ("shipping", "in_transit"),
    ]:
        assert wanted in steps, wanted
    shipped = [e for e in told if e["bizStep"] == "shipping"]
    assert sum(q["quantity"] for e in shipped for q in e["quantityList"]) == 3
    assert shipped[0]["quantityList"][0]["epcClass"] == LOT
    assert shipped[0]["bizTransactionList"][0]["bizTransaction"].endswith("/bt/order.SO-7")
    assert "bizLocation" not in shipped[0]
    received = next(e for e in told if e.get("parentID") == f"https://id.gs1.org/00/{SSCC}")
    assert received["type"] == "AggregationEvent"
    held = [e for e in told if e["bizStep"] == "holding"]
    assert any(e.get("persistentDisposition") == {"set": ["unavailable"]} for e in held)


@on_one_database
def test_every_event_stands_in_the_vocabulary_and_once(told: list[dict[str, Any]]) -> None:
    assert [found for event in told for found in findings_of(event)] == []
    for event in told:
        assert event["bizStep"] in cbv.BIZ_STEPS
        assert event.get("disposition", "unknown") in cbv.DISPOSITIONS
    assert len({e["eventID"] for e in told}) == len(told)
    assert all(e["eventID"].startswith("ni:///sha-256;") for e in told)


@on_one_database
@pytest.mark.data
def test_documents_and_answers_hold_against_the_standards_schema(
    told: list[dict[str, Any]], data_dir: Path, clock: FixedClock, site: Site
) -> None:
    schema = json.loads((data_dir / "stock/epcis/EPCIS-JSON-Schema.json").read_text())
    validator = Draft7Validator(schema, format_checker=FormatChecker())
    warm = excursion(clock, site)
    whole = document([*told, warm], at=clock.now())
    asked = answer([*told, warm], at=clock.now(), prefixes={})
    for made in (whole, asked):
        assert [e.message for e in validator.iter_errors(made)] == []


def excursion(clock: FixedClock, site: Site) -> dict[str, Any]:
    entry = Happened(
        number=1,
        at=clock.now(),
        what="excursion",
        code="too_warm",
        params={
            "device": "S-7", "least": 3.5, "most": 11.25, "location": "COLD-1",
            "begun": "2026-11-21T05:00:00.000Z", "ended": "2026-11-21T06:30:00.000Z",
        },
        batch=WATER,
    )  # fmt: skip
    (event,) = events_of(entry, site, ZoneInfo("Asia/Shanghai"))
    return event


def test_an_excursion_tells_its_span_and_its_extremes(clock: FixedClock, site: Site) -> None:
    event = excursion(clock, site)
    assert event["bizStep"] == "sensor_reporting"
    assert event["eventTimeZoneOffset"] == "+08:00"
    (report,) = event["sensorElementList"][0]["sensorReport"]
    assert (report["exception"], report["maxValue"], report["uom"]) == (
        "ALARM_CONDITION",
        11.25,
        "CEL",
    )


def test_two_equal_entries_in_one_millisecond_are_two_events(clock: FixedClock, site: Site) -> None:
    def one(number: int) -> str:
        entry = Happened(number, clock.now(), "judged", "story_judged_accept", {}, cartons=("c",))
        return str(events_of(entry, site, ZoneInfo("UTC"))[0]["eventID"])

    assert one(1) != one(2)


@on_one_database
def test_projecting_again_changes_nothing(
    core: Core, station: Station, repository: Repository
) -> None:
    a_whole_life(core, station)
    before = everything(core, repository)
    assert repository.project() == 0
    assert everything(core, repository) == before


def ids(repository: Repository, *params: tuple[str, str]) -> list[str]:
    return [e["eventID"] for e in repository.query(read_query(params)).events]


def test_events_are_found_by_what_they_name(
    told: list[dict[str, Any]], repository: Repository
) -> None:
    shipped = [e["eventID"] for e in told if e["bizStep"] == "shipping"]
    assert set(ids(repository, ("EQ_bizStep", "shipping"))) == set(shipped)
    assert set(ids(repository, ("EQ_bizStep", f"{cbv.CBV}BizStep-shipping"))) == set(shipped)
    of_lot = ids(
        repository,
        ("MATCH_anyEPCClass", "urn:epc:class:lgtin:6933132.057778.8842-740"),
        ("perPage", "500"),
    )
    assert set(shipped) <= set(of_lot)
    assert ids(repository, ("MATCH_parentID", "urn:epc:id:sscc:0614141.1234567890"))
    assert ids(repository, ("EQ_bizStep", "shipping|receiving"), ("EQ_action", "DELETE")) == []
    assert ids(repository, ("MATCH_epc", "urn:epc:id:sscc:0614141.1999999999")) == []
    late = told[-1]["eventTime"]
    assert len(ids(repository, ("LT_eventTime", late), ("perPage", "500"))) + len(
        ids(repository, ("GE_eventTime", late), ("perPage", "500"))
    ) == len(told)
    assert repository.event(shipped[0]).events[0]["bizStep"] == "shipping"
    with pytest.raises(NotFoundError):
        repository.event("ni:///nothing")


def test_pages_show_every_event_once(told: list[dict[str, Any]], repository: Repository) -> None:
    wanted = [e["eventID"] for e in told]
    for direction, order in (("ASC", wanted), ("DESC", wanted[::-1])):
        seen: list[str] = []
        params = [("perPage", "7"), ("orderDirection", direction)]
        page = repository.query(read_query(params))
        while page.next_page:
            seen += [e["eventID"] for e in page.events]
            page = repository.query(read_query([*params, ("nextPageToken", page.next_page)]))
        assert [*seen, *(e["eventID"] for e in page.events)] == order
    assert len(ids(repository, ("eventCountLimit", "5"))) == 5


@pytest.mark.parametrize(
    "param",
    [
        ("EQ_bizstep", "shipping"),
        ("GE_eventTime", "yesterday"),
        ("GE_eventTime", "2026-01-01T00:00:00"),
        ("perPage", "0"),
        ("orderBy", "size"),
        ("nextPageToken", "xx"),
        ("EQ_action", ""),
    ],
)
def test_a_parameter_that_cannot_be_answered_is_named(param: tuple[str, str]) -> None:
    with pytest.raises(BadInputError, match=param[0]):
        read_query([param])


def a_partners_event(**more: Any) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": "2026-11-20T10:00:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "epcList": ["urn:epc:id:sgtin:4012345.011111.9876"],
        "partner:crate": "blue",
        **more,
    }


def the_document(*events: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": [
            "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            {"partner": "https://partner.example/"},
        ],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-20T10:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def test_a_partners_events_are_kept_once(repository: Repository, clock: FixedClock) -> None:
    sent = the_document(a_partners_event(), a_partners_event(bizStep="departing"))
    first = repository.capture(sent, by="ACME")
    assert (first.new, first.known) == (2, 0)
    again = repository.capture(sent, by="ACME")
    assert (again.new, again.known) == (0, 2)
    assert again.event_ids == first.event_ids
    page = repository.query(
        read_query([("MATCH_epc", "https://id.gs1.org/01/04012345111118/21/9876")])
    )
    assert len(page.events) == 2
    assert page.events[0]["partner:crate"] == "blue"
    assert page.prefixes == {"partner": "https://partner.example/"}
    assert datetime.fromisoformat(page.events[0]["recordTime"]) == clock.now()


def test_a_document_that_is_wrong_anywhere_is_refused_whole(repository: Repository) -> None:
    wrong = the_document(
        a_partners_event(),
        a_partners_event(disposition="frozen", eventTimeZoneOffset="UTC", colour="red"),
        {"type": "QuantityEvent"},
    )
    with pytest.raises(BadInputError) as caught:
        repository.capture(wrong, by="ACME")
    findings = caught.value.data["findings"]
    assert isinstance(findings, list)
    assert {f["where"].rsplit(".", 1)[-1] for f in findings} == {
        "eventTimeZoneOffset",
        "disposition",
        "colour",
        "type",
    }
    assert repository.query(read_query([])).events == ()


def test_four_hubs_make_each_event_once(core: Core, site: Site) -> None:
    for quantity in range(1, 41):
        core.receive(WATER, quantity, location="A-01-1", by="op")
    repositories = [Repository(core, site) for _ in range(4)]

    def run(repository: Repository) -> None:
        while repository.project(limit=3):
            pass

    hubs = [threading.Thread(target=run, args=(each,)) for each in repositories]
    for hub in hubs:
        hub.start()
    for hub in hubs:
        hub.join()
    made = everything(core, repositories[0])
    assert [e["quantityList"][0]["quantity"] for e in made] == list(range(1, 41))
