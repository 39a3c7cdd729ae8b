"""Nobody tells this house's own story before it does: what was captured under an id of ours gives way;
and what is counted, set aside, sent back or scrapped is told by where its goods went.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import FixedClock
from contracts.reason import Reason
from contracts.stock import HoldKind, UsageDecision
from erp_link.domain.quality.policy import DecisionPolicy
from erp_link.epcis.query import read_query
from erp_link.epcis.site import Site
from erp_link.service.core import Core
from erp_link.service.exchange.epcis import Repository
from erp_link.service.merge.desk import OfflineLogs
from erp_link.service.quality.desk import Quality
from tests.erp_link.exchange.test_epcis_story import a_partners_event, the_document
from tests.erp_link.merge.logs import Phone
from tests.erp_link.story import WATER

on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def elsewhere(tmp_path: Path, clock: FixedClock) -> Iterator[Core]:
    """A house of the same day, so that its first receipt has the same id."""
    made = Core(f"sqlite:///{tmp_path / 'other.db'}", clock=clock)
    yield made
    made.close()


def events(repository: Repository) -> list[dict[str, Any]]:
    while repository.project():
        pass
    asked = read_query([("orderDirection", "ASC"), ("perPage", "500")])
    return list(repository.query(asked).events)


@on_one_database
def test_what_somebody_captured_under_our_id_gives_way(
    core: Core, elsewhere: Core, repository: Repository, site: Site
) -> None:
    there = Repository(elsewhere, site)
    there.capture(the_document(a_partners_event()), by="a partner")
    elsewhere.receive(WATER, 5, location="A-01-1", by="op")
    (known,) = [each for each in events(there) if each["bizStep"] == "receiving"]
    forged = {k: v for k, v in known.items() if k != "recordTime"} | {"disposition": "destroyed"}
    repository.capture(the_document(forged), by="a partner")
    assert repository.event(known["eventID"]).events[0]["disposition"] == "destroyed"
    core.receive(WATER, 5, location="A-01-1", by="op")
    (told,) = events(repository)
    assert told["eventID"] == known["eventID"]
    assert told["disposition"] == known["disposition"]
    ours = repository.query(read_query([("EQ_bizStep", "receiving")])).events
    assert [each["eventID"] for each in ours] == [known["eventID"]]
    # Nothing that is captured afterwards takes it back.
    assert repository.capture(the_document(forged), by="a partner").new == 0
    assert repository.event(known["eventID"]).events[0]["disposition"] == known["disposition"]


@on_one_database
def test_counts_corrections_and_goods_that_leave_for_good_are_told(
    core: Core, repository: Repository
) -> None:
    core.receive(WATER, 10, location="A-01-1", by="op")
    logs, phone = OfflineLogs(core), Phone("phone-1")
    logs.enrol("phone-1", phone.public_key, roles=["operator"], by="Mei")
    phone.counts(WATER, 9, of=10)
    phone.adjusts(WATER, 3)
    logs.upload(phone.entries, by="Mei")
    logs.confirm(WATER, "A-01-1", by="Mei")
    desk = Quality(core, DecisionPolicy(signed=False))
    for decision in (UsageDecision.SCRAP, UsageDecision.RETURN):
        smell = Reason("held_by_hand", {"note": "smell"})
        hold = core.add_hold(HoldKind.QUANTITY, batch=WATER, quantity=2, reason=smell, by="op")
        assert hold.ticket_id is not None
        desk.decide_unsigned(hold.ticket_id, decision, reason="leak", by="q", role="quality")
        desk.carry_out(hold.ticket_id, by="q", role="quality")
    told = [(each.get("bizStep"), each.get("disposition")) for each in events(repository)]
    for wanted in (
        ("stock_taking", "unknown"),
        ("stock_taking", "in_progress"),
        ("destroying", "destroyed"),
        ("shipping", "returned"),
    ):
        assert wanted in told, (wanted, told)
