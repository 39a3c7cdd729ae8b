"""The account at the end: every carton in one place, every order at an end, no put-away twice.

Nothing that the bridge counts is believed: the core's books are read, and what vehicles really did
stands in a file of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from appliance.bench.agv.goods import BATCH, LAYOUT
from contracts.clock import SystemClock
from contracts.stock import TransportState
from erp_link.service.core import Core

_OVER = {str(one) for one in (TransportState.DROPPED, TransportState.FAILED)}


@dataclass(slots=True)
class Verdict:
    """What came of the cartons."""

    cartons: int = 0
    put_away: int = 0
    for_a_person: int = 0
    """Their vehicle was killed with them, or nobody could tell: an open ticket each."""
    faults: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.faults


def judge(folder: Path, witness: Path, *, fleets_killed: int) -> Verdict:
    """Read everything after all processes have ended."""
    core = Core(f"sqlite:///{folder / 'core.db'}", clock=SystemClock(), layout=LAYOUT)
    try:
        return _judge(core, _done(witness), fleets_killed=fleets_killed)
    finally:
        core.close()


def _judge(core: Core, done: Counter[str], *, fleets_killed: int) -> Verdict:
    with core.engine.connect() as connection:
        rows = connection.execute(text("SELECT order_id, load_id, state FROM transport")).all()
        tickets = {row[0] for row in connection.execute(text("SELECT ticket_id FROM ticket"))}
        total = connection.execute(
            text("SELECT coalesce(sum(quantity), 0) FROM move_line")
        ).scalar()
        on_hand = connection.execute(text("SELECT coalesce(sum(quantity), 0) FROM stock")).scalar()
    moved = [event.what for event in core.batch_story(BATCH)].count("moved")
    states = {order: state for order, _, state in rows}
    brought = [load for _, load, state in rows if state == TransportState.DROPPED]
    verdict = Verdict(len({load for _, load, _ in rows}), len(brought))
    verdict.for_a_person = sum(state == TransportState.FAILED for state in states.values())
    say = verdict.faults.append
    if len(brought) != len(set(brought)):
        say("a carton was put away twice")
    if moved != len(brought):
        say(f"{moved} moves booked for {len(brought)} put-aways")
    if total != 0:
        say(f"double entry does not balance: {total}")
    if on_hand != verdict.cartons:
        say(f"{on_hand} cartons on hand of {verdict.cartons}")
    verdict.faults += _wrong_orders(states, tickets, done, fleets_killed=fleets_killed)
    return verdict


def _wrong_orders(
    states: Mapping[str, str], tickets: Container[str], done: Counter[str], *, fleets_killed: int
) -> Iterator[str]:
    """A vehicle that was killed cannot tell what it did: what its order became is no fault."""
    for order, state in states.items():
        picks, drops = done[f"{order}.pick"], done[f"{order}.drop"]
        if state not in _OVER:
            yield f"{order} is stuck as {state}"
        if state == TransportState.FAILED and f"QC-{order}-failed" not in tickets:
            yield f"{order} failed without a ticket"
        if state == TransportState.DROPPED and not drops:
            yield f"{order} is booked and no vehicle dropped it"
        if fleets_killed:
            continue
        if drops and state != TransportState.DROPPED:
            yield f"{order} was dropped and is {state}"
        if max(picks, drops) > 1:
            yield f"{order} was handled by vehicles more than once"


def _done(witness: Path) -> Counter[str]:
    if not witness.exists():
        return Counter()
    lines = witness.read_text(encoding="utf-8").splitlines()
    return Counter(line.partition(" ")[2] for line in lines)
