"""What the bridge may rely on, of the real core and of the one in memory that its stories use."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.clock import FixedClock
from contracts.errors import ConflictError, HeldError, NotFoundError
from contracts.ports import StockMoves
from contracts.reason import Reason
from contracts.stock import HoldKind, TransportProgress, TransportState
from erp_link.service.core import Core
from tests.agv_bridge.core_in_memory import CoreInMemory
from tests.agv_bridge.floor import Direct, empty_database, told
from tests.erp_link.story import Station

T = TransportState


@dataclass
class Site:
    """One order asked for, and a way to hold its goods."""

    moves: StockMoves
    order_id: str
    hold: Callable[[], object]
    clock: FixedClock

    def tell(self, *states: TransportState, vehicle: str = "m/a1", order: str = "") -> None:
        for state in states:
            action = {T.PICKED: "pick", T.DROPPED: "drop"}.get(state, "")
            told(
                self.moves.transport_progress(
                    TransportProgress(
                        order or self.order_id, state, vehicle, self.clock.now(), action
                    )
                )
            )

    def pending(self) -> list[str]:
        return [order.order_id for order in told(self.moves.pending_transport())]

    def under_way(self) -> list[tuple[str, str, TransportState]]:
        return [
            (one.order.order_id, one.vehicle, one.state)
            for one in told(self.moves.open_transport())
        ]


@pytest.fixture(params=["in memory", "the real core"])
def site(request: pytest.FixtureRequest, tmp_path: Path, clock: FixedClock) -> Iterator[Site]:
    if request.param == "in memory":
        memory = CoreInMemory()
        order = memory.request("T1")
        yield Site(memory, order.order_id, lambda: memory.held.add("T1"), clock)
        return
    shutil.copy(empty_database(), tmp_path / "core.db")
    core = Core(f"sqlite:///{tmp_path / 'core.db'}", clock=clock)
    station = Station(core, clock)
    station.receives()
    station.accepts("C1")
    (order,) = core.pending_transport()

    def hold() -> None:
        # Not a hold on the batch: that would take the order away and ask anew.
        place = HoldKind.LOCATION
        core.add_hold(place, reason=Reason("leak"), by="q", location=order.target)
        core.add_hold(place, reason=Reason("leak"), by="q", location=order.source)

    yield Site(Direct(core), order.order_id, hold, clock)
    core.close()


def test_an_order_goes_out_once(site: Site):
    assert site.pending() == [site.order_id]
    site.tell(T.SENT, T.SENT)
    assert site.pending() == []
    assert site.under_way() == [(site.order_id, "m/a1", T.SENT)]
    with pytest.raises(ConflictError):
        site.tell(T.SENT, vehicle="m/a2")


def test_held_goods_do_not_go_out(site: Site):
    site.hold()
    with pytest.raises((HeldError, ConflictError)):
        site.tell(T.SENT)
    assert site.pending() == []


def test_an_order_that_nobody_knows_does_not_go_out_and_moves_nothing(site: Site):
    with pytest.raises(NotFoundError):
        site.tell(T.SENT, order="X9")
    site.tell(T.ACCEPTED, T.PICKED, T.DROPPED, order="X9")
    assert site.under_way() == []
    assert told(site.moves.find_transport("X9")) is None


def test_a_vehicle_that_never_had_an_order_moves_nothing_by_it(site: Site):
    site.tell(T.SENT, T.ACCEPTED)
    assert told(site.moves.was_sent(site.order_id, "m/a1"))
    assert not told(site.moves.was_sent(site.order_id, "m/a2"))
    site.tell(T.ACCEPTED, T.PICKED, T.DROPPED, vehicle="m/a2")
    assert site.under_way() == [(site.order_id, "m/a1", T.ACCEPTED)]
    site.tell(T.PICKED, T.DROPPED)
    assert told(site.moves.find_transport(site.order_id)).vehicle == "m/a1"


def test_a_vehicle_that_gave_an_order_back_is_believed_all_the_same(site: Site):
    site.tell(T.SENT, T.REQUESTED)
    site.tell(T.SENT, vehicle="m/a2")
    assert told(site.moves.was_sent(site.order_id, "m/a1"))
    site.tell(T.PICKED, T.DROPPED)
    assert told(site.moves.find_transport(site.order_id)).vehicle == "m/a1"


def test_an_order_that_was_given_back_goes_to_another(site: Site):
    site.tell(T.SENT, T.ACCEPTED, T.REQUESTED)
    assert site.pending() == [site.order_id]
    site.tell(T.SENT, vehicle="m/a2")
    assert site.under_way() == [(site.order_id, "m/a2", T.SENT)]


def test_goods_on_board_are_not_given_back(site: Site):
    site.tell(T.SENT, T.PICKED, T.REQUESTED)
    assert site.under_way() == [(site.order_id, "m/a1", T.PICKED)]


def test_late_and_repeated_news_takes_nothing_back(site: Site):
    site.tell(T.SENT, T.ACCEPTED, T.PICKED, T.ACCEPTED, T.DROPPED, T.PICKED, T.DROPPED)
    assert site.under_way() == []
    found = told(site.moves.find_transport(site.order_id))
    assert (found.state, found.vehicle) == (T.DROPPED, "m/a1")


@pytest.mark.parametrize("end", [T.FAILED, T.CANCELLED])
def test_what_a_vehicle_did_after_the_end_is_booked_all_the_same(site: Site, end: TransportState):
    site.tell(T.SENT, T.ACCEPTED, end)
    still = [(site.order_id, "m/a1", T.FAILED)] if end is T.FAILED else []
    assert site.under_way() == still
    assert told(site.moves.find_transport(site.order_id)).state is end
    site.tell(T.DROPPED)
    assert told(site.moves.find_transport(site.order_id)).state is T.DROPPED
