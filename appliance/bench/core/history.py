"""A long history: may this leave, and what is on hand, when the books hold millions of moves."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from appliance.bench import facts
from appliance.bench.core.shipments import GTIN, SUPPLIER, batch_key
from contracts.clock import SystemClock
from contracts.stock import BatchKey
from erp_link.service.core import Core

BATCHES = 10_000
_PART = 500_000
_ASKED = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """Milliseconds of each question at `moves` moves."""

    moves: int
    may_leave_p50_ms: float
    may_leave_p95_ms: float
    page_p95_ms: float
    fill_s: float


def questions(
    url: str, *, moves: int, seed: int, told: Callable[[int], None] = lambda _: None
) -> Asked:
    """Fill the books with `moves` moves of two lines over 10,000 batches, straight into the tables,
    and ask. `told` hears how many are in.
    """
    core = Core(url, clock=SystemClock())
    try:
        began = time.perf_counter()
        with core.engine.connect().execution_options(tallyman_write=True) as connection:
            with connection.begin():
                _furnish(connection)
            for start in range(0, moves, _PART):
                with connection.begin():
                    _trust(connection)
                    _fill(connection, start, min(start + _PART, moves))
                told(min(start + _PART, moves))
            with connection.begin():
                _project(connection)
        if core.engine.dialect.name == "postgresql":
            with core.engine.connect().execution_options(
                isolation_level="AUTOCOMMIT"
            ) as connection:
                connection.execute(text("ANALYZE"))
        filled = time.perf_counter() - began
        chance = random.Random(seed)  # noqa: S311 -- which batch is asked about
        one = [
            _timed(lambda: core.batch(batch_key(chance.randrange(BATCHES)))) for _ in range(_ASKED)
        ]
        page = [
            _timed(lambda: core.batches(after=_somewhere(chance), limit=100)) for _ in range(50)
        ]
        return Asked(
            moves,
            facts.percentile(one, 50),
            facts.percentile(one, 95),
            facts.percentile(page, 95),
            filled,
        )
    finally:
        core.close()


def _somewhere(chance: random.Random) -> tuple[str, str, str]:
    key: BatchKey = batch_key(chance.randrange(BATCHES))
    return key.gtin, key.lot, key.supplier


def _timed(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


_NUMBERS = """WITH RECURSIVE n(n) AS
  (SELECT CAST(:low AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n + 1 < :high)"""


def _furnish(connection: Connection) -> None:
    padded = "substr('00000' || n, -5)"
    if connection.dialect.name == "postgresql":
        padded = "lpad(CAST(n AS TEXT), 5, '0')"
    connection.execute(
        text(
            f"{_NUMBERS} INSERT INTO batch (id, supplier, gtin, lot, description)"  # noqa: S608 -- no outside text
            f" SELECT n + 1, :supplier, :gtin, 'L' || {padded}, '' FROM n"
        ),
        {"low": 0, "high": BATCHES, "supplier": SUPPLIER, "gtin": GTIN},
    )


def _trust(connection: Connection) -> None:
    """The rows are made right: looking up every reference again would take most of the time."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))


def _fill(connection: Connection, low: int, high: int) -> None:
    """Move n brings a unit of batch n mod 10,000 in, or every second time round from one slot to
    the next: each has an event and two lines that sum to zero.
    """
    span = {"low": low, "high": high}
    connection.execute(
        text(
            f'{_NUMBERS} INSERT INTO event (id, at, what, "by", batch_id, reference, code, params)'  # noqa: S608 -- no outside text
            " SELECT n + 1, 1700000000000000 + n * 1000, 'moved', 'bench',"
            f" n % {BATCHES} + 1, '', 'story_moved_units', '{{}}' FROM n"
        ),
        span,
    )
    odd = f"(n / {BATCHES}) % 2 = 1"
    source = f"CASE WHEN {odd} THEN 'A-01-1' ELSE '@supplier' END"
    target = f"CASE WHEN {odd} THEN 'A-01-2' ELSE 'A-01-1' END"
    for place, quantity in ((source, -1), (target, 1)):
        connection.execute(
            text(
                f"{_NUMBERS} INSERT INTO move_line (event_id, batch_id, location, status, quantity)"  # noqa: S608 -- no outside text
                f" SELECT n + 1, n % {BATCHES} + 1, {place}, 'unrestricted', {quantity} FROM n"
            ),
            span,
        )


def _project(connection: Connection) -> None:
    connection.execute(
        text(
            "INSERT INTO stock (batch_id, location, status, quantity, reserved)"
            " SELECT batch_id, location, status, SUM(quantity), 0 FROM move_line"
            " WHERE location NOT LIKE '@%' GROUP BY batch_id, location, status"
            " HAVING SUM(quantity) > 0"
        )
    )
