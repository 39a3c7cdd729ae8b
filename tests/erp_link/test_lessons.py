"""What a station taught: kept once, and a confirmed defect keeps its carton in the building (I1)."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from contracts.errors import HeldError, InsufficientStockError
from contracts.events import (
    DefectTaught,
    EventBody,
    JournalEntry,
    LessonUndone,
    ProfileActivated,
    ProfileEnrolled,
)
from contracts.stock import Evidence, HoldKind, UsageDecision
from contracts.verdict import Decision
from erp_link.service.core import Core
from tests.erp_link.story import WATER, Station
from tests.support.deciding import decided

PICTURE = "cd" * 32


def lesson(carton: str = "C1", *, kind: str = "miss", defect: str = "crack") -> DefectTaught:
    return DefectTaught(
        station="dock-1",
        carton_id=carton,
        gtin=WATER.gtin,
        picture=PICTURE,
        lesson=kind,
        defect=defect,
        operator="mara",
        before="sha256:a",
        after="sha256:b",
        candidate="ef" * 32,
        evidence=(Evidence("inspect", PICTURE), Evidence("profile", "ef" * 32)),
    )


def signed(station: Station, body: EventBody) -> JournalEntry:
    """An entry whose body is the text that the device signed."""
    entry = replace(station.entry(body), body=json.dumps(asdict(body)))
    station.log.append((entry, body))
    return entry


def test_what_was_taught_is_kept_in_the_devices_own_words(core: Core, station: Station) -> None:
    bodies: list[EventBody] = [
        ProfileEnrolled("dock-1", WATER.gtin, "water", "sha256:a", "aa" * 32, 20, "mara"),
        lesson(kind="false_alarm", defect=""),
        LessonUndone("dock-1", WATER.gtin, "mara", "sha256:b", "sha256:a", ""),
        ProfileActivated(
            "dock-1", WATER.gtin, "", "sha256:a", "aa" * 32, "jo", "looked", 1, "k", "s"
        ),
    ]
    entries = [signed(station, body) for body in bodies]
    for entry, body in zip(entries, bodies, strict=True):
        core.apply(entry, body)
    assert core.apply(entries[1], bodies[1]).duplicate
    kept = core.profile_events()
    assert [each.kind for each in kept] == [
        "profile_enrolled",
        "defect_taught",
        "lesson_undone",
        "profile_activated",
    ]
    assert [each.body for each in kept] == [entry.body for entry in entries]
    assert {(each.device, each.station, each.gtin) for each in kept} == {
        ("edge-1", "dock-1", WATER.gtin)
    }


def test_a_confirmed_defect_keeps_an_accepted_carton_in_the_building(
    core: Core, station: Station
) -> None:
    station.receives()
    station.accepts("C1")
    station.accepts("C2")
    station.sends(lesson("C1"))
    (hold,) = core.holds()
    assert (hold.kind, hold.cartons, hold.reason.code) == (
        HoldKind.CARTONS,
        ("C1",),
        "confirmed_crack",
    )
    (ticket,) = core.tickets()
    assert (ticket.carton_id, ticket.station, ticket.hold_ids) == ("C1", "dock-1", (hold.hold_id,))
    assert [each.sha256 for each in ticket.evidence] == [PICTURE]
    with pytest.raises(InsufficientStockError, match="1 of 2"):
        core.reserve("SO-1", WATER, 2, by="s")
    core.reserve("SO-1", WATER, 1, by="s")
    decided(
        core, ticket.ticket_id, UsageDecision.RELEASE, by="q", role="quality", reason="only dust"
    )
    core.reserve("SO-2", WATER, 1, by="s")


def test_a_second_lesson_about_a_carton_adds_nothing(core: Core, station: Station) -> None:
    station.receives()
    station.accepts("C1")
    station.sends(lesson("C1"))
    station.sends(lesson("C1", defect="dent"))
    assert len(core.holds()) == len(core.tickets()) == 1


def test_a_carton_that_is_held_or_refused_already_needs_no_ticket(
    core: Core, station: Station
) -> None:
    station.receives()
    station.finds_defect("C1")
    station.judges("C2", Decision.REVIEW)
    station.settles("C2", "refused")
    before = len(core.tickets())
    station.sends(lesson("C1"))
    station.sends(lesson("C2"))
    assert len(core.tickets()) == before


def test_a_carton_in_review_is_settled_onto_its_hold(core: Core, station: Station) -> None:
    station.receives()
    station.judges("C1", Decision.REVIEW)
    station.sends(lesson("C1", defect="wet"))
    station.settles("C1", "candidate")
    assert [hold.cartons for hold in core.holds()] == [("C1",)]
    with pytest.raises(InsufficientStockError, match="0 of 1"):
        core.reserve("SO-1", WATER, 1, by="s")


def test_a_carton_of_no_known_batch_gets_a_ticket(core: Core, station: Station) -> None:
    station.judges("C9", Decision.REVIEW, None, line=None)
    station.sends(lesson("C9", defect=""))
    (ticket,) = core.tickets()
    assert (ticket.carton_id, ticket.reason.code, core.holds()) == ("C9", "confirmed_defect", [])


def test_good_goods_lift_nothing(core: Core, station: Station) -> None:
    station.receives()
    station.finds_defect("C1")
    station.sends(lesson("C1", kind="false_alarm", defect=""))
    assert [hold.released_at for hold in core.holds()] == [None]
    with pytest.raises(HeldError):
        core.reserve("SO-1", WATER, 1, by="s")
