"""A release that is signed races with holds: no hold that it did not see is ever lifted by it (I1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from contracts.errors import HeldError
from contracts.reason import Reason
from contracts.stock import BatchKey, Hold, HoldKind, UsageDecision
from erp_link.domain.quality.statement import StaleSignatureError
from erp_link.service.core import Core
from erp_link.service.quality.desk import DecisionRecord, Quality
from tests.support.signing import Pen

SMELL = Reason("held_by_hand", {"note": "smell"})
ROUNDS = 8


def test_a_hold_that_races_with_a_signed_release_holds(
    core: Core, desk: Quality, mara: Pen
) -> None:
    outcomes = {_race(core, desk, mara, BatchKey("ACME", "1", f"L{n}")) for n in range(ROUNDS)}
    assert outcomes <= {"stale", "released before the hold"}


def _race(core: Core, desk: Quality, mara: Pen, batch: BatchKey) -> str:
    core.receive(batch, 3, location="A-01-1", by="op")
    first = core.add_hold(HoldKind.BATCH, batch=batch, reason=SMELL, by="op")
    assert first.ticket_id is not None
    text = desk.statement(
        first.ticket_id,
        UsageDecision.RELEASE,
        reason="looked",
        signer="mara",
        role="quality",
        key=mara.key_id,
    ).text()
    signature, start = mara.signs(text), Barrier(2)

    def release() -> DecisionRecord | None:
        start.wait()
        try:
            return desk.decide(text, signature, by="mara", role="quality")
        except StaleSignatureError:
            return None

    def hold() -> Hold:
        start.wait()
        return core.add_hold(HoldKind.BATCH, batch=batch, reason=SMELL, by="op")

    with ThreadPoolExecutor(2) as pool:
        released, raised = pool.submit(release), pool.submit(hold)
        made, newer = released.result(), raised.result()
    with pytest.raises(HeldError):
        core.reserve("SO", batch, 1, by="op")
    still = {each.hold_id for each in core.holds()}
    assert newer.hold_id in still
    assert (first.hold_id in still) == (made is None)
    return "stale" if made is None else "released before the hold"
