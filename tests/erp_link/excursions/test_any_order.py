"""However moves and alarm changes reach the core, the excursion ends alike (I2, I6)."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from contracts.clock import FixedClock
from contracts.telemetry import AlarmChange, AlarmChanged
from erp_link.adapters import alarm_tables as a
from erp_link.domain.products import Product, Temperature
from erp_link.service.core import Core
from erp_link.service.excursions.desk import Excursions
from erp_link.service.goods.products import Products
from tests.erp_link.excursions.cold_room import Gateway
from tests.erp_link.story import JUICE, LATER, WATER

MEASURED = ("batch_id", "quantity", "present", "outside_s", "unmeasured_s", "least", "most",
            "kinetic", "beyond", "code")  # fmt: skip
_celsius = st.lists(st.sampled_from([5.0, 9.0, 12.0, 14.9, 16.0]), min_size=1, max_size=40)


def story_of(core: Core, clock: FixedClock) -> tuple[Gateway, FixedClock]:
    """Water stood in the room, left after 20 minutes; juice came after 30."""
    for gtin in (WATER.gtin, JUICE.gtin):
        Products(core).describe(Product(gtin, temperature=Temperature.CHILLED), by="q")
    for batch, place in ((WATER, "COLD-01"), (JUICE, "DOCK-1")):
        core.receive(batch, 10, location=place, by="op", expiry=LATER)
    clock.at += timedelta(hours=1)
    return Gateway(core, clock), clock


def ends(template: Path, traces: list[list[float]], order: list[int]) -> list[tuple[object, ...]]:
    """What the core has in the end; `order` names changes by number, some of them twice."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(template, f"{folder}/core.db")
        clock = FixedClock(datetime(2026, 11, 20, 9, tzinfo=UTC))
        core = Core(f"sqlite:///{folder}/core.db", clock=clock)
        gateway, _ = story_of(core, clock)
        since = clock.at
        alarm = gateway.alarm(since)
        last = len(traces) - 1
        changes: list[AlarmChanged] = [
            alarm.body(
                AlarmChange.RAISED if number == 0
                else AlarmChange.CLEARED if number == last
                else AlarmChange.CONTINUES,
                *celsius,
            )
            for number, celsius in enumerate(traces)
        ]  # fmt: skip

        moves = ((20, WATER, "COLD-01", "DRY-1"), (30, JUICE, "DOCK-1", "COLD-02"))
        for minutes, batch, source, target in moves:
            clock.at = since + timedelta(minutes=minutes)
            core.move(batch, 10, source=source, target=target, by="op")
        clock.at = since + timedelta(hours=3)
        for number in order:
            gateway.sends(changes[number])
        Excursions(core).tidy(by="hub")
        columns = [a.excursion_batch.c[name] for name in MEASURED]
        rows = core.read(
            lambda c: c.execute(select(*columns).order_by(a.excursion_batch.c.batch_id)).all()
        )
        found = [tuple(row) for row in rows if row.present]
        held = {hold.batch for hold in core.holds()}
        core.close()
    beyond = {WATER if row[0] == 1 else JUICE for row in found if row[8]}
    assert beyond <= held
    return found


@settings(max_examples=8)
@given(
    st.lists(_celsius, min_size=2, max_size=4).flatmap(
        lambda traces: st.tuples(
            st.just(traces), st.permutations([*range(len(traces)), *range(len(traces))])
        )
    )
)
def test_changes_in_any_order_and_twice_end_as_in_order(sqlite_template: Path, told) -> None:
    traces, order = told
    in_order = ends(sqlite_template, traces, list(range(len(traces))))
    assert ends(sqlite_template, traces, order) == in_order
